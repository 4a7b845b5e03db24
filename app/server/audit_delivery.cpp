#include "app/server/audit_delivery.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "accounts/audit/stream/destination.hpp"
#include "accounts/audit/stream/syslog.hpp"
#include "accounts/outbound_hosts.hpp"
#include "core/crypto.hpp"
#include "core/log.hpp"
#include "core/metrics.hpp"
#include "core/random.hpp"

namespace postern::server {

namespace audit = accounts::audit;

namespace {

constexpr std::chrono::seconds kFirstPause{5};
constexpr std::chrono::seconds kLongestPause{300};
constexpr OutboundLimits kLimits{.connect = std::chrono::seconds(5),
                                 .total = std::chrono::seconds(20),
                                 .header_bytes = 16UL * 1024};

struct Metrics {
  metrics::Counter delivered{"postern_audit_stream_records_total",
                             "Audit records that receivers of streams have taken."};
  metrics::Counter failures{"postern_audit_stream_failures_total",
                            "Attempts of audit streams that failed."};
  metrics::Counter skipped{"postern_audit_stream_skipped_total",
                           "Audit records that streams passed over."};
};
Metrics& all() {
  static Metrics metrics;
  return metrics;
}

struct Next {
  audit::TrailStream stream;
  audit::Batch batch;
  std::optional<std::vector<std::string>> allowed_hosts;
};

Result<Next> read_next(sql::Transaction& tx, TenantId chain, std::uint64_t bound, Timestamp now) {
  sql::TenantScope scope(tx, chain);
  auto stream = audit::find_stream(scope);
  if (!stream) return std::unexpected(stream.error());
  Next next{std::move(*stream), {}, accounts::find_outbound_hosts(scope)};
  if (!next.stream.retry_at || *next.stream.retry_at <= now) {
    next.batch = audit::next_batch(scope, next.stream, bound);
  }
  return next;
}

Task<Result<Next>> find_next(std::shared_ptr<const StreamWork> work, TenantId chain) {
  co_return co_await work->registry.read<Next>(
      [chain, bound = work->bound, now = work->clock.now()](sql::Transaction& tx) {
        return read_next(tx, chain, bound, now);
      });
}

Task<Result<void>> post_batch(std::shared_ptr<const StreamWork> work, const Next& next,
                              audit::Destination destination) {
  OutboundRequest request;
  request.method = OutboundMethod::post;
  request.url = std::move(destination.url);
  request.headers = {{"Content-Type", "application/x-ndjson", {}}};
  if (!destination.secret.empty()) {
    request.headers.push_back(
        {"Authorization", "Bearer " + destination.secret, OutboundHeader::Kind::sensitive});
    crypto::wipe(destination.secret);
  }
  request.body = audit::json_lines(next.batch.entries);
  request.limits = kLimits;
  request.answer = OutboundAnswer::head;
  request.allowed_hosts = next.allowed_hosts;
  const auto answer = co_await work->client.fetch(std::move(request));
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status / 100 != 2) {
    co_return fail(Errc::io, fmt::format("the receiver answered {}", answer->status));
  }
  co_return Result<void>{};
}

Task<Result<void>> write_batch(std::shared_ptr<const StreamWork> work, const Next& next,
                               TenantId chain, const audit::Destination& destination) {
  OutboundEndpoint endpoint{std::string(destination.authority()), audit::kSyslogPort, kLimits,
                            next.allowed_hosts};
  auto opened = co_await work->client.connect(std::move(endpoint));
  if (!opened) co_return std::unexpected(opened.error());
  auto& bounded = **opened;
  const auto frames =
      audit::syslog_frames(next.batch.entries, audit::chain_name(chain), work->hostname);
  auto done = co_await bounded.stream().write_all(frames);
  if (done) done = co_await bounded.stream().finish();
  if (!done) co_return bounded.failure(done.error());
  co_return done;
}

Task<Result<void>> send(std::shared_ptr<const StreamWork> work, const Next& next, TenantId chain) {
  auto destination = audit::open_destination(
      work->master, audit::stream_context(chain, next.stream.revision), next.stream.sealed);
  if (!destination) co_return std::unexpected(destination.error());
  if (destination->transport == audit::Transport::https) {
    co_return co_await post_batch(work, next, std::move(*destination));
  }
  co_return co_await write_batch(work, next, chain, *destination);
}

/// What an attempt comes to, whose `outcome` was written, or not.
Attempt kept(const Result<void>& written, Attempt outcome, TenantId chain) {
  if (written) return outcome;
  if (written.error().code == Errc::not_found) return Attempt::idle;
  log::warn("audit_stream_not_kept",
            {{"chain", audit::chain_name(chain)}, {"error", written.error().message}});
  return Attempt::not_kept;
}

Task<Attempt> keep_success(std::shared_ptr<const StreamWork> work, const Next& next,
                           TenantId chain) {
  const auto count = next.batch.entries.size();
  const auto written = co_await work->registry.note<void>(
      [stream = next.stream, last = next.batch.entries.back().number, count, chain,
       now = work->clock.now()](sql::Transaction& tx) {
        sql::TenantScope scope(tx, chain);
        return audit::move_cursor(scope, stream, last, count, now);
      });
  if (written) all().delivered.add(count);
  co_return kept(written, Attempt::moved, chain);
}

Task<Attempt> keep_failure(std::shared_ptr<const StreamWork> work, const Next& next, TenantId chain,
                           std::string error) {
  all().failures.add();
  log::warn("audit_stream_failed", {{"chain", audit::chain_name(chain)}, {"error", error}});
  const auto now = work->clock.now();
  const auto written = co_await work->registry.note<void>(
      [stream = next.stream, chain, error, now,
       again = now + stream_pause(next.stream.failures + 1)](sql::Transaction& tx) {
        sql::TenantScope scope(tx, chain);
        return audit::note_failure(scope, stream, error, now, again);
      });
  co_return kept(written, Attempt::failed, chain);
}

Task<Attempt> keep_skip(std::shared_ptr<const StreamWork> work, const Next& next, TenantId chain) {
  const auto skip = *next.batch.skip;
  const auto written = co_await work->registry.note<void>(
      [work, stream = next.stream, skip, chain, now = work->clock.now()](sql::Transaction& tx) {
        sql::TenantScope scope(tx, chain);
        return audit::skip_records(scope, work->chain, stream, skip, now);
      });
  if (written) {
    const auto count = skip.last - skip.first + 1;
    all().skipped.add(count);
    log::warn("audit_stream_skipped", {{"chain", audit::chain_name(chain)}, {"records", count}});
  }
  co_return kept(written, Attempt::moved, chain);
}

}  // namespace

Micros stream_pause(std::int64_t failures) {
  Micros pause = kFirstPause;
  for (std::int64_t i = 1; i < failures && pause < kLongestPause; ++i) pause *= 2;
  pause = std::min<Micros>(pause, kLongestPause);
  return pause - Micros(random_below(static_cast<std::uint64_t>(pause.count()) / 5));
}

Task<Attempt> attempt_stream(std::shared_ptr<const StreamWork> work, TenantId chain) {
  const auto next = co_await find_next(work, chain);
  if (!next) co_return kept(std::unexpected(next.error()), Attempt::idle, chain);
  if (next->batch.skip) co_return co_await keep_skip(work, *next, chain);
  if (next->batch.entries.empty()) co_return Attempt::idle;
  const auto sent = co_await send(work, *next, chain);
  if (!sent) co_return co_await keep_failure(work, *next, chain, sent.error().message);
  co_return co_await keep_success(work, *next, chain);
}

}  // namespace postern::server
