// Tenants: who rents a part of the server. A platform table: functions take the plain transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

/// What can be switched off without losing anything: tenants, domains, accounts. Stored as numbers.
enum class Status : std::uint8_t { active = 0, suspended = 1 };
std::string_view to_string(Status status);

/// The server's own tenant (platform_tenant.hpp): no other takes this name, since mail to
/// everybody's users waits under its key.
inline constexpr std::string_view kPlatformTenant = "postern-platform";

struct Tenant {
  TenantId id;
  std::string name;
  Status status = Status::active;
  std::uint32_t shard = 0;         ///< which mail-NN.db; for life
  std::optional<AccountId> owner;  ///< gets postmaster@ and abuse@; the first account by default
  std::string wrapped_data_key;    ///< from storage::Keystore::make_wrapped_data_key
  Timestamp created;
};

struct NewTenant {
  TenantId id;
  std::string name;               ///< see parse_tenant_name
  std::uint32_t mail_shards = 1;  ///< how many there are; the emptiest is taken
  std::string wrapped_data_key;
  Timestamp created;
};

/// Errc::invalid (name), Errc::exists (of kPlatformTenant too).
Result<Tenant> add_tenant(sql::Transaction& tx, const NewTenant& fresh);
/// kPlatformTenant, whatever `fresh` is named. Errc::exists.
Result<Tenant> add_platform_tenant(sql::Transaction& tx, const NewTenant& fresh);
Result<Tenant> find_tenant(sql::Transaction& tx, TenantId id);
Result<Tenant> find_tenant(sql::Transaction& tx, std::string_view name);
/// In order of name, those after `after`; at most `limit`.
std::vector<Tenant> list_tenants(sql::Transaction& tx, std::string_view after, std::size_t limit);
Result<void> set_tenant_status(sql::Transaction& tx, TenantId id, Status status);
/// The account must be the tenant's.
Result<void> set_tenant_owner(sql::Transaction& tx, TenantId id, AccountId owner);
/// Errc::denied while it has domains (the message names some). With the row goes the wrapped data
/// key: what is left of the tenant's mail can't be opened again. Its members, roles, API keys,
/// connections and open invitations go too; the people stay.
Result<void> remove_tenant(sql::Transaction& tx, TenantId id);

/// For what is counted or compared over all rows of a tenant: Errc::not_found when there is no such
/// tenant. Updates its row, so that nobody else does the same meanwhile, and the tenant can't go.
Result<void> hold_tenant(sql::Transaction& tx, TenantId id);

}  // namespace postern::accounts
