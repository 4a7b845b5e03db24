// Narrowings of members and API keys: which names they may hold, and what becomes of them when a
// name goes.
//
// Invariant: a narrowing never widens by itself. Where the last of its names went, the list holds
// kReachesNothing, which is no domain's and no mailbox's name: it isn't empty, so it isn't "all".
// Somebody then has to say anew what the holder may reach, or to lift the narrowing on purpose. A
// name that comes back later (the same domain, hosted again) is not in the narrowings of before.
#pragma once

#include <cstddef>
#include <string_view>

#include "accounts/access/caller.hpp"
#include "core/result.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMaxNarrowed = 100;  ///< names of one narrowing, both lists together
inline constexpr std::string_view kReachesNothing = "-";

/// Canonical, in order, without repeats. Errc::invalid (not a name), Errc::not_found (not the
/// tenant's, or no mailbox account), Errc::too_large. Holds what it names, so that it can't go
/// before the narrowing is written.
Result<Narrowing> check_narrowing(sql::TenantScope& scope, const Narrowing& wanted);
/// From the two columns.
Narrowing read_narrowing(std::string_view domains, std::string_view accounts);
/// Narrowed to names that are all gone.
bool reaches_nothing(const Narrowing& narrowing);

/// Take a name that goes out of every narrowing of the tenant. `name` is a canonical domain,
/// `address` an account's Address::text().
Result<void> forget_domain(sql::TenantScope& scope, std::string_view name);
Result<void> forget_account(sql::TenantScope& scope, std::string_view address);

}  // namespace postern::accounts
