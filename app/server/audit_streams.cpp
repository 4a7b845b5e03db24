#include "app/server/audit_streams.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <set>
#include <vector>

#include "core/log.hpp"
#include "core/metrics.hpp"

namespace postern::server {

namespace audit = accounts::audit;

namespace {

constexpr std::chrono::seconds kPoll{2};
constexpr std::size_t kAtOnce = 16;  // chains that are worked on
constexpr int kBatchesInARow = 50;   // of one chain, while others wait

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

}  // namespace

struct AuditStreams::State {
  State(Runtime& runtime, StreamWork parts)
      : work(std::make_shared<const StreamWork>(std::move(parts))), timer(runtime.context(0)) {}

  std::shared_ptr<const StreamWork> work;
  asio::steady_timer timer;
  std::set<TenantId> busy;
  TenantId last_begun;  ///< the others come before it the next time
  bool stopped = false;

  static Task<void> send(std::shared_ptr<State> state, TenantId chain) {
    for (int i = 0; i < kBatchesInARow && !state->stopped; ++i) {
      if (co_await attempt_stream(state->work, chain) != Attempt::moved) break;
    }
  }

  static void finished(State& state, TenantId chain, const std::exception_ptr& error) {
    state.busy.erase(chain);
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
      log::error("audit_stream_broken", {{"chain", chain.text()}, {"error", thrown.what()}});
    }
  }

  static void begin(const std::shared_ptr<State>& state, std::vector<TenantId> due) {
    const auto after = std::ranges::upper_bound(due, state->last_begun);
    std::ranges::rotate(due, after);
    for (const auto chain : due) {
      if (state->busy.size() >= kAtOnce) return;
      if (!state->busy.insert(chain).second) continue;
      state->last_begun = chain;
      asio::co_spawn(
          state->timer.get_executor(), send(state, chain),
          [state, chain](const std::exception_ptr& error) { finished(*state, chain, error); });
    }
  }

  static Task<void> run(std::shared_ptr<State> state) {
    while (!state->stopped) {
      const auto found = co_await state->work->registry.read<Look>(
          [now = state->work->clock.now()](sql::Transaction& tx) { return look(tx, now); });
      if (!found) log::warn("audit_streams_wait", {{"error", found.error().message}});
      if (state->stopped) co_return;
      if (found) {
        backlog().set(static_cast<std::int64_t>(found->backlog));
        begin(state, found->due);
      }
      boost::system::error_code error;
      state->timer.expires_after(kPoll);
      co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }
};

AuditStreams::AuditStreams(Runtime& runtime, StreamWork work)
    : state_(std::make_shared<State>(runtime, std::move(work))) {}

void AuditStreams::start() {
  asio::co_spawn(state_->timer.get_executor(), State::run(state_), asio::detached);
}

void AuditStreams::stop() {
  asio::post(state_->timer.get_executor(), [state = state_] {
    state->stopped = true;
    state->timer.cancel();
  });
}

}  // namespace postern::server
