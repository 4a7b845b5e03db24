// From where an API key may be used: IP networks in CIDR form (RFC 4632 §3.1, RFC 4291 §2.3).
//
// What people type is untrusted text. Stored is one spelling: the network's first address, without
// the bits that don't count refused rather than cleared, so that a slip ("192.0.2.7/24") is seen.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMaxKeyAddresses = 50;  ///< networks of one key

/// "192.0.2.0/24", "2001:db8::/32"; a bare address is a network of one. Errc::invalid: not one,
/// bits set behind the prefix, or an IPv4-mapped address (it is compared as IPv4: write it so).
Result<std::string> parse_network(std::string_view text);
/// All of them, in order, without repeats. Errc::too_large (kMaxKeyAddresses).
Result<std::vector<std::string>> check_address_list(const std::vector<std::string>& texts);

/// Whether a peer is in one of the networks; an empty list names everybody. A text that is no
/// network (it can't be stored) holds nobody. An IPv4-mapped peer counts as IPv4.
bool list_allows(const std::vector<std::string>& networks, const boost::asio::ip::address& peer);

}  // namespace postern::accounts
