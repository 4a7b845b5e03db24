// Where mail for an address goes: the rules, inside a transaction. directory.hpp is the cached
// face.
//
// In this order: an account; an alias; the same without "+tag"; postmaster and abuse (RFC 5321
// §4.5.1, RFC 2142) to the tenant's owner; the catch-all. Mail to postmaster and abuse is taken
// whatever is suspended. Aliases are followed kAliasDepth deep, each name once (so that a loop
// ends), to kMaxAliasTargets mailboxes; beyond either nothing is delivered, rather than a part.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "accounts/names.hpp"
#include "core/id.hpp"
#include "core/result.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

/// Where one copy of a message goes.
struct Route {
  TenantId tenant;
  AccountId account;
  std::uint32_t shard = 0;
  std::string address;  ///< the account's canonical address
  std::string detail;   ///< "tag" of user+tag, case-folded; empty when there was none
};

enum class Verdict : std::uint8_t {
  deliver,      ///< at least one route
  not_hosted,   ///< the domain isn't ours (a relay attempt, or a remote recipient)
  no_mailbox,   ///< 550 5.1.1
  suspended,    ///< the tenant, domain or every mailbox is switched off: 550 5.2.1
  unavailable,  ///< can't be delivered now: aliases too deep, or postmaster@ of a tenant with no
                ///< account: 451
};

struct Resolution {
  Verdict verdict = Verdict::not_hosted;
  TenantId tenant;            ///< unless not_hosted
  std::vector<Route> routes;  ///< each account once
};

/// Mail that arrives takes the catch-all; the right to send as an address doesn't come from one.
enum class Breadth : std::uint8_t { with_catch_all, named_only };

Resolution resolve(sql::Transaction& tx, const Address& address, Breadth breadth);

/// postmaster or abuse, with or without detail.
bool is_role_name(std::string_view local);

}  // namespace postern::accounts
