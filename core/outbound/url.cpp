#include "core/outbound/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <charconv>

#include "core/ascii.hpp"
#include "core/ip_address.hpp"

namespace postern::outbound {

namespace urls = boost::urls;

namespace {

constexpr std::size_t kMaxName = 253;  // RFC 1035 §2.3.4, as text without the final dot
constexpr std::size_t kMaxLabel = 63;
constexpr std::uint16_t kHttpsPort = 443;
constexpr std::uint16_t kHttpPort = 80;

// RFC 6761 §6.3, RFC 6762 §3, RFC 7686, RFC 8375; "internal" is ICANN's name for private use.
constexpr std::string_view kLocalNames[] = {"localhost", "local",     "internal",
                                            "onion",     "home.arpa", "localdomain"};

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel && label.front() != '-' &&
         label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return ascii::is_alnum(c) || c == '-'; });
}

// Canonical already.
bool is_host_name(std::string_view name) {
  if (name.size() > kMaxName || name.find('.') == std::string_view::npos) return false;
  for (;;) {
    const auto dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

// What some parser somewhere takes for a part of an IPv4 address: decimal, octal or hexadecimal.
bool ends_in_number(std::string_view name) {
  const auto label = name.substr(name.rfind('.') + 1);
  return !label.empty() &&
         (std::ranges::all_of(label, ascii::is_digit) || ascii::istarts_with(label, "0x"));
}

bool is_local_name(std::string_view name) {
  return std::ranges::any_of(kLocalNames, [name](std::string_view local) {
    return name == local || (name.ends_with(local) && name[name.size() - local.size() - 1] == '.');
  });
}

Result<void> set_address(Url& url, std::optional<ip::address> address, std::string_view text) {
  // The one spelling: no leading zeros that could be octal.
  if (!address || (address->is_v4() && address->to_string() != text)) {
    return fail(Errc::invalid, "the URL's host is not an IP address in its usual form");
  }
  url.address = address;
  url.host = address->to_string();
  return {};
}

Result<void> set_host(Url& url, std::string_view raw) {
  if (raw.starts_with('[')) {
    if (!raw.ends_with(']')) return fail(Errc::invalid, "the URL's host is not valid");
    const auto v6 = parse_ipv6(raw.substr(1, raw.size() - 2));
    return set_address(url, v6 ? std::optional<ip::address>(*v6) : std::nullopt, raw);
  }
  std::string name = ascii::to_lower(raw);
  const bool final_dot = name.ends_with('.');
  if (final_dot) name.pop_back();
  if (ends_in_number(name)) {
    const auto v4 = parse_ipv4(raw);
    return set_address(url, v4 ? std::optional<ip::address>(*v4) : std::nullopt, raw);
  }
  if (is_local_name(name)) return fail(Errc::denied, "the URL names a local host");
  if (!is_host_name(name)) return fail(Errc::invalid, "the URL's host is not a full host name");
  url.host = std::move(name);
  return {};
}

// RFC 3986 §3.2.3; `text` is what follows the host: empty, or ':' and the port.
Result<void> set_port(Url& url, std::string_view text, std::uint16_t usual) {
  url.port = usual;
  if (text.empty()) return {};
  const auto end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, end, url.port);
  if (text.front() != ':' || error != std::errc{} || stop != end || url.port == 0 ||
      text[1] == '0') {
    return fail(Errc::invalid, "the URL's port is not a port number");
  }
  return {};
}

bool allows_port(const OutboundOptions& options, std::uint16_t port) {
  return options.any_port || std::ranges::find(options.ports, port) != options.ports.end();
}

std::unexpected<Error> refused_port(std::uint16_t port) {
  return fail(Errc::denied, fmt::format("port {} is not allowed in a URL", port));
}

Result<void> set_authority(Url& url, std::string_view text, std::uint16_t usual_port) {
  if (text.empty()) return fail(Errc::invalid, "the URL has no host");
  if (text.find('@') != std::string_view::npos) {
    return fail(Errc::invalid, "the URL has a user name in it");
  }
  const auto bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return fail(Errc::invalid, "the URL's host is not valid");
  const auto host_end = bracket > 0 ? bracket + 1 : std::min(text.find(':'), text.size());
  if (auto ok = set_host(url, text.substr(0, host_end)); !ok) return ok;
  return set_port(url, text.substr(host_end), usual_port);
}

Result<void> set_scheme(Url& url, std::string_view scheme, const OutboundOptions& options) {
  if (ascii::iequals(scheme, "https")) return {};
  if (!options.allow_http_on_loopback || !ascii::iequals(scheme, "http")) {
    return fail(Errc::invalid, "the URL must begin with https://");
  }
  url.scheme = Scheme::http;
  return {};
}

Result<void> set_target(Url& url, std::string_view text) {
  url.target = text.substr(0, text.find('#'));
  if (!url.target.starts_with('/')) url.target.insert(0, 1, '/');
  if (!urls::parse_origin_form(url.target)) {
    return fail(Errc::invalid, "the URL's path or query is not valid");
  }
  return {};
}

Result<void> check_text(std::string_view text) {
  if (text.size() > kMaxUrl) {
    return fail(Errc::invalid, fmt::format("the URL is longer than {} characters", kMaxUrl));
  }
  if (!is_url_text(text)) {
    return fail(Errc::invalid, "the URL has a character that it may not have");
  }
  return {};
}

Result<Url> check_literal(Url url, const OutboundOptions& options) {
  if (!url.address) return url;
  if (const auto rule = refusal(*url.address, options.addresses); !rule.empty()) {
    return fail(Errc::denied, fmt::format("the URL's address is refused: {}", rule));
  }
  return url;
}

// Boost.URL 1.81 ends the host "192.0.2.1.example.com" after the address and takes the rest for a
// path: where the authority ends is decided here.
Result<Url> parse_url(std::string_view text, const OutboundOptions& options) {
  if (auto ok = check_text(text); !ok) return std::unexpected(ok.error());
  Url url;
  const auto scheme = text.substr(0, text.find(':'));
  if (auto ok = set_scheme(url, scheme, options); !ok) return std::unexpected(ok.error());
  text.remove_prefix(scheme.size());
  if (!text.starts_with("://")) return fail(Errc::invalid, "the URL must begin with https://");
  text.remove_prefix(3);
  const auto authority = text.substr(0, text.find_first_of("/?#"));
  const auto usual = url.scheme == Scheme::https ? kHttpsPort : kHttpPort;
  if (auto ok = set_authority(url, authority, usual); !ok) return std::unexpected(ok.error());
  if (!allows_port(options, url.port)) return refused_port(url.port);
  text.remove_prefix(authority.size());
  if (auto ok = set_target(url, text); !ok) return std::unexpected(ok.error());
  return url;
}

}  // namespace

bool is_url_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && c != '\\'; }) &&
         text.find("%00") == std::string_view::npos;
}

std::string Url::authority() const {
  std::string out = address && address->is_v6() ? "[" + host + "]" : host;
  const auto usual = scheme == Scheme::https ? kHttpsPort : kHttpPort;
  if (port != usual) out += fmt::format(":{}", port);
  return out;
}

std::string Url::text() const {
  return (scheme == Scheme::https ? "https://" : "http://") + authority() + target;
}

bool Url::same_origin(const Url& other) const {
  return scheme == other.scheme && host == other.host && port == other.port;
}

Result<Url> check_url(std::string_view text, const OutboundOptions& options) {
  auto url = parse_url(text, options);
  if (!url) return url;
  return check_literal(std::move(*url), options);
}

Result<Url> check_endpoint(std::string_view authority, std::uint16_t usual_port,
                           const OutboundOptions& options) {
  constexpr std::uint16_t kFirstUserPort = 1024;  // RFC 6335 §6
  if (auto ok = check_text(authority); !ok) return std::unexpected(ok.error());
  Url url;
  if (auto ok = set_authority(url, authority, usual_port); !ok) return std::unexpected(ok.error());
  if (url.port != usual_port && url.port < kFirstUserPort && !allows_port(options, url.port)) {
    return refused_port(url.port);
  }
  url.target = "/";
  return check_literal(std::move(url), options);
}

bool is_host_pattern(std::string_view pattern) {
  if (parse_ip(pattern)) return true;
  if (pattern.starts_with("*.")) pattern.remove_prefix(2);
  return is_host_name(pattern) && !ends_in_number(pattern);
}

bool matches_host(const Url& url, const std::vector<std::string>& patterns) {
  return std::ranges::any_of(patterns, [&url](const std::string& pattern) {
    if (!is_host_pattern(pattern)) return false;
    if (!pattern.starts_with('*')) return ascii::iequals(pattern, url.host);
    const std::string_view below = std::string_view(pattern).substr(1);  // ".example.com"
    const std::string_view host = url.host;
    return !url.address && host.size() > below.size() &&
           ascii::iequals(host.substr(host.size() - below.size()), below);
  });
}

Result<void> check_allowed(const Url& url,
                           const std::optional<std::vector<std::string>>& patterns) {
  if (!patterns || matches_host(url, *patterns)) return {};
  return fail(Errc::denied, url.host + " is not one of the hosts that are allowed");
}

}  // namespace postern::outbound
