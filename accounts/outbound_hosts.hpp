// A tenant's list of the hosts that requests in its name may go to (core/outbound/): names such as
// "logs.example.net" or "*.example.net", addresses. No list: every public host.
//
// A tenant's table. The patterns come from users.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMaxOutboundHosts = 100;

/// In order; nullopt when there is no list: as OutboundRequest::allowed_hosts takes it.
std::optional<std::vector<std::string>> find_outbound_hosts(sql::TenantScope& scope);

/// Replaces the list; an empty one means that there is none. Errc::invalid: not a pattern;
/// Errc::too_large: more than kMaxOutboundHosts.
Result<void> set_outbound_hosts(sql::TenantScope& scope, const std::vector<std::string>& hosts);

}  // namespace postern::accounts
