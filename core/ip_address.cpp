#include "core/ip_address.hpp"

#include <algorithm>

#include "core/ascii.hpp"

namespace postern {

namespace ip = boost::asio::ip;

namespace {
constexpr std::size_t kLongest = 45;  // "ffff:...:255.255.255.255", INET6_ADDRSTRLEN less its NUL

// Nothing that the C library would stop at or take for a scope.
bool is_plain(std::string_view text) {
  return text.size() <= kLongest && std::ranges::all_of(text, [](char c) {
           return ascii::is_alnum(c) || c == '.' || c == ':';
         });
}
}  // namespace

std::optional<ip::address_v4> parse_ipv4(std::string_view text) {
  if (!is_plain(text)) return std::nullopt;
  boost::system::error_code error;
  const auto address = ip::make_address_v4(text, error);
  return error ? std::nullopt : std::optional(address);
}

std::optional<ip::address_v6> parse_ipv6(std::string_view text) {
  if (!is_plain(text)) return std::nullopt;
  boost::system::error_code error;
  const auto address = ip::make_address_v6(text, error);
  return error ? std::nullopt : std::optional(address);
}

std::optional<ip::address> parse_ip(std::string_view text) {
  if (const auto v4 = parse_ipv4(text)) return *v4;
  if (const auto v6 = parse_ipv6(text)) return *v6;
  return std::nullopt;
}

ip::address unmapped(const ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return ip::make_address_v4(ip::v4_mapped, address.to_v6());
}

std::optional<ip::address> parse_address_literal(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  if (!ascii::istarts_with(text, "IPv6:")) {
    const auto v4 = parse_ipv4(text);
    return v4 ? std::optional<ip::address>(*v4) : std::nullopt;
  }
  const auto v6 = parse_ipv6(text.substr(5));
  return v6 ? std::optional<ip::address>(*v6) : std::nullopt;
}

}  // namespace postern
