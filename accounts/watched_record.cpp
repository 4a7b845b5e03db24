#include "accounts/watched_record.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "accounts/people/stored.hpp"

namespace postern::accounts {

namespace {

constexpr std::size_t kMaxShown = 200;  // octets of one record's text

bool day_has_passed(std::optional<Timestamp> last, Timestamp now) {
  return !last || now - *last >= kMailEvery;
}

Timestamp confirm_time(const Observation& seen, Timestamp now, const WatchTiming& timing) {
  const auto cached = std::min<Micros>(seen.ttl, kMaxCached);
  return now + std::max(timing.recheck_after, cached);
}

}  // namespace

std::string_view to_string(RecordPurpose purpose) {
  switch (purpose) {
    case RecordPurpose::proof: return "proof";
    case RecordPurpose::mx: return "mx";
    case RecordPurpose::spf: return "spf";
    case RecordPurpose::dkim: return "dkim";
    case RecordPurpose::dmarc: return "dmarc";
  }
  return "";
}

std::string_view to_string(RecordStatus status) {
  switch (status) {
    case RecordStatus::ok: return "ok";
    case RecordStatus::missing: return "missing";
    case RecordStatus::different: return "different";
    case RecordStatus::unknown: return "unknown";
    case RecordStatus::gone: return "gone";
  }
  return "";
}

std::string found_text(const std::vector<std::string>& found) {
  std::string out;
  for (const auto& text : found) {
    auto shown = shown_text(text, kMaxShown);
    if (text.size() > kMaxShown) shown += fmt::format("...({} octets)", text.size());
    if (!out.empty()) shown.insert(0, " | ");
    const auto more = fmt::format("...({} records)", found.size());
    if (out.size() + shown.size() + more.size() > kMaxFound) return out + more;
    out += shown;
  }
  return out;
}

Turn observe(WatchedRecord& record, const Observation& seen, Timestamp now,
             const WatchTiming& timing) {
  if (seen.status == RecordStatus::unknown) return Turn::none;
  record.status = seen.status;
  record.found = seen.found;
  record.checked = now;
  if (seen.status == RecordStatus::ok) {
    const bool was_adrift = record.adrift();
    if (!record.first_ok) record.first_ok = now;
    record.last_ok = now;
    record.failing_since.reset();
    record.confirm_after.reset();
    record.drifted.reset();
    return was_adrift ? Turn::ended : Turn::none;
  }
  if (!record.first_ok || record.adrift()) return Turn::none;
  if (!record.failing_since) {
    record.failing_since = now;
    record.confirm_after = confirm_time(seen, now, timing);
    return Turn::none;
  }
  if (now < *record.confirm_after) return Turn::none;
  record.drifted = now;
  return Turn::drifted;
}

Telling to_tell(const std::vector<WatchedRecord>& records, const ToldTimes& told, Timestamp now) {
  Telling telling;
  for (const auto& record : records) {
    if (record.adrift() && !record.told) telling.drifted.push_back(record);
    if (!record.adrift() && record.told) telling.ended.push_back(record);
  }
  if (!day_has_passed(told.drift, now)) telling.drifted.clear();
  const bool all_over = std::ranges::none_of(records, &WatchedRecord::adrift);
  if (telling.drifted.empty() && !(all_over && day_has_passed(told.end, now)))
    telling.ended.clear();
  return telling;
}

Timestamp next_check(const std::vector<WatchedRecord>& records, const ToldTimes& told,
                     Timestamp now, const WatchTiming& timing) {
  auto next = now + timing.check_every;
  if (!to_tell(records, told, now).empty()) next = std::min(next, now + timing.recheck_after);
  for (const auto& record : records) {
    if (!record.confirm_after || record.adrift()) continue;
    // In the past: the second look got no answer.
    const bool due = *record.confirm_after <= now;
    next = std::min(next, due ? now + timing.recheck_after : *record.confirm_after);
  }
  return next;
}

}  // namespace postern::accounts
