#include "app/server/audit_streams.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vector>

#include "app/server/audit_turns.hpp"
#include "core/log.hpp"
#include "core/metrics.hpp"

namespace postern::server {

namespace audit = accounts::audit;

namespace {

constexpr std::chrono::seconds kPoll{2};

metrics::Gauge& backlog() {
  static metrics::Gauge gauge("postern_audit_stream_backlog",
                              "Audit records that wait for the receivers of streams.");
  return gauge;
}

struct Look {
  std::vector<TenantId> due;
  std::uint64_t backlog = 0;
};

Result<Look> look(sql::Transaction& tx, Timestamp now) {
  Look found;
  for (const auto chain : audit::streamed_chains(tx)) {
    sql::TenantScope scope(tx, chain);
    const auto stream = audit::find_stream(scope);
    if (!stream) continue;
    const auto waiting = audit::backlog_of(scope, *stream);
    found.backlog += waiting;
    if (waiting > 0 && (!stream->retry_at || *stream->retry_at <= now)) found.due.push_back(chain);
  }
  return found;
}

std::string reason(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    return thrown.what();
  }
}

}  // namespace

struct AuditStreams::State {
  State(Runtime& runtime, StreamWork parts)
      : work(std::make_shared<const StreamWork>(std::move(parts))), timer(runtime.context(0)) {}

  std::shared_ptr<const StreamWork> work;
  asio::steady_timer timer;
  AuditTurns turns;
  bool stopped = false;

  static AuditTurns::Time now() { return std::chrono::steady_clock::now(); }

  static Task<Attempt> send(std::shared_ptr<State> state, TenantId chain) {
    auto last = Attempt::moved;
    do {
      last = co_await attempt_stream(state->work, chain);
    } while (!state->stopped && state->turns.goes_on(chain, last, now()));
    co_return last;
  }

  static void begin(const std::shared_ptr<State>& state, std::vector<TenantId> due) {
    for (const auto chain : state->turns.begin(std::move(due), now())) {
      asio::co_spawn(state->timer.get_executor(), send(state, chain),
                     [state, chain](const std::exception_ptr& error, Attempt last) {
                       if (error) {
                         log::error("audit_stream_broken", {{"chain", audit::chain_name(chain)},
                                                            {"error", reason(error)}});
                       }
                       state->turns.end(chain, error ? Attempt::not_kept : last, now());
                     });
    }
  }

  static Task<void> look_and_begin(std::shared_ptr<State> state) {
    const auto found = co_await state->work->registry.read<Look>(
        [now = state->work->clock.now()](sql::Transaction& tx) { return look(tx, now); });
    if (!found) log::warn("audit_streams_wait", {{"error", found.error().message}});
    if (!found || state->stopped) co_return;
    backlog().set(static_cast<std::int64_t>(found->backlog));
    begin(state, found->due);
  }

  static Task<void> run(std::shared_ptr<State> state) {
    while (!state->stopped) {
      boost::system::error_code error;
      state->timer.expires_after(kPoll);
      co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
      if (!state->stopped) co_await look_and_begin(state);
    }
  }

  // A bug in one look isn't the end of all streams: run() waits before the next.
  static void keep_running(const std::shared_ptr<State>& state) {
    asio::co_spawn(state->timer.get_executor(), run(state),
                   [state](const std::exception_ptr& error) {
                     if (!error) return;
                     log::error("audit_streams_broken", {{"error", reason(error)}});
                     keep_running(state);
                   });
  }
};

AuditStreams::AuditStreams(Runtime& runtime, StreamWork work)
    : state_(std::make_shared<State>(runtime, std::move(work))) {}

void AuditStreams::start() { State::keep_running(state_); }

void AuditStreams::stop() {
  asio::post(state_->timer.get_executor(), [state = state_] {
    state->stopped = true;
    state->timer.cancel();
  });
}

}  // namespace postern::server
