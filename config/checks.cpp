#include "config/checks.hpp"

#include <charconv>

#include "core/ascii.hpp"
#include "core/ip_address.hpp"

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

bool is_loopback(const Endpoint& endpoint) {
  const auto address = parse_ip(endpoint.address);
  return address && address->is_loopback();
}

}  // namespace postern::config
