// IP addresses from text, all of the text or nothing.
//
// Asio's make_address() stops at a NUL and takes a scope id ("fe80::1%eth0"); text from a peer goes
// through here instead. Standards: RFC 4291 §2.2 (IPv6), dotted quads for IPv4.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string_view>

namespace postern {

/// "192.0.2.1" or "2001:db8::1". nullopt: anything else, a scope id too.
std::optional<boost::asio::ip::address> parse_ip(std::string_view text);
std::optional<boost::asio::ip::address_v4> parse_ipv4(std::string_view text);
std::optional<boost::asio::ip::address_v6> parse_ipv6(std::string_view text);

/// An IPv4 address that came as an IPv6 one (RFC 4291 §2.5.5.2) as itself; any other as it is.
boost::asio::ip::address unmapped(const boost::asio::ip::address& address);

/// RFC 5321 §4.1.3: "[192.0.2.1]" or "[IPv6:2001:db8::1]". General literals are refused: no tag is
/// registered.
std::optional<boost::asio::ip::address> parse_address_literal(std::string_view text);

}  // namespace postern
