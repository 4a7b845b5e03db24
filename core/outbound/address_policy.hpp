// Which IP addresses a URL that a user supplied may reach: those that are globally reachable, and
// nothing else.
//
// A server that fetches what users name can be made to fetch from its own machine, its operator's
// network or the cloud's metadata service. Pure functions over values; the address may come from a
// literal or from DNS, both untrusted. Standards: the IANA special-purpose address registries for
// IPv4 and IPv6 (RFC 6890, RFC 8190), RFC 4291 for what is global unicast.
//
// Addresses that carry another address (IPv4-mapped, NAT64, 6to4, Teredo) are refused altogether
// rather than looked into: no public service is known only by such an address. Deliberately
// missing: prefixes that a network chose for its own NAT64 (RFC 6052 §2.2), which look like any
// other global address.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace postern::outbound {

namespace ip = boost::asio::ip;

struct Network {
  ip::address address;
  unsigned prefix_length = 0;
};

struct AddressPolicy {
  bool allow_loopback = false;            ///< 127.0.0.0/8 and ::1; for tests
  std::vector<Network> private_networks;  ///< parts of private ranges that are open all the same
};

/// "10.1.0.0/16" or "fd12:3456::/32", without host bits. Errc::invalid: anything else;
/// Errc::denied: not wholly inside a private range (RFC 1918, RFC 6598, RFC 4193).
Result<Network> parse_private_network(std::string_view text);

/// The name of the rule that refuses `address`; empty when it may be reached. Metadata services
/// and whatever else is not a private range stay refused, whatever `policy` opens.
std::string_view refusal(const ip::address& address, const AddressPolicy& policy);

}  // namespace postern::outbound
