// What a caller may be allowed to do: one permission for each resource and verb, and sets of them.
//
// The table in permission.cpp is the one list: names, what they allow, and which built-in role has
// them. Routes name the permission that they need; API keys and custom roles hold subsets. A
// permission's number is never stored: names are.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::accounts {

enum class Permission : std::uint8_t {
  // Of one tenant's things.
  tenant_read,
  tenant_update,
  domain_create,
  domain_read,
  domain_delete,
  account_create,
  account_read,
  account_password,
  account_suspend,
  account_grant,
  account_delete,
  credential_create,
  credential_read,
  credential_revoke,
  alias_create,
  alias_read,
  alias_delete,
  queue_read,
  queue_manage,
  message_read,
  message_send,
  message_send_auth,
  person_invite,
  person_read,
  person_update,
  person_remove,
  role_create,
  role_read,
  role_update,
  role_delete,
  key_create,
  key_read,
  key_revoke,
  connection_create,
  connection_read,
  connection_revoke,
  audit_read,
  audit_export,
  audit_stream,
  // Of the platform.
  server_read,
  server_backup,
  tenant_create,
  tenant_list,
  tenant_suspend,
  tenant_delete,
  operator_manage,
  login_read,
  login_unblock,
  platform_audit,
};
inline constexpr std::size_t kPermissions =
    static_cast<std::size_t>(Permission::platform_audit) + 1;

/// Whose things a permission is about: a tenant's, or the platform's. No role of a tenant and no
/// API key can hold one of the platform's.
enum class Realm : std::uint8_t { tenant, platform };

/// The roles that a tenant begins with. Owner is also a flag of its own (people/member.hpp): who
/// holds it can't be removed by others.
enum class BuiltInRole : std::uint8_t { owner, admin, editor, viewer, postmaster };
inline constexpr std::size_t kBuiltInRoles = 5;

class PermissionSet {
 public:
  PermissionSet() = default;
  /// All permissions of a realm.
  static PermissionSet all(Realm realm);
  static PermissionSet everything();

  [[nodiscard]] bool has(Permission permission) const { return bits_.test(index(permission)); }
  [[nodiscard]] bool empty() const { return bits_.none(); }
  [[nodiscard]] bool contains(const PermissionSet& other) const {
    return (other.bits_ & ~bits_).none();
  }
  void add(Permission permission) { bits_.set(index(permission)); }
  /// What both hold: a key never has more than it was given, and than its maker has.
  [[nodiscard]] PermissionSet operator&(const PermissionSet& other) const;
  [[nodiscard]] PermissionSet operator|(const PermissionSet& other) const;
  bool operator==(const PermissionSet&) const = default;

  /// In the order of the table.
  [[nodiscard]] std::vector<std::string_view> names() const;
  /// Comma-separated names, the form in which sets are stored.
  [[nodiscard]] std::string text() const;

 private:
  static std::size_t index(Permission permission) { return static_cast<std::size_t>(permission); }
  std::bitset<kPermissions> bits_;
};

std::string_view to_string(Permission permission);  ///< "domain.create"
std::string_view description_of(Permission permission);
Realm realm_of(Permission permission);
/// nullopt: no such permission.
std::optional<Permission> parse_permission(std::string_view name);
/// Names separated by commas; "domain.*" and "*" (a tenant's all) are understood. nullopt when any
/// is unknown or of the platform.
std::optional<PermissionSet> parse_permissions(std::string_view text);

std::string_view to_string(BuiltInRole role);  ///< "owner"
std::optional<BuiltInRole> parse_built_in_role(std::string_view name);
PermissionSet permissions_of(BuiltInRole role);

}  // namespace postern::accounts
