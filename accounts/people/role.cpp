#include "accounts/people/role.hpp"

#include <fmt/format.h>

#include "accounts/names.hpp"
#include "accounts/people/stored.hpp"
#include "accounts/tenants.hpp"
#include "core/ascii.hpp"

namespace postern::accounts {

namespace {

#define ROLE_COLUMNS "id, name, permissions, created_at"

Role read_role(const sql::Statement& row) {
  return {row.id<RoleId>(0), std::string(row.text(1)), read_permissions(row.text(2)), row.time(3)};
}

struct Texts {
  std::string name;
  std::string permissions;
};

Result<Texts> checked(std::string_view name, const PermissionSet& permissions) {
  auto label = parse_label(name);
  if (!label) return std::unexpected(std::move(label.error()));
  if (parse_built_in_role(ascii::to_lower(*label))) {
    return fail(Errc::exists, fmt::format("{} is a built-in role", *label));
  }
  auto text = permissions_text(permissions);
  if (!text) return std::unexpected(std::move(text.error()));
  return Texts{std::move(*label), std::move(*text)};
}

std::unexpected<Error> taken(const std::string& name) {
  return fail(Errc::exists, fmt::format("a role named {} is here already", name));
}

Result<void> make_room(sql::TenantScope& scope) {
  if (auto held = hold_tenant(scope.transaction(), scope.tenant()); !held) return held;
  auto count = scope.prepare("SELECT COUNT(1) FROM roles WHERE tenant_id = :tenant");
  if (count.step() && count.integer(0) >= as_integer(kMaxRoles)) {
    return fail(Errc::too_large,
                fmt::format("a tenant has at most {} roles of its own", kMaxRoles));
  }
  return {};
}

std::optional<RoleId> parse_role_id(std::string_view text) {
  const auto id = parse_uuid(text);
  // One spelling only: what is stored is compared as text.
  if (!id || to_string(*id) != text) return std::nullopt;
  return RoleId{*id};
}

}  // namespace

Result<Role> add_role(sql::TenantScope& scope, const Role& fresh) {
  const auto texts = checked(fresh.name, fresh.permissions);
  if (!texts) return std::unexpected(texts.error());
  if (auto room = make_room(scope); !room) return std::unexpected(std::move(room.error()));
  try {
    scope
        .prepare(
            "INSERT INTO roles (tenant_id, id, name, permissions, created_at) "
            "VALUES (:tenant, :id, :name, :permissions, :created)")
        .bind(":id", fresh.id)
        .bind_text(":name", texts->name)
        .bind_text(":permissions", texts->permissions)
        .bind(":created", fresh.created)
        .run();
  } catch (const sql::UniqueViolation&) {
    return taken(texts->name);
  }
  return Role{fresh.id, texts->name, fresh.permissions, fresh.created};
}

Result<Role> find_role(sql::TenantScope& scope, RoleId id) {
  auto row =
      scope.prepare("SELECT " ROLE_COLUMNS " FROM roles WHERE tenant_id = :tenant AND id = :id");
  row.bind(":id", id);
  if (!row.step()) return fail(Errc::not_found, "no such role");
  return read_role(row);
}

std::vector<Role> list_roles(sql::TenantScope& scope, std::string_view after, std::size_t limit) {
  auto rows = scope.prepare("SELECT " ROLE_COLUMNS
                            " FROM roles WHERE tenant_id = :tenant AND name > :after "
                            "ORDER BY name LIMIT :limit");
  rows.bind_text(":after", after).bind(":limit", as_integer(limit));
  std::vector<Role> roles;
  while (rows.step()) roles.push_back(read_role(rows));
  return roles;
}

Result<void> update_role(sql::TenantScope& scope, RoleId id, std::string_view name,
                         const PermissionSet& permissions) {
  const auto texts = checked(name, permissions);
  if (!texts) return std::unexpected(texts.error());
  try {
    scope
        .prepare(
            "UPDATE roles SET name = :name, permissions = :permissions WHERE tenant_id = :tenant "
            "AND id = :id")
        .bind(":id", id)
        .bind_text(":name", texts->name)
        .bind_text(":permissions", texts->permissions)
        .run();
  } catch (const sql::UniqueViolation&) {
    return taken(texts->name);
  }
  if (scope.changes() == 0) return fail(Errc::not_found, "no such role");
  return {};
}

Result<void> remove_role(sql::TenantScope& scope, RoleId id) {
  // Whoever gives a role holds the tenant too.
  if (auto held = hold_tenant(scope.transaction(), scope.tenant()); !held) return held;
  auto member = scope.prepare(
      "SELECT person_id FROM members WHERE tenant_id = :tenant AND role = :role LIMIT 1");
  member.bind_text(":role", id.text());
  if (member.step()) return fail(Errc::denied, "members have this role: give them another first");
  scope.prepare("DELETE FROM roles WHERE tenant_id = :tenant AND id = :id").bind(":id", id).run();
  if (scope.changes() == 0) return fail(Errc::not_found, "no such role");
  return {};
}

Result<void> check_role(sql::TenantScope& scope, std::string_view role) {
  if (parse_built_in_role(role)) return {};
  const auto id = parse_role_id(role);
  if (!id) return fail(Errc::not_found, "no such role");
  if (const auto found = find_role(scope, *id); !found) return std::unexpected(found.error());
  return {};
}

PermissionSet role_permissions(sql::TenantScope& scope, std::string_view role) {
  if (const auto built_in = parse_built_in_role(role)) return permissions_of(*built_in);
  const auto id = parse_role_id(role);
  if (!id) return {};
  const auto found = find_role(scope, *id);
  return found ? found->permissions : PermissionSet{};
}

#undef ROLE_COLUMNS

}  // namespace postern::accounts
