// A long chain cut down before it is closed, so that nobody else's changes wait for the one
// transaction that removes all the rest.
#pragma once

#include "accounts/audit/chain.hpp"
#include "accounts/registry.hpp"
#include "core/task.hpp"

namespace postern::accounts::audit {

/// Removes the oldest records of a tenant's chain, however young, in small transactions, until it
/// has at most `keep` (2 or more) or is closed. What isn't genuine stays: Errc::corrupt.
Task<Result<void>> shorten(Registry& registry, const Chain& chain, TenantId id, std::uint64_t keep,
                           Timestamp now);

}  // namespace postern::accounts::audit
