// Cuts off what is older than `audit.retention` from every audit chain, the platform's too.
#pragma once

#include "accounts/audit/chain.hpp"
#include "accounts/registry.hpp"
#include "core/task.hpp"
#include "core/time.hpp"

namespace postern::server {

/// One pass. Each cut is a record itself, so a chain waits until a day's worth is old enough, and
/// then loses all that is. In small transactions. What isn't genuine is logged and left as it is.
Task<void> cut_audit_chains(accounts::Registry& registry, const accounts::audit::Chain& chain,
                            Timestamp now, Micros retention);

}  // namespace postern::server
