// Where the mail for a domain goes: MX look-up, fall-back to its addresses, routes, and what
// refuses.
//
// RFC 5321 §5.1 (order, equal preference at random, ourselves among the MX), RFC 7505 (null MX),
// §4.1.3 (address literals). Answers are strangers' data: hosts and addresses are bounded in
// number, and addresses that aren't public are refused unless the operator routed the domain or
// allows them.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns/dns.hpp"
#include "core/task.hpp"
#include "smtp/delivery/settings.hpp"
#include "smtp/queue/reply.hpp"

namespace postern::smtp::delivery {

/// One address to try.
struct Hop {
  std::string host;  ///< the MX's name (or the literal): for SNI, logs and the pool
  asio::ip::address address;
  std::uint16_t port = 25;
  bool operator==(const Hop&) const = default;
};

/// In order: by preference; within one host the two address families take turns.
using Route = std::vector<Hop>;

/// Why there is none, as a reply of our own: 5xx for good, 4xx for now.
Task<std::expected<Route, queue::Reply>> find_route(dns::Resolver& resolver,
                                                    const DeliverySettings& settings,
                                                    std::string domain);

/// Public unicast: not private, loopback, link-local, shared, multicast, reserved or documentation
/// (RFC 6890 and the IANA special-purpose registries). A v4-mapped address is judged as IPv4.
bool is_public(const asio::ip::address& address);

}  // namespace postern::smtp::delivery
