// Accounts: an address that receives mail and logs in. Tenant tables: functions take a TenantScope.
//
// The folders of an account (INBOX and the rest) live in the tenant's mail shard and are made there
// when they are first needed; this is who they belong to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/names.hpp"
#include "accounts/tenants.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

struct Account {
  AccountId id;
  TenantId tenant;
  Address address;
  std::string display_name;
  Status status = Status::active;
  Timestamp created;
};

struct NewAccount {
  AccountId id;
  Address address;           ///< its domain must be the scope's tenant's
  std::string display_name;  ///< may be empty
  Timestamp created;
};

/// Errc::exists when an account or alias has that address, Errc::not_found when the domain isn't
/// the tenant's, Errc::invalid for a local part with the detail separator (it could never be told
/// from a sub-address). A tenant's first account becomes its owner.
Result<Account> add_account(sql::TenantScope& scope, const NewAccount& fresh);
Result<Account> find_account(sql::TenantScope& scope, AccountId id);
Result<Account> find_account(sql::TenantScope& scope, const Address& address);
/// In order of (domain, local part), those after `after` (empty: from the start).
std::vector<Account> list_accounts(sql::TenantScope& scope, const Address& after,
                                   std::size_t limit);
Result<void> set_account_status(sql::TenantScope& scope, AccountId id, Status status);
/// Its credentials, grants, and alias and catch-all entries that lead to it go with it; its name
/// goes out of narrowings.
/// Errc::denied for the tenant's owner while the tenant has other accounts.
Result<void> remove_account(sql::TenantScope& scope, AccountId id);

/// What remove_account leaves in the outbox of control.db, for whoever keeps the account's mail.
inline constexpr std::string_view kAccountRemoved = "account.removed";
struct RemovedAccount {
  TenantId tenant;
  AccountId account;
  std::uint32_t shard = 0;
  std::string address;
};
/// A payload of that topic; Errc::corrupt.
Result<RemovedAccount> parse_removed_account(std::string_view payload);

/// Finds the tenant by the address's domain: how a verb that names only an address gets its scope.
Result<Account> locate_account(sql::Transaction& tx, const Address& address);

/// For what is about to be added to an account: Errc::not_found unless it is the scope's tenant's.
/// Updates its row, so that it can't go meanwhile.
Result<void> hold_account(sql::TenantScope& scope, AccountId id);

}  // namespace postern::accounts
