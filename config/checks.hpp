// Checks of text settings, and of settings against one another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace postern::config {

/// A host or domain name in A-label form: labels of letters, digits and hyphens, 253 octets at
/// most.
bool is_host_name(std::string_view text);
/// At least two labels: a name that other hosts can look up, or "localhost".
bool is_public_name(std::string_view text);
bool is_host_or_address(std::string_view text);
/// "192.0.2.1:25", "[::1]:25"; a numeric address, port 0 to 65535 (0: any free one).
bool is_endpoint(std::string_view text);
/// An endpoint whose port is not 0, or an address alone.
bool is_dns_server(std::string_view text);

/// Scheme and host, perhaps a port, nothing behind: "https://mail.example.com". Plain http for
/// loopback alone. Of this and the next two, nothing at all means the default.
bool is_origin(std::string_view text);
/// "http://proxy.example.net:3128": the port is given, nothing behind it.
inline constexpr std::string_view kProxyScheme = "http://";
bool is_proxy(std::string_view text);
/// Wholly inside a private range, without host bits: "10.1.2.0/24".
bool is_private_network(std::string_view text);
/// A plain address of ASCII: local part, "@", domain.
bool is_mail_address(std::string_view text);

struct Endpoint {
  std::string address;  ///< without brackets
  std::uint16_t port = 0;
};
std::optional<Endpoint> parse_endpoint(std::string_view text);
bool is_loopback(const Endpoint& endpoint);

}  // namespace postern::config
