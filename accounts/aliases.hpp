// Aliases: an address that stands for others of the same tenant; and a domain's catch-all.
//
// Targets are accounts or other aliases of the same tenant: forwarding to other hosts is not
// offered here. Chains are bounded by kAliasDepth and may not close.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/names.hpp"
#include "core/result.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

inline constexpr int kAliasDepth = 8;  ///< aliases behind aliases
inline constexpr std::size_t kMaxAliasTargets =
    1000;  ///< of one alias, and mailboxes of one expansion

struct Alias {
  Address address;
  std::vector<Address> targets;
};

/// Adds targets to an alias, making it if need be. Errc::exists when an account has the address,
/// Errc::not_found for a target that is neither account nor alias of this tenant, Errc::invalid
/// when it would close a loop, Errc::too_large.
Result<Alias> add_alias(sql::TenantScope& scope, const Address& address,
                        const std::vector<Address>& targets);
Result<Alias> find_alias(sql::TenantScope& scope, const Address& address);
std::vector<Alias> list_aliases(sql::TenantScope& scope, const Address& after, std::size_t limit);
/// At most kMaxAliasTargets; empty when it isn't an alias.
std::vector<Address> alias_targets(sql::TenantScope& scope, const Address& address);
/// Removes one target, or the whole alias. Errc::not_found.
Result<void> remove_alias_target(sql::TenantScope& scope, const Address& address,
                                 const Address& target);
Result<void> remove_alias(sql::TenantScope& scope, const Address& address);

/// Mail for unknown names of `domain` goes to `target` (an account or alias of this tenant).
Result<void> set_catch_all(sql::TenantScope& scope, std::string_view domain, const Address& target);
Result<void> remove_catch_all(sql::TenantScope& scope, std::string_view domain);
std::optional<Address> find_catch_all(sql::TenantScope& scope, std::string_view domain);

}  // namespace postern::accounts
