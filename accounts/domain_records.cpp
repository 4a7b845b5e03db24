#include "accounts/domain_records.hpp"

#include <algorithm>
#include <boost/json/object.hpp>

#include "accounts/people/stored.hpp"
#include "core/log.hpp"

namespace postern::accounts {

namespace {

namespace json = boost::json;

constexpr std::int64_t kMaxRows = 100;  // a domain wants three records and one a key

#define RECORD_COLUMNS                                                                 \
  "purpose, name, status, found, checked_at, first_ok_at, last_ok_at, failing_since, " \
  "confirm_after, drifted_at, told_at"

WatchedRecord read_record(const sql::Statement& row) {
  WatchedRecord record;
  record.purpose = static_cast<RecordPurpose>(row.integer(0));
  record.name = row.text(1);
  record.status = static_cast<RecordStatus>(row.integer(2));
  record.found = row.text(3);
  record.checked = optional_time(row, 4);
  record.first_ok = optional_time(row, 5);
  record.last_ok = optional_time(row, 6);
  record.failing_since = optional_time(row, 7);
  record.confirm_after = optional_time(row, 8);
  record.drifted = optional_time(row, 9);
  record.told = optional_time(row, 10);
  return record;
}

void write_record(sql::TenantScope& scope, std::string_view domain, const WatchedRecord& record) {
  auto row = scope.prepare(
      "INSERT INTO domain_records (tenant_id, domain, purpose, name, status, found, checked_at, "
      "first_ok_at, last_ok_at, failing_since, confirm_after, drifted_at, told_at) VALUES "
      "(:tenant, :domain, :purpose, :name, :status, :found, :checked, :first_ok, :last_ok, "
      ":failing, :confirm, :drifted, :told) ON CONFLICT (tenant_id, domain, purpose, name) DO "
      "UPDATE SET status = :status, found = :found, checked_at = :checked, first_ok_at = "
      ":first_ok, last_ok_at = :last_ok, failing_since = :failing, confirm_after = :confirm, "
      "drifted_at = :drifted, told_at = :told");
  row.bind_text(":domain", domain)
      .bind(":purpose", static_cast<int>(record.purpose))
      .bind_text(":name", record.name)
      .bind(":status", static_cast<int>(record.status))
      .bind_text(":found", record.found);
  bind_optional(row, ":checked", record.checked);
  bind_optional(row, ":first_ok", record.first_ok);
  bind_optional(row, ":last_ok", record.last_ok);
  bind_optional(row, ":failing", record.failing_since);
  bind_optional(row, ":confirm", record.confirm_after);
  bind_optional(row, ":drifted", record.drifted);
  bind_optional(row, ":told", record.told);
  row.run();
}

void remove_record(sql::TenantScope& scope, std::string_view domain, const WatchedRecord& record) {
  scope
      .prepare(
          "DELETE FROM domain_records WHERE tenant_id = :tenant AND domain = :domain AND purpose = "
          ":purpose AND name = :name")
      .bind_text(":domain", domain)
      .bind(":purpose", static_cast<int>(record.purpose))
      .bind_text(":name", record.name)
      .run();
}

ToldTimes find_told_times(sql::Transaction& tx, std::string_view domain) {
  auto row = tx.prepare("SELECT drift_told_at, drift_end_told_at FROM domains WHERE name = :name");
  if (!row.bind_text(":name", domain).step()) return {};
  return {optional_time(row, 0), optional_time(row, 1)};
}

WatchedRecord blank_record(RecordPurpose purpose, std::string name) {
  WatchedRecord record;
  record.purpose = purpose;
  record.name = std::move(name);
  return record;
}

bool is_of(const WatchedRecord& record, const Observation& seen) {
  return record.purpose == seen.purpose && record.name == seen.name;
}

audit::Record record_of(const Domain& domain, const Turned& turned, Timestamp since,
                        Timestamp now) {
  const auto text = [](std::string_view view) { return json::string(view.data(), view.size()); };
  const auto& record = turned.record;
  audit::Record entry;
  entry.at = now;
  entry.action = turned.turn == Turn::drifted ? "domain.drift" : "domain.drift_ended";
  entry.target = "domain:" + domain.name;
  entry.details = audit::canonical({{"purpose", text(to_string(record.purpose))},
                                    {"name", record.name},
                                    {"type", record.purpose == RecordPurpose::mx ? "MX" : "TXT"},
                                    {"status", text(to_string(record.status))},
                                    {"found", record.found},
                                    {"since_microseconds", to_micros(since)}});
  return entry;
}

/// The rows of a domain while one look goes through them.
class Notes {
 public:
  Notes(sql::TenantScope& scope, const audit::Chain& chain, const Domain& domain, const Look& look)
      : scope_(&scope), chain_(&chain), domain_(&domain), look_(&look) {}

  Result<Noted> take() {
    auto rows = list_domain_records(*scope_, domain_->name);
    for (const auto& seen : look_->seen) {
      const auto found =
          std::ranges::find_if(rows, [&](const WatchedRecord& row) { return is_of(row, seen); });
      auto record = blank_record(seen.purpose, seen.name);
      if (found != rows.end()) {
        record = std::move(*found);
        rows.erase(found);
      }
      if (auto taken = observe_one(std::move(record), seen); !taken)
        return std::unexpected(std::move(taken.error()));
    }
    for (auto& left : rows) {
      if (auto forgotten = forget(std::move(left)); !forgotten)
        return std::unexpected(std::move(forgotten.error()));
    }
    return std::move(noted_);
  }

 private:
  Result<void> observe_one(WatchedRecord record, const Observation& seen) {
    const auto since = record.failing_since;
    const auto turn = observe(record, seen, look_->at, look_->timing);
    if (seen.status != RecordStatus::unknown) write_record(*scope_, domain_->name, record);
    noted_.records.push_back(record);
    return turn == Turn::none ? Result<void>{} : enter(turn, std::move(record), since);
  }

  // Wanted no more (a key was removed): nothing to be adrift. What the owners know as adrift stays
  // until they know of the end, as if it were new: that it was published once counts no more.
  Result<void> forget(WatchedRecord record) {
    if (record.told) {
      auto left = blank_record(record.purpose, record.name);
      left.told = record.told;
      write_record(*scope_, domain_->name, left);
      noted_.records.push_back(std::move(left));
    } else {
      remove_record(*scope_, domain_->name, record);
    }
    if (!record.adrift()) return {};
    const auto since = record.failing_since;
    return enter(Turn::ended, std::move(record), since);
  }

  Result<void> enter(Turn turn, WatchedRecord record, std::optional<Timestamp> since) {
    noted_.turned.push_back({turn, std::move(record)});
    return chain_->append(
        scope_->transaction(), scope_->tenant(),
        record_of(*domain_, noted_.turned.back(), since.value_or(look_->at), look_->at));
  }

  sql::TenantScope* scope_;
  const audit::Chain* chain_;
  const Domain* domain_;
  const Look* look_;
  Noted noted_;
};

void log_turned(const Domain& domain, const Noted& noted) {
  for (const auto& [turn, record] : noted.turned) {
    if (turn == Turn::drifted) {
      log::warn("domain_drifted", {{"domain", domain.name},
                                   {"purpose", to_string(record.purpose)},
                                   {"name", record.name},
                                   {"status", to_string(record.status)},
                                   {"found", record.found}});
    } else {
      log::info(
          "domain_drift_ended",
          {{"domain", domain.name}, {"purpose", to_string(record.purpose)}, {"name", record.name}});
    }
  }
}

}  // namespace

WatchCounts count_watched(sql::Transaction& tx) {
  auto row = tx.prepare(
      "SELECT COUNT(1), COALESCE(SUM(drifted), 0) FROM domains WHERE challenge = '' AND status = "
      "0");
  if (!row.step()) return {};
  return {row.integer(0), row.integer(1)};
}

std::vector<WatchedRecord> list_domain_records(sql::TenantScope& scope, std::string_view domain) {
  auto rows = scope.prepare("SELECT " RECORD_COLUMNS
                            " FROM domain_records WHERE tenant_id = :tenant AND domain = :domain "
                            "ORDER BY purpose, name LIMIT :limit");
  rows.bind_text(":domain", domain).bind(":limit", kMaxRows);
  std::vector<WatchedRecord> records;
  while (rows.step()) records.push_back(read_record(rows));
  return records;
}

#undef RECORD_COLUMNS

Result<Noted> note_look(sql::TenantScope& scope, const audit::Chain& chain, const Domain& domain,
                        const Look& look) {
  // Held first, so that the domain can't go meanwhile and leave rows behind.
  if (auto held = hold_domain(scope, domain.name); !held)
    return std::unexpected(std::move(held.error()));
  const auto current = find_proved_domain(scope.transaction(), domain.name);
  if (!current) return std::unexpected(current.error());
  if (current->id != domain.id) return fail(Errc::not_found, "the domain was made anew");
  auto noted = Notes(scope, chain, domain, look).take();
  if (!noted) return noted;
  const auto told = find_told_times(scope.transaction(), domain.name);
  const bool adrift = std::ranges::any_of(noted->records, &WatchedRecord::adrift);
  scope.transaction()
      .prepare("UPDATE domains SET drifted = :drifted, check_at = :next WHERE name = :name")
      .bind_text(":name", domain.name)
      .bind(":drifted", adrift)
      .bind(":next", next_check(noted->records, told, look.at, look.timing))
      .run();
  return noted;
}

Task<Result<Noted>> note_look(Registry& registry, const audit::Chain& chain, Domain domain,
                              Look look) {
  auto noted = co_await registry.note<Noted>([domain, look, &chain](sql::Transaction& tx) {
    sql::TenantScope scope(tx, domain.tenant);
    return note_look(scope, chain, domain, look);
  });
  if (noted) log_turned(domain, *noted);
  co_return noted;
}

Telling find_telling(sql::TenantScope& scope, std::string_view domain, Timestamp now) {
  return to_tell(list_domain_records(scope, domain), find_told_times(scope.transaction(), domain),
                 now);
}

void note_told(sql::TenantScope& scope, std::string_view domain, const Telling& telling,
               Timestamp now, const WatchTiming& timing) {
  const auto set = [&](const std::vector<WatchedRecord>& records, std::optional<Timestamp> told) {
    for (const auto& record : records) {
      auto row = scope.prepare(
          "UPDATE domain_records SET told_at = :told WHERE tenant_id = :tenant AND domain = "
          ":domain AND purpose = :purpose AND name = :name");
      row.bind_text(":domain", domain)
          .bind(":purpose", static_cast<int>(record.purpose))
          .bind_text(":name", record.name);
      bind_optional(row, ":told", told);
      row.run();
    }
  };
  set(telling.drifted, now);
  set(telling.ended, std::nullopt);
  auto& tx = scope.transaction();
  auto times = find_told_times(tx, domain);
  if (!telling.drifted.empty()) {
    times.drift = now;
  } else if (!telling.ended.empty()) {  // in a mail of ends alone
    times.end = now;
  }
  auto row = tx.prepare(
      "UPDATE domains SET drift_told_at = :drift, drift_end_told_at = :end, check_at = :next WHERE "
      "name = :name AND tenant_id = :owner");
  row.bind_text(":name", domain)
      .bind(":owner", scope.tenant())
      .bind(":next", next_check(list_domain_records(scope, domain), times, now, timing));
  bind_optional(row, ":drift", times.drift);
  bind_optional(row, ":end", times.end);
  row.run();
}

void put_off_check(sql::Transaction& tx, std::string_view domain, Timestamp until) {
  tx.prepare("UPDATE domains SET check_at = :until WHERE name = :name")
      .bind_text(":name", domain)
      .bind(":until", until)
      .run();
}

}  // namespace postern::accounts
