// The walk along one chain's records; verify.cpp's inner part.
#pragma once

#include <functional>
#include <optional>

#include "accounts/audit/verify.hpp"

namespace postern::accounts::audit {

/// Called with each record whose MAC is right.
using Visit = std::function<void(const RecordView&)>;

/// Adds what it finds. Returns the head, when there is one.
std::optional<Head> walk_chain(sql::Transaction& tx, const Chain& chain, TenantId id,
                               Verification& found, const Visit& visit);

}  // namespace postern::accounts::audit
