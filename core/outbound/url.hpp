// A URL that a user (or a server's redirect) supplied, strictly parsed: what can be read in two
// ways is refused, not repaired.
//
// Pure functions. Standards: RFC 3986 (Boost.URL for path and query), RFC 1123 §2.1 for host names,
// RFC 6761 and its like for names that never mean a public host. Of the WHATWG's URL standard only
// one rule is taken: a host whose last label is a number is an IPv4 address, and here it must be a
// strict dotted quad. Errors never repeat the URL: its path or query may be a secret.
//
// Deliberately missing: internationalised names in Unicode (only their xn-- form), user names and
// passwords, IPv6 zones, underscores in host names, names without a dot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/outbound/options.hpp"

namespace postern::outbound {

inline constexpr std::size_t kMaxUrl = 2'048;

enum class Scheme : std::uint8_t { https, http };

struct Url {
  Scheme scheme = Scheme::https;
  std::string host;  ///< lower case, no final dot; an IPv6 address has no brackets
  std::optional<ip::address> address;  ///< when the host is a literal
  std::uint16_t port = 443;
  std::string target;  ///< path and query as given, begins with '/'; no fragment

  [[nodiscard]] std::string authority() const;  ///< "host" or "host:port", brackets where due
  [[nodiscard]] std::string text() const;       ///< all of it; may hold a secret
  [[nodiscard]] bool same_origin(const Url& other) const;
};

/// Errc::invalid: not a URL, or not one in this strict form. Errc::denied: well formed, but with a
/// port, name or address that `options` doesn't let out. What DNS says of a name is not known here:
/// the client checks that at each connection.
Result<Url> check_url(std::string_view text, const OutboundOptions& options);

/// A place that TLS is spoken to by another protocol than HTTP: "host" or "host:port", under the
/// same rules for names and addresses. Ports: those of `options`, `usual_port`, and all from 1024.
Result<Url> check_endpoint(std::string_view authority, std::uint16_t usual_port,
                           const OutboundOptions& options);

/// Where `location` leads when `base` answered with it (RFC 3986 §5.2), checked like any URL.
Result<Url> check_redirect(const Url& base, std::string_view location,
                           const OutboundOptions& options);

/// Visible ASCII without backslash and "%00". RFC 3986 has no place for the rest; parsers that
/// differ over it are how a check is got round.
bool is_url_text(std::string_view text);

/// `pattern`: a host name or address, exactly, or "*.example.com" for every name below that one.
bool is_host_pattern(std::string_view pattern);
bool matches_host(const Url& url, const std::vector<std::string>& patterns);
/// Errc::denied: there is a list, and the host isn't on it. nullopt: every host is allowed.
Result<void> check_allowed(const Url& url, const std::optional<std::vector<std::string>>& patterns);

}  // namespace postern::outbound
