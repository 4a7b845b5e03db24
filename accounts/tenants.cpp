#include "accounts/tenants.hpp"

#include <fmt/format.h>

#include "accounts/account.hpp"
#include "accounts/domains.hpp"
#include "accounts/names.hpp"

namespace postern::accounts {

namespace {

#define TENANT_COLUMNS "id, name, status, shard, owner_account, wrapped_data_key, created_at"

Tenant read_tenant(const sql::Statement& row) {
  Tenant tenant;
  tenant.id = row.id<TenantId>(0);
  tenant.name = row.text(1);
  tenant.status = static_cast<Status>(row.integer(2));
  tenant.shard = static_cast<std::uint32_t>(row.integer(3));
  if (!row.is_null(4)) tenant.owner = row.id<AccountId>(4);
  tenant.wrapped_data_key = row.blob(5);
  tenant.created = row.time(6);
  return tenant;
}

/// The shard with the fewest tenants.
std::uint32_t emptiest_shard(sql::Transaction& tx, std::uint32_t shards) {
  std::vector<std::int64_t> tenants(std::max(shards, 1U));
  auto rows = tx.prepare("SELECT shard, COUNT(id) FROM tenants GROUP BY shard");
  while (rows.step()) {
    const auto shard = static_cast<std::size_t>(rows.integer(0));
    if (shard < tenants.size()) tenants[shard] = rows.integer(1);
  }
  return static_cast<std::uint32_t>(std::ranges::min_element(tenants) - tenants.begin());
}

Result<void> demand_change(const sql::Transaction& tx) {
  if (tx.changes() == 0) return fail(Errc::not_found, "no such tenant");
  return {};
}

/// What isn't below a domain, and so wasn't removed with one.
void delete_people_and_keys(sql::Transaction& tx, TenantId id) {
  sql::TenantScope scope(tx, id);
  for (const std::string_view text :
       {std::string_view("DELETE FROM members WHERE tenant_id = :tenant"),
        std::string_view("DELETE FROM roles WHERE tenant_id = :tenant"),
        std::string_view("DELETE FROM api_keys WHERE tenant_id = :tenant"),
        std::string_view("DELETE FROM api_key_usage WHERE tenant_id = :tenant"),
        std::string_view("DELETE FROM connections WHERE tenant_id = :tenant"),
        std::string_view("DELETE FROM outbound_hosts WHERE tenant_id = :tenant")}) {
    scope.prepare(text).run();
  }
  for (const std::string_view text :
       {std::string_view("DELETE FROM memberships WHERE tenant_id = :id"),
        std::string_view("DELETE FROM one_time_tokens WHERE tenant_id = :id"),
        std::string_view("DELETE FROM api_key_digests WHERE tenant_id = :id"),
        std::string_view("DELETE FROM connections_by_grantee WHERE tenant_id = :id")}) {
    tx.prepare(text).bind(":id", id).run();
  }
}

std::unexpected<Error> taken(std::string_view name) {
  return fail(Errc::exists, fmt::format("a tenant named {} is here already", name));
}

Result<Tenant> insert_tenant(sql::Transaction& tx, std::string name, const NewTenant& fresh) {
  Tenant tenant{
      fresh.id,     std::move(name),        Status::active, emptiest_shard(tx, fresh.mail_shards),
      std::nullopt, fresh.wrapped_data_key, fresh.created};
  try {
    tx.prepare(
          "INSERT INTO tenants (id, name, status, shard, wrapped_data_key, revision, created_at) "
          "VALUES (:id, :name, 0, :shard, :key, 0, :created)")
        .bind(":id", tenant.id)
        .bind_text(":name", tenant.name)
        .bind(":shard", tenant.shard)
        .bind_blob(":key", tenant.wrapped_data_key)
        .bind(":created", tenant.created)
        .run();
  } catch (const sql::UniqueViolation&) {
    return taken(tenant.name);
  }
  return tenant;
}

}  // namespace

std::string_view to_string(Status status) {
  return status == Status::active ? "active" : "suspended";
}

Result<Tenant> add_tenant(sql::Transaction& tx, const NewTenant& fresh) {
  auto name = parse_tenant_name(fresh.name);
  if (!name) return std::unexpected(std::move(name.error()));
  if (*name == kPlatformTenant) return taken(*name);
  return insert_tenant(tx, std::move(*name), fresh);
}

Result<Tenant> add_platform_tenant(sql::Transaction& tx, const NewTenant& fresh) {
  return insert_tenant(tx, std::string(kPlatformTenant), fresh);
}

Result<Tenant> find_tenant(sql::Transaction& tx, TenantId id) {
  auto row = tx.prepare("SELECT " TENANT_COLUMNS " FROM tenants WHERE id = :id");
  row.bind(":id", id);
  if (!row.step()) return fail(Errc::not_found, "no such tenant");
  return read_tenant(row);
}

Result<Tenant> find_tenant(sql::Transaction& tx, std::string_view name) {
  const auto parsed = parse_tenant_name(name);
  if (!parsed) return std::unexpected(parsed.error());
  auto row = tx.prepare("SELECT " TENANT_COLUMNS " FROM tenants WHERE name = :name");
  row.bind_text(":name", *parsed);
  if (!row.step()) return fail(Errc::not_found, fmt::format("no tenant is named {}", *parsed));
  return read_tenant(row);
}

std::vector<Tenant> list_tenants(sql::Transaction& tx, std::string_view after, std::size_t limit) {
  auto rows = tx.prepare("SELECT " TENANT_COLUMNS
                         " FROM tenants WHERE name > :after ORDER BY name LIMIT :limit");
  rows.bind_text(":after", after).bind(":limit", static_cast<std::int64_t>(limit));
  std::vector<Tenant> tenants;
  while (rows.step()) tenants.push_back(read_tenant(rows));
  return tenants;
}

Result<void> set_tenant_status(sql::Transaction& tx, TenantId id, Status status) {
  tx.prepare("UPDATE tenants SET status = :status WHERE id = :id")
      .bind(":id", id)
      .bind(":status", static_cast<int>(status))
      .run();
  return demand_change(tx);
}

Result<void> set_tenant_owner(sql::Transaction& tx, TenantId id, AccountId owner) {
  sql::TenantScope scope(tx, id);
  if (const auto account = find_account(scope, owner); !account) {
    return std::unexpected(account.error());
  }
  tx.prepare("UPDATE tenants SET owner_account = :owner WHERE id = :id")
      .bind(":id", id)
      .bind(":owner", owner)
      .run();
  return demand_change(tx);
}

Result<void> remove_tenant(sql::Transaction& tx, TenantId id) {
  // Held first: a domain can't be added meanwhile (see add_domain), nor a member.
  if (auto held = hold_tenant(tx, id); !held) return held;
  constexpr std::size_t kNamed = 3;
  const auto domains = list_domains(tx, id, "", kNamed + 1);
  if (!domains.empty()) {
    std::string names;
    for (std::size_t i = 0; i < std::min(domains.size(), kNamed); ++i) {
      names += (i == 0 ? "" : ", ") + domains[i].name;
    }
    if (domains.size() > kNamed) names += ", ...";
    return fail(Errc::denied, "remove the tenant's domains first: " + names);
  }
  delete_people_and_keys(tx, id);
  tx.prepare("DELETE FROM tenants WHERE id = :id").bind(":id", id).run();
  return {};
}

Result<void> hold_tenant(sql::Transaction& tx, TenantId id) {
  tx.prepare("UPDATE tenants SET revision = revision + 1 WHERE id = :id").bind(":id", id).run();
  return demand_change(tx);
}

#undef TENANT_COLUMNS

}  // namespace postern::accounts
