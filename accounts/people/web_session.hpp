// Console sign-ins: one row a browser. Platform table: a request shows a token before anything else
// is known.
//
// The browser holds a random token, the row its SHA-256; the id is for lists and for revoking, and
// opens nothing. A session ends after a time without requests, at an absolute time, or when it is
// revoked. Address and user agent are the browser's own words, kept to be shown: what isn't
// printable ASCII becomes '?'.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMaxSessions = 100;   ///< of one person; the oldest goes
inline constexpr std::size_t kMaxUserAgent = 256;  ///< octets; the rest is cut off
inline constexpr std::chrono::minutes kIdleTime{30};
inline constexpr std::chrono::minutes kTouchEvery{1};

/// What was shown in a session so far: bits, stored as a number.
enum class Factor : std::uint32_t {
  password = 1,
  totp = 2,
  passkey = 4,
  recovery_code = 8,
  mailed_link = 16,
  mailed_code = 32,
};
using Factors = std::uint32_t;
constexpr Factors bits(Factor factor) { return static_cast<Factors>(factor); }

struct WebSession {
  SessionId id;
  PersonId person;
  Timestamp created;
  Timestamp seen;                     ///< as of kTouchEvery ago
  Timestamp expires;                  ///< however busy it is
  std::optional<Timestamp> verified;  ///< when a second factor was last given
  std::string address;
  std::string user_agent;
  Factors factors = 0;

  [[nodiscard]] bool has(Factor factor) const { return (factors & bits(factor)) != 0; }
  [[nodiscard]] bool runs(Timestamp now, Micros idle) const {
    return now < expires && now < seen + idle;
  }
  /// Whether a touch would write: a request that needn't is spared the writer.
  [[nodiscard]] bool touch_is_due(Timestamp now) const { return now >= seen + kTouchEvery; }
};

/// Errc::not_found (person), Errc::invalid (digest, or an end that is past), Errc::exists. `seen`
/// is not taken.
Result<WebSession> add_session(sql::Transaction& tx, std::string_view token_digest,
                               const WebSession& fresh);
/// Errc::not_found: unknown, ended or timed out, all alike.
Result<WebSession> find_session(sql::Transaction& tx, std::string_view token_digest, Timestamp now,
                                Micros idle = kIdleTime);
/// Counts a request; writes at most once in kTouchEvery.
void touch_session(sql::Transaction& tx, SessionId id, Timestamp now);
/// A second factor was given. Errc::not_found.
Result<void> set_session_verified(sql::Transaction& tx, SessionId id, Factor factor, Timestamp now);
/// Running ones in order of id (oldest first), those after `after` (nil: from the start).
struct SessionPage {
  SessionId after;
  std::size_t limit = kMaxSessions;
  Micros idle = kIdleTime;
};
std::vector<WebSession> list_sessions(sql::Transaction& tx, PersonId person, Timestamp now,
                                      const SessionPage& page = {});

/// Errc::not_found when it is somebody else's.
Result<void> revoke_session(sql::Transaction& tx, PersonId person, SessionId id);
/// How many there were.
std::size_t revoke_sessions(sql::Transaction& tx, PersonId person);
std::size_t revoke_other_sessions(sql::Transaction& tx, PersonId person, SessionId kept);
/// Deletes at most `limit` that are past their absolute end; how many there were.
std::size_t sweep_sessions(sql::Transaction& tx, Timestamp now, std::size_t limit);

}  // namespace postern::accounts
