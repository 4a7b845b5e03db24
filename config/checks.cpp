#include "config/checks.hpp"

#include <algorithm>
#include <charconv>

#include "core/ascii.hpp"
#include "core/ip_address.hpp"
#include "core/outbound/options.hpp"

namespace postern::config {

namespace {

constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxLabel = 63;

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kMaxLabel) return false;
  if (label.front() == '-' || label.back() == '-') return false;
  for (const char c : label) {
    if (!ascii::is_alnum(c) && c != '-') return false;
  }
  return true;
}

bool is_address(std::string_view text) { return parse_ip(text).has_value(); }

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > kMaxName) return false;
  while (true) {
    const auto dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_public_name(std::string_view text) {
  if (text == "localhost") return true;
  return is_host_name(text) && text.find('.') != std::string_view::npos && !is_address(text);
}

bool is_host_or_address(std::string_view text) { return is_address(text) || is_host_name(text); }

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto port = parse_port(text.substr(colon + 1));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = parse_ip(host);
  if (!address || !port || address->is_v6() != bracketed) return std::nullopt;
  return Endpoint{std::string(host), *port};
}

bool is_endpoint(std::string_view text) { return parse_endpoint(text).has_value(); }

bool is_dns_server(std::string_view text) {
  if (is_address(text)) return true;
  const auto endpoint = parse_endpoint(text);
  return endpoint && endpoint->port != 0;
}

namespace {

// "host", "host:port", "127.0.0.1:8080", "[::1]:8080"; or of these what is loopback.
enum class Hosts : std::uint8_t { any, loopback };

bool is_authority(std::string_view text, Hosts hosts) {
  if (const auto endpoint = parse_endpoint(text)) {
    return endpoint->port != 0 && (hosts == Hosts::any || is_loopback(*endpoint));
  }
  const auto colon = text.rfind(':');
  const auto host = text.substr(0, colon);
  if (colon != std::string_view::npos && parse_port(text.substr(colon + 1)).value_or(0) == 0)
    return false;
  return is_public_name(host) && (hosts == Hosts::any || host == "localhost");
}

bool is_atom(char c) {
  return ascii::is_alnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").contains(c);
}

}  // namespace

bool is_origin(std::string_view text) {
  constexpr std::string_view kSecure = "https://";
  constexpr std::string_view kPlain = "http://";
  if (text.empty()) return true;
  if (text.starts_with(kSecure)) return is_authority(text.substr(kSecure.size()), Hosts::any);
  return text.starts_with(kPlain) && is_authority(text.substr(kPlain.size()), Hosts::loopback);
}

bool is_proxy(std::string_view text) {
  if (text.empty()) return true;
  return text.starts_with(kProxyScheme) &&
         parse_outbound_proxy(text.substr(kProxyScheme.size())).has_value();
}

bool is_private_network(std::string_view text) {
  return outbound::parse_private_network(text).has_value();
}

bool is_mail_address(std::string_view text) {
  constexpr std::size_t kLongest = 254;  // RFC 5321 §4.5.3.1.3, without the brackets
  const auto at = text.find('@');
  if (text.empty()) return true;
  if (at == 0 || at == std::string_view::npos || text.size() > kLongest) return false;
  return std::ranges::all_of(text.substr(0, at), is_atom) && is_public_name(text.substr(at + 1));
}

bool is_loopback(const Endpoint& endpoint) {
  const auto address = parse_ip(endpoint.address);
  return address && address->is_loopback();
}

}  // namespace postern::config
