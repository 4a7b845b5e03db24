#include "accounts/audit/stream/stream.hpp"

#include <algorithm>

#include "accounts/audit/rows.hpp"

namespace postern::accounts::audit {

namespace {

TrailStream read_stream(const sql::Statement& row) {
  const auto time_or_none = [&row](int column) {
    return row.is_null(column) ? std::nullopt : std::optional(row.time(column));
  };
  TrailStream stream;
  stream.revision = row.id<StreamRevision>(0);
  stream.origin = row.text(1);
  stream.sealed = row.blob(2);
  stream.cursor = static_cast<std::uint64_t>(row.integer(3));
  stream.delivered = static_cast<std::uint64_t>(row.integer(4));
  stream.skipped = static_cast<std::uint64_t>(row.integer(5));
  stream.delivered_at = time_or_none(6);
  stream.failures = row.integer(7);
  stream.failing_since = time_or_none(8);
  stream.retry_at = time_or_none(9);
  stream.last_error = row.text(10);
  stream.changed = row.time(11);
  return stream;
}

/// Where a chain stands, by its head (not checked).
struct Ends {
  std::uint64_t first = 1;  ///< the oldest record that is kept
  std::uint64_t last = 0;   ///< the newest
};

Ends ends_of(sql::TenantScope& scope) {
  const auto head = read_head(scope);
  if (!head || head->first_number < 1 || head->next_number < 1) return {};
  return {static_cast<std::uint64_t>(head->first_number),
          static_cast<std::uint64_t>(head->next_number - 1)};
}

std::int64_t as_integer(std::uint64_t number) { return static_cast<std::int64_t>(number); }

std::size_t size_of(const Entry& entry) {
  const auto& record = entry.record;
  return record.action.size() + record.actor_id.size() + record.actor.size() +
         record.original_actor.size() + record.address.size() + record.target.size() +
         record.details.size() + record.request_id.size();
}

std::size_t halved(std::size_t whole, std::int64_t times) {
  return std::max<std::size_t>(1, whole >> std::clamp<std::int64_t>(times, 0, 32));
}

std::vector<Entry> read_batch(sql::TenantScope& scope, const TrailStream& stream) {
  const auto limit = halved(kMaxBatch, stream.failures);
  const auto most = halved(kBatchBytes, stream.failures);
  auto rows = scope.prepare("SELECT " AUDIT_COLUMNS
                            " FROM audit_records WHERE tenant_id = :tenant AND number > :after "
                            "ORDER BY number LIMIT :limit");
  rows.bind(":after", as_integer(stream.cursor)).bind(":limit", as_integer(limit));
  std::vector<Entry> entries;
  entries.reserve(limit);
  for (std::size_t bytes = 0; bytes < most && rows.step();) {
    bytes += size_of(entries.emplace_back(read_entry(rows)));
  }
  return entries;
}

Record skip_record(TenantId chain, const Skip& skip, Timestamp now) {
  Record record;
  record.at = now;
  record.action = kStreamSkip;
  record.outcome = Outcome::failure;
  record.target = chain_target(chain);
  record.details =
      canonical({{"count", skip.last - skip.first + 1},
                 {"first", skip.first},
                 {"last", skip.last},
                 {"reason", skip.reason == Skip::Reason::retention ? "retention" : "backlog"}});
  return record;
}

Result<void> demand_change(const sql::TenantScope& scope) {
  if (scope.changes() == 0) return fail(Errc::not_found, "the audit stream was changed meanwhile");
  return {};
}

void insert_stream(sql::TenantScope& scope, const NewStream& fresh, std::uint64_t cursor) {
  scope
      .prepare(
          "INSERT INTO audit_streams (tenant_id, revision, origin, sealed, cursor, delivered, "
          "skipped, failures, last_error, changed_at) VALUES (:tenant, :revision, :origin, "
          ":sealed, :cursor, 0, 0, 0, '', :now)")
      .bind(":revision", fresh.revision)
      .bind_text(":origin", fresh.origin)
      .bind_blob(":sealed", fresh.sealed)
      .bind(":cursor", as_integer(cursor))
      .bind(":now", fresh.now)
      .run();
  scope.transaction()
      .prepare("INSERT INTO audit_stream_list (id) VALUES (:id)")
      .bind(":id", scope.tenant())
      .run();
}

/// Counts nothing anew: what was delivered and skipped belongs to the chain.
bool change_stream(sql::TenantScope& scope, const NewStream& fresh) {
  scope
      .prepare(
          "UPDATE audit_streams SET revision = :revision, origin = :origin, sealed = :sealed, "
          "failures = 0, failing_since = NULL, retry_at = NULL, last_error = '', "
          "changed_at = :now WHERE tenant_id = :tenant")
      .bind(":revision", fresh.revision)
      .bind_text(":origin", fresh.origin)
      .bind_blob(":sealed", fresh.sealed)
      .bind(":now", fresh.now)
      .run();
  return scope.changes() > 0;
}

}  // namespace

std::string stream_context(TenantId chain, StreamRevision revision) {
  return "audit stream " + chain.text() + " " + revision.text();
}

Result<TrailStream> set_stream(sql::TenantScope& scope, const NewStream& fresh) {
  const bool known = change_stream(scope, fresh);
  const auto ends = ends_of(scope);
  // What retention removed before a stream began isn't the stream's to skip.
  const auto cursor =
      std::min(std::max(fresh.after.value_or(ends.last), ends.first - 1), ends.last);
  if (!known) {
    insert_stream(scope, fresh, cursor);
  } else if (fresh.after) {
    scope.prepare("UPDATE audit_streams SET cursor = :cursor WHERE tenant_id = :tenant")
        .bind(":cursor", as_integer(cursor))
        .run();
  }
  return find_stream(scope);
}

Result<TrailStream> find_stream(sql::TenantScope& scope) {
  auto row = scope.prepare(
      "SELECT revision, origin, sealed, cursor, delivered, skipped, delivered_at, failures, "
      "failing_since, retry_at, last_error, changed_at FROM audit_streams "
      "WHERE tenant_id = :tenant");
  if (!row.step()) return fail(Errc::not_found, "the audit trail isn't streamed");
  return read_stream(row);
}

Result<void> remove_stream(sql::TenantScope& scope) {
  scope.prepare("DELETE FROM audit_streams WHERE tenant_id = :tenant").run();
  if (scope.changes() == 0) return fail(Errc::not_found, "the audit trail isn't streamed");
  scope.transaction()
      .prepare("DELETE FROM audit_stream_list WHERE id = :id")
      .bind(":id", scope.tenant())
      .run();
  return {};
}

void wind_back_stream(sql::TenantScope& scope, std::uint64_t newest, Timestamp now) {
  scope
      .prepare(
          "UPDATE audit_streams SET cursor = CASE WHEN cursor > :newest THEN :newest "
          "ELSE cursor END, changed_at = :now WHERE tenant_id = :tenant")
      .bind(":newest", as_integer(newest))
      .bind(":now", now)
      .run();
}

std::vector<TenantId> streamed_chains(sql::Transaction& tx) {
  std::vector<TenantId> chains;
  auto rows = tx.prepare("SELECT id FROM audit_stream_list ORDER BY id");
  while (rows.step()) chains.push_back(rows.id<TenantId>(0));
  return chains;
}

std::uint64_t backlog_of(sql::TenantScope& scope, const TrailStream& stream) {
  const auto last = ends_of(scope).last;
  return last > stream.cursor ? last - stream.cursor : 0;
}

Batch next_batch(sql::TenantScope& scope, const TrailStream& stream, std::uint64_t bound) {
  const auto ends = ends_of(scope);
  Batch batch;
  if (ends.last <= stream.cursor) return batch;
  if (ends.last - stream.cursor > bound) {
    batch.skip = Skip{Skip::Reason::backlog, stream.cursor + 1, ends.last - (bound - bound / 10)};
  }
  const auto cut = ends.first - 1;
  if (cut > stream.cursor && (!batch.skip || cut >= batch.skip->last)) {
    batch.skip = Skip{Skip::Reason::retention, stream.cursor + 1, cut};
  }
  if (!batch.skip) batch.entries = read_batch(scope, stream);
  return batch;
}

Result<void> move_cursor(sql::TenantScope& scope, const TrailStream& was, std::uint64_t last,
                         std::uint64_t count, Timestamp now) {
  scope
      .prepare(
          "UPDATE audit_streams SET cursor = :last, delivered = delivered + :count, "
          "delivered_at = :now, failures = 0, failing_since = NULL, retry_at = NULL, "
          "last_error = '' WHERE tenant_id = :tenant AND revision = :revision AND "
          "changed_at = :changed AND cursor = :cursor")
      .bind(":last", as_integer(last))
      .bind(":count", as_integer(count))
      .bind(":now", now)
      .bind(":revision", was.revision)
      .bind(":changed", was.changed)
      .bind(":cursor", as_integer(was.cursor))
      .run();
  return demand_change(scope);
}

Result<void> skip_records(sql::TenantScope& scope, const Chain& chain, const TrailStream& was,
                          const Skip& skip, Timestamp now) {
  scope
      .prepare(
          "UPDATE audit_streams SET cursor = :last, skipped = skipped + :count "
          "WHERE tenant_id = :tenant AND revision = :revision AND changed_at = :changed AND "
          "cursor = :cursor")
      .bind(":last", as_integer(skip.last))
      .bind(":count", as_integer(skip.last - skip.first + 1))
      .bind(":revision", was.revision)
      .bind(":changed", was.changed)
      .bind(":cursor", as_integer(was.cursor))
      .run();
  if (auto changed = demand_change(scope); !changed) return changed;
  return chain.append(scope.transaction(), scope.tenant(), skip_record(scope.tenant(), skip, now));
}

Result<void> note_failure(sql::TenantScope& scope, const TrailStream& was, std::string_view error,
                          Timestamp now, Timestamp retry_at) {
  scope
      .prepare(
          "UPDATE audit_streams SET failures = failures + 1, "
          "failing_since = COALESCE(failing_since, :now), retry_at = :retry_at, "
          "last_error = :error WHERE tenant_id = :tenant AND revision = :revision AND "
          "changed_at = :changed AND cursor = :cursor")
      .bind(":now", now)
      .bind(":retry_at", retry_at)
      .bind_text(":error", error.substr(0, kMaxStreamError))
      .bind(":revision", was.revision)
      .bind(":changed", was.changed)
      .bind(":cursor", as_integer(was.cursor))
      .run();
  return demand_change(scope);
}

}  // namespace postern::accounts::audit
