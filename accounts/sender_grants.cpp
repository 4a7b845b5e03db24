#include "accounts/sender_grants.hpp"

#include "accounts/account.hpp"
#include "accounts/domains.hpp"

namespace postern::accounts {

Result<void> grant_domain(sql::TenantScope& scope, AccountId id, std::string_view domain) {
  const auto name = parse_domain(domain);
  if (!name) return std::unexpected(name.error());
  if (auto held = hold_account(scope, id); !held) return held;
  if (auto held = hold_domain(scope, *name); !held) return held;
  scope
      .prepare(
          "INSERT INTO sender_grants (tenant_id, account_id, domain) VALUES (:tenant, :account, "
          ":domain) "
          "ON CONFLICT (tenant_id, account_id, domain) DO NOTHING")
      .bind(":account", id)
      .bind_text(":domain", *name)
      .run();
  return {};
}

Result<void> revoke_domain_grant(sql::TenantScope& scope, AccountId id, std::string_view domain) {
  const auto name = parse_domain(domain);
  if (!name) return std::unexpected(name.error());
  scope
      .prepare(
          "DELETE FROM sender_grants WHERE tenant_id = :tenant AND account_id = :account "
          "AND domain = :domain")
      .bind(":account", id)
      .bind_text(":domain", *name)
      .run();
  if (scope.changes() == 0) return fail(Errc::not_found, "no such grant");
  return {};
}

std::vector<std::string> list_domain_grants(sql::TenantScope& scope, AccountId id) {
  auto rows = scope.prepare(
      "SELECT domain FROM sender_grants WHERE tenant_id = :tenant "
      "AND account_id = :account ORDER BY domain");
  rows.bind(":account", id);
  std::vector<std::string> domains;
  while (rows.step()) domains.emplace_back(rows.text(0));
  return domains;
}

bool has_domain_grant(sql::TenantScope& scope, AccountId id, std::string_view domain) {
  auto row = scope.prepare(
      "SELECT domain FROM sender_grants WHERE tenant_id = :tenant "
      "AND account_id = :account AND domain = :domain");
  return row.bind(":account", id).bind_text(":domain", domain).step();
}

}  // namespace postern::accounts
