// A tenant's own roles: named sets of permissions beside the built-in ones (access/permission.hpp).
// Tenant table `roles`.
//
// A member's role is text: a built-in role's name, or the id of one of these. No id reads like a
// name, and no name of these reads like a built-in role's. Whether somebody may give permissions
// that they don't have themselves is the caller's check.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/access/permission.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMaxRoles = 100;  ///< of one tenant

struct Role {
  RoleId id;
  std::string name;           ///< see parse_label; unique in the tenant
  PermissionSet permissions;  ///< of a tenant's realm, at least one
  Timestamp created;
};

/// Errc::invalid (name, permissions), Errc::exists (the name), Errc::too_large (kMaxRoles).
Result<Role> add_role(sql::TenantScope& scope, const Role& fresh);
Result<Role> find_role(sql::TenantScope& scope, RoleId id);
/// In order of name, those after `after`; at most `limit`.
std::vector<Role> list_roles(sql::TenantScope& scope, std::string_view after, std::size_t limit);
/// Counts for its members at once. As add_role, and Errc::not_found.
Result<void> update_role(sql::TenantScope& scope, RoleId id, std::string_view name,
                         const PermissionSet& permissions);
/// Errc::denied while a member has it.
Result<void> remove_role(sql::TenantScope& scope, RoleId id);

/// Of a member's role text: Errc::not_found when it is no role here. Hold the tenant first
/// (hold_tenant), so that the role can't go meanwhile.
Result<void> check_role(sql::TenantScope& scope, std::string_view role);
/// Nothing, where the role is none.
PermissionSet role_permissions(sql::TenantScope& scope, std::string_view role);

}  // namespace postern::accounts
