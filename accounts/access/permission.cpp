#include "accounts/access/permission.hpp"

#include <algorithm>
#include <array>

namespace postern::accounts {

namespace {

using enum Permission;

// Which built-in roles have a permission, as letters: Owner, Admin, Editor, Viewer, Postmaster.
struct Row {
  Permission permission;
  std::string_view name;
  Realm realm;
  std::string_view roles;
  std::string_view description;
};

constexpr Realm kTenant = Realm::tenant;
constexpr Realm kPlatform = Realm::platform;

constexpr std::array<Row, kPermissions> kTable{{
    {tenant_read, "tenant.read", kTenant, "OAEVP", "See the tenant's own record"},
    {tenant_update, "tenant.update", kTenant, "OA", "Change the tenant's settings"},
    {domain_create, "domain.create", kTenant, "OA", "Add a domain and see what to publish"},
    {domain_read, "domain.read", kTenant, "OAEVP", "See domains and check their DNS records"},
    {domain_delete, "domain.delete", kTenant, "OA", "Stop hosting a domain"},
    {account_create, "account.create", kTenant, "OAE", "Make mailbox accounts"},
    {account_read, "account.read", kTenant, "OAEVP", "See mailbox accounts"},
    {account_password, "account.password", kTenant, "OA", "Set a mailbox account's password"},
    {account_suspend, "account.suspend", kTenant, "OAE", "Suspend and resume mailbox accounts"},
    {account_grant, "account.grant", kTenant, "OA", "Let an account send as a whole domain"},
    {account_delete, "account.delete", kTenant, "OA", "Delete mailbox accounts with their mail"},
    {credential_create, "credential.create", kTenant, "OA", "Make app passwords"},
    {credential_read, "credential.read", kTenant, "OAEV", "See app passwords' labels and uses"},
    {credential_revoke, "credential.revoke", kTenant, "OAE", "End app passwords"},
    {alias_create, "alias.create", kTenant, "OAE", "Make aliases and catch-alls"},
    {alias_read, "alias.read", kTenant, "OAEVP", "See aliases"},
    {alias_delete, "alias.delete", kTenant, "OAE", "Remove aliases"},
    {queue_read, "queue.read", kTenant, "OAEVP", "See queued mail"},
    {queue_manage, "queue.manage", kTenant, "OAP", "Retry, hold, release and drop queued mail"},
    {message_read, "message.read", kTenant, "OAEVP", "See a message's timeline"},
    {message_send, "message.send", kTenant, "OAE", "Send messages"},
    {message_send_auth, "message.send_auth", kTenant, "OA", "Send in the auth lane"},
    {person_invite, "person.invite", kTenant, "OA", "Invite people to the tenant"},
    {person_read, "person.read", kTenant, "OAEV", "See who belongs to the tenant"},
    {person_update, "person.update", kTenant, "OA", "Change people's roles"},
    {person_remove, "person.remove", kTenant, "OA", "Remove people from the tenant"},
    {role_create, "role.create", kTenant, "OA", "Make custom roles"},
    {role_read, "role.read", kTenant, "OAEV", "See roles"},
    {role_update, "role.update", kTenant, "OA", "Change custom roles"},
    {role_delete, "role.delete", kTenant, "OA", "Remove custom roles"},
    {key_create, "key.create", kTenant, "OA", "Make and rotate API keys"},
    {key_read, "key.read", kTenant, "OAEV", "See API keys' labels and uses"},
    {key_revoke, "key.revoke", kTenant, "OAE", "End API keys"},
    {connection_create, "connection.create", kTenant, "O", "Let an agency or operator act here"},
    {connection_read, "connection.read", kTenant, "OAV", "See who may act here"},
    {connection_revoke, "connection.revoke", kTenant, "OA", "End somebody's acting here"},
    {audit_read, "audit.read", kTenant, "OAP", "Read the tenant's audit trail"},
    {audit_export, "audit.export", kTenant, "OA", "Export the tenant's audit trail"},
    {audit_stream, "audit.stream", kTenant, "OA", "Say where the audit trail is streamed to"},
    {server_read, "server.read", kPlatform, "", "See the server's version and state"},
    {server_backup, "server.backup", kPlatform, "", "Make backups"},
    {tenant_create, "tenant.create", kPlatform, "", "Make tenants"},
    {tenant_list, "tenant.list", kPlatform, "", "See all tenants' records"},
    {tenant_suspend, "tenant.suspend", kPlatform, "", "Suspend and resume tenants"},
    {tenant_delete, "tenant.delete", kPlatform, "", "Delete tenants"},
    {operator_manage, "operator.manage", kPlatform, "", "Make and remove operators"},
    {login_read, "login.read", kPlatform, "", "See who is shut out for guessing passwords"},
    {login_unblock, "login.unblock", kPlatform, "", "Let a login or network in again"},
    {platform_audit, "platform.audit", kPlatform, "", "Read the platform's audit trail"},
}};

consteval bool in_order() {
  for (std::size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<std::size_t>(kTable[i].permission) != i) return false;
  }
  return true;
}
static_assert(in_order(), "the table stands in the order of the enumeration");

const Row& row_of(Permission permission) { return kTable[static_cast<std::size_t>(permission)]; }

struct RoleRow {
  BuiltInRole role;
  std::string_view name;
  char letter;
};
constexpr std::array<RoleRow, kBuiltInRoles> kRoles{{{BuiltInRole::owner, "owner", 'O'},
                                                     {BuiltInRole::admin, "admin", 'A'},
                                                     {BuiltInRole::editor, "editor", 'E'},
                                                     {BuiltInRole::viewer, "viewer", 'V'},
                                                     {BuiltInRole::postmaster, "postmaster", 'P'}}};

// "domain.create", "domain.*" or "*": whether the pattern names the permission.
bool names(std::string_view pattern, std::string_view permission) {
  if (pattern == "*") return true;
  if (!pattern.ends_with(".*")) return pattern == permission;
  return permission.starts_with(pattern.substr(0, pattern.size() - 1));
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

PermissionSet PermissionSet::all(Realm realm) {
  PermissionSet set;
  for (const auto& row : kTable) {
    if (row.realm == realm) set.add(row.permission);
  }
  return set;
}

PermissionSet PermissionSet::everything() {
  PermissionSet set;
  set.bits_.set();
  return set;
}

PermissionSet PermissionSet::operator&(const PermissionSet& other) const {
  PermissionSet set = *this;
  set.bits_ &= other.bits_;
  return set;
}

PermissionSet PermissionSet::operator|(const PermissionSet& other) const {
  PermissionSet set = *this;
  set.bits_ |= other.bits_;
  return set;
}

std::vector<std::string_view> PermissionSet::names() const {
  std::vector<std::string_view> out;
  out.reserve(bits_.count());
  for (const auto& row : kTable) {
    if (has(row.permission)) out.push_back(row.name);
  }
  return out;
}

std::string PermissionSet::text() const {
  std::string out;
  for (const auto name : names()) {
    if (!out.empty()) out += ',';
    out += name;
  }
  return out;
}

std::string_view to_string(Permission permission) { return row_of(permission).name; }
std::string_view description_of(Permission permission) { return row_of(permission).description; }
Realm realm_of(Permission permission) { return row_of(permission).realm; }

std::optional<Permission> parse_permission(std::string_view name) {
  const auto found = std::ranges::find(kTable, name, &Row::name);
  if (found == kTable.end()) return std::nullopt;
  return found->permission;
}

std::optional<PermissionSet> parse_permissions(std::string_view text) {
  PermissionSet set;
  for (bool more = !text.empty(); more;) {
    const auto end = text.find(',');
    const auto pattern = trimmed(text.substr(0, end));
    more = end != std::string_view::npos;
    if (more) text.remove_prefix(end + 1);
    bool known = false;
    for (const auto& row : kTable) {
      if (row.realm != Realm::tenant || !names(pattern, row.name)) continue;
      set.add(row.permission);
      known = true;
    }
    if (!known) return std::nullopt;
  }
  return set;
}

std::string_view to_string(BuiltInRole role) { return kRoles[static_cast<std::size_t>(role)].name; }

std::optional<BuiltInRole> parse_built_in_role(std::string_view name) {
  const auto found = std::ranges::find(kRoles, name, &RoleRow::name);
  if (found == kRoles.end()) return std::nullopt;
  return found->role;
}

PermissionSet permissions_of(BuiltInRole role) {
  PermissionSet set;
  const char letter = kRoles[static_cast<std::size_t>(role)].letter;
  for (const auto& row : kTable) {
    if (row.roles.contains(letter)) set.add(row.permission);
  }
  return set;
}

}  // namespace postern::accounts
