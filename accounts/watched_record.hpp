// One DNS record of a hosted domain as it was seen over time: whether it drifted away from what is
// wanted, and who has to hear of it. Plain values and rules; no storage (domain_records.hpp), no
// DNS.
//
// Rules:
// - What couldn't be looked up (RecordStatus::unknown) changes nothing.
// - A record that never was as wanted is not published yet; it can't drift.
// - Drift is what two looks saw, the second when the first one's answer has left every cache
//   (kMaxCached counts for any longer TTL) and WatchTiming::recheck_after has passed at the least.
//   One look that is good ends it.
// - A domain's owners get at most one mail of drift a day, and one of its end: the end is told when
//   nothing is adrift any more, and only of what they were told. Flapping in between is silent. An
//   end that a mail of new drift tells along isn't a mail of the end.
//
// Untrusted: Observation::found comes from DNS; found_text() makes it short and printable.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"

namespace postern::accounts {

// Both are stored as numbers.
enum class RecordPurpose : std::uint8_t { proof = 0, mx = 1, spf = 2, dkim = 3, dmarc = 4 };
enum class RecordStatus : std::uint8_t {
  ok = 0,
  missing = 1,
  different = 2,
  unknown = 3,  ///< DNS gave no answer
  gone = 4,     ///< missing, and so is the whole domain (NXDOMAIN)
};
std::string_view to_string(RecordPurpose purpose);
std::string_view to_string(RecordStatus status);

inline constexpr std::size_t kMaxFound = 500;        ///< octets of found_text()
inline constexpr std::chrono::hours kMailEvery{24};  ///< mails of one kind about one domain
inline constexpr std::chrono::hours kMaxCached{24};  ///< resolvers keep an answer no longer

/// What DNS answered, for people to read: printable ASCII, at most kMaxFound octets.
std::string found_text(const std::vector<std::string>& found);

/// One look.
struct Observation {
  RecordPurpose purpose = RecordPurpose::mx;
  std::string name;  ///< of the record, without the final dot
  RecordStatus status = RecordStatus::unknown;
  std::string found{};          ///< see found_text()
  std::chrono::seconds ttl{0};  ///< how long the answer may be told again by a cache
};

struct WatchTiming {
  Micros check_every = std::chrono::hours(6);
  Micros recheck_after = std::chrono::minutes(10);  ///< no more than check_every
};

struct WatchedRecord {
  RecordPurpose purpose = RecordPurpose::mx;
  std::string name;
  RecordStatus status = RecordStatus::unknown;  ///< at the last look that got an answer
  std::string found;
  std::optional<Timestamp> checked;
  std::optional<Timestamp> first_ok;  ///< absent: never published
  std::optional<Timestamp> last_ok;
  std::optional<Timestamp> failing_since;  ///< the first bad look in a row, of what was good before
  std::optional<Timestamp> confirm_after;  ///< from when on a bad look counts as the second
  std::optional<Timestamp> drifted;        ///< when the second one was; absent: no drift
  std::optional<Timestamp> told;           ///< when a mail told of drift whose end none told yet

  [[nodiscard]] bool adrift() const { return drifted.has_value(); }
};

enum class Turn : std::uint8_t { none, drifted, ended };
/// Takes one look into account.
Turn observe(WatchedRecord& record, const Observation& seen, Timestamp now,
             const WatchTiming& timing);

/// When a domain's last mails left.
struct ToldTimes {
  std::optional<Timestamp> drift;
  std::optional<Timestamp> end;
};
/// What one mail has to tell now.
struct Telling {
  std::vector<WatchedRecord> drifted;
  std::vector<WatchedRecord> ended;
  [[nodiscard]] bool empty() const { return drifted.empty() && ended.empty(); }
};
Telling to_tell(const std::vector<WatchedRecord>& records, const ToldTimes& told, Timestamp now);

/// When to look next: sooner where a bad look waits for its second, or a mail for being sent.
Timestamp next_check(const std::vector<WatchedRecord>& records, const ToldTimes& told,
                     Timestamp now, const WatchTiming& timing);

}  // namespace postern::accounts
