// What an attempt made of one recipient, and what follows from it: the retry policy.
//
// Pure functions of the envelope, the recipient's history, the result and the time. No database.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "smtp/queue/message.hpp"

namespace postern::smtp::queue {

/// What the transport says about one recipient after one try.
struct AttemptResult {
  enum class Kind : std::uint8_t {
    delivered,  ///< the next hop took responsibility (2xx), or the mailbox has it
    deferred,   ///< for now: try again by the backoff
    failed,     ///< for good
    postponed,  ///< not really tried (peer's recipient limit, destination busy): soon again, no try
                ///< counted
    late,       ///< its deadline passed before anything was tried
  };
  std::uint32_t recipient = 0;
  Kind kind = Kind::deferred;
  Reply reply;             ///< the peer's words, or ours where no peer spoke
  std::string remote_mta;  ///< who said it: host name; empty when no peer spoke
  /// Whether the next hop promised to report by itself (it offers DSN, RFC 3461 §5.2.1).
  enum class Reports : std::uint8_t { no, yes } peer_reports = Reports::no;
};

/// What is written for the recipient.
struct Outcome {
  std::uint32_t recipient = 0;
  State state = State::queued;
  std::optional<Timestamp> next_attempt;  ///< when still queued
  std::uint32_t attempts = 0;
  Timestamp at{};
  Reply reply;
  std::string remote_mta;
  bool delay_reported = false;
};

struct RetryPolicy {
  /// Waits before the 2nd, 3rd... try; the last one repeats.
  std::vector<std::chrono::seconds> waits{std::chrono::minutes{1},  std::chrono::minutes{5},
                                          std::chrono::minutes{15}, std::chrono::minutes{30},
                                          std::chrono::hours{1},    std::chrono::hours{2},
                                          std::chrono::hours{4}};
  /// For the auth and alert lanes, whose mail is worth little when late.
  std::vector<std::chrono::seconds> urgent_waits{std::chrono::seconds{10}, std::chrono::seconds{30},
                                                 std::chrono::minutes{1},  std::chrono::minutes{2},
                                                 std::chrono::minutes{5},  std::chrono::minutes{15},
                                                 std::chrono::hours{1}};
  std::uint32_t jitter_percent = 20;  ///< a wait w becomes w * (1 - j .. 1 + j)
  std::chrono::seconds expiry = std::chrono::days{5};
  std::chrono::seconds delay_warning = std::chrono::hours{4};
  std::chrono::seconds postponement{5};
};

/// The wait before the next try after `attempts` tries (1 or more). `dice`: uniform in [0, 2^32).
std::chrono::microseconds backoff(const RetryPolicy& policy, Lane lane, std::uint32_t attempts,
                                  std::uint32_t dice);

/// What follows for a recipient from its result. The next attempt never lies after expires_at (the
/// last try happens then) or after the deadline (the recipient is dropped then).
Outcome decide(const RetryPolicy& policy, const Envelope& envelope, const Recipient& recipient,
               const AttemptResult& result, Timestamp now, std::uint32_t dice);

}  // namespace postern::smtp::queue
