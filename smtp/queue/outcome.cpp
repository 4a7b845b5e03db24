#include "smtp/queue/outcome.hpp"

#include <algorithm>

namespace postern::smtp::queue {

namespace {
using Kind = AttemptResult::Kind;

bool is_urgent(Lane lane) { return lane == Lane::auth || lane == Lane::alert; }

// Not later than the moment at which something else must happen to the recipient.
Timestamp bounded(const Envelope& envelope, Timestamp next) {
  next = std::min(next, envelope.expires_at);
  if (envelope.deadline) next = std::min(next, *envelope.deadline);
  return next;
}

void keep_queued(Outcome& outcome, const Envelope& envelope, Timestamp now, Timestamp next) {
  const bool over = now >= envelope.expires_at || (envelope.deadline && now >= *envelope.deadline);
  outcome.state = over ? State::expired : State::queued;
  if (!over) outcome.next_attempt = bounded(envelope, next);
}
}  // namespace

std::chrono::microseconds backoff(const RetryPolicy& policy, Lane lane, std::uint32_t attempts,
                                  std::uint32_t dice) {
  const auto& waits = is_urgent(lane) ? policy.urgent_waits : policy.waits;
  if (waits.empty()) return std::chrono::hours{1};
  const std::size_t index =
      std::min<std::size_t>(attempts == 0 ? 0 : attempts - 1, waits.size() - 1);
  const std::int64_t wait = std::chrono::microseconds(waits[index]).count();
  // Evenly over [wait * (1 - j), wait * (1 + j)].
  const std::int64_t spread = wait / 100 * std::min<std::int64_t>(policy.jitter_percent, 100);
  const auto offset = static_cast<std::int64_t>(static_cast<double>(dice) / 4294967296.0 *
                                                static_cast<double>(2 * spread));
  return std::chrono::microseconds{wait - spread + offset};
}

Outcome decide(const RetryPolicy& policy, const Envelope& envelope, const Recipient& recipient,
               const AttemptResult& result, Timestamp now, std::uint32_t dice) {
  Outcome outcome;
  outcome.recipient = recipient.number;
  outcome.attempts = recipient.attempts;
  outcome.at = now;
  outcome.reply = result.reply;
  outcome.remote_mta = result.remote_mta;
  outcome.delay_reported = recipient.delay_reported;
  switch (result.kind) {
    case Kind::delivered:
      outcome.state = State::delivered;
      ++outcome.attempts;
      break;
    case Kind::failed:
      outcome.state = State::failed;
      ++outcome.attempts;
      break;
    case Kind::late:
      outcome.state = State::expired;
      // The last thing a peer said tells more than that time is over.
      if (recipient.last_reply.code != 0) {
        outcome.reply = recipient.last_reply;
        outcome.remote_mta = recipient.remote_mta;
      }
      break;
    case Kind::postponed: keep_queued(outcome, envelope, now, now + policy.postponement); break;
    case Kind::deferred:
      ++outcome.attempts;
      keep_queued(outcome, envelope, now,
                  now + backoff(policy, envelope.lane, outcome.attempts, dice));
      if (outcome.state == State::queued && now - envelope.created_at >= policy.delay_warning) {
        outcome.delay_reported = true;
      }
      break;
  }
  return outcome;
}

}  // namespace postern::smtp::queue
