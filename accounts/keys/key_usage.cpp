#include "accounts/keys/key_usage.hpp"

#include <chrono>

#include "accounts/people/stored.hpp"

namespace postern::accounts {

namespace {

KeyUsage read_usage(const sql::Statement& row) {
  return {static_cast<Month>(row.integer(0)), static_cast<std::uint64_t>(row.integer(1)),
          static_cast<std::uint64_t>(row.integer(2))};
}

}  // namespace

Month month_of(Timestamp time) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(time)};
  return static_cast<int>(day.year()) * 100 +
         static_cast<Month>(static_cast<unsigned>(day.month()));
}

Result<void> add_key_usage(sql::TenantScope& scope, ApiKeyId key, const KeyUsage& more) {
  // From the key's row: no counts for what isn't (any more) the tenant's.
  scope
      .prepare(
          "INSERT INTO api_key_usage (tenant_id, key_id, month, reads, writes) "
          "SELECT :tenant, id, :month, :reads, :writes FROM api_keys WHERE tenant_id = :tenant "
          "AND id = :key ON CONFLICT (tenant_id, key_id, month) DO UPDATE SET "
          "reads = api_key_usage.reads + excluded.reads, "
          "writes = api_key_usage.writes + excluded.writes")
      .bind(":key", key)
      .bind(":month", more.month)
      .bind(":reads", static_cast<std::int64_t>(more.reads))
      .bind(":writes", static_cast<std::int64_t>(more.writes))
      .run();
  if (scope.changes() == 0) return fail(Errc::not_found, "no such API key");
  return {};
}

KeyUsage read_key_usage(sql::TenantScope& scope, ApiKeyId key, Month month) {
  auto row = scope.prepare(
      "SELECT month, reads, writes FROM api_key_usage WHERE tenant_id = :tenant "
      "AND key_id = :key AND month = :month");
  row.bind(":key", key).bind(":month", month);
  if (!row.step()) return {month, 0, 0};
  return read_usage(row);
}

std::vector<KeyUsage> list_key_usage(sql::TenantScope& scope, ApiKeyId key, Month after,
                                     std::size_t limit) {
  auto rows = scope.prepare(
      "SELECT month, reads, writes FROM api_key_usage WHERE tenant_id = :tenant "
      "AND key_id = :key AND month > :after ORDER BY month LIMIT :limit");
  rows.bind(":key", key).bind(":after", after).bind(":limit", as_integer(limit));
  std::vector<KeyUsage> usage;
  while (rows.step()) usage.push_back(read_usage(rows));
  return usage;
}

}  // namespace postern::accounts
