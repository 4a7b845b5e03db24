// Which chains have records that are old enough to be cut (Chain::cut_before).
#pragma once

#include <vector>

#include "accounts/audit/chain.hpp"

namespace postern::accounts::audit {

/// Open chains whose oldest record is older than `oldest`, and those whose oldest record isn't
/// where the head says: cut_before() then tells that it isn't genuine.
std::vector<TenantId> chains_older_than(sql::Transaction& tx, Timestamp oldest);

/// How many records of the scope's chain there are, by its head (not checked); 0: no chain, or a
/// closed one.
std::uint64_t kept_records(sql::TenantScope& scope);

}  // namespace postern::accounts::audit
