// From a checked URL to the addresses that a connection may be made to: one DNS lookup (A and
// AAAA), every address of the answer under the policy.
//
// The connection goes to an address returned here, so that a second answer of the same name (DNS
// rebinding) never counts. One refused address refuses the name: a mixed answer is no accident.
// Names and answers are untrusted.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/dns/dns.hpp"
#include "core/outbound/options.hpp"
#include "core/outbound/url.hpp"

namespace postern::outbound {

using Addresses = std::vector<asio::ip::address>;

/// No policy, just DNS, until `deadline`. Errc::io: no such name, or no answer; Errc::timeout.
/// IPv4 and IPv6 take turns. `resolver` must outlive its own answers, also late ones.
Task<Result<Addresses>> look_up(dns::Resolver& resolver, std::string name,
                                std::chrono::steady_clock::time_point deadline);

/// Errc::denied names the rule, never the address: what a name means inside a network is not the
/// user's to learn. `url` and `options` must stay alive.
Task<Result<Addresses>> resolve_checked(dns::Resolver& resolver, const Url& url,
                                        const OutboundOptions& options,
                                        std::chrono::steady_clock::time_point deadline);

}  // namespace postern::outbound
