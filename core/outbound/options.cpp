#include "core/outbound/options.hpp"

#include <algorithm>
#include <charconv>

#include "core/ascii.hpp"
#include "core/ip_address.hpp"

namespace postern {

namespace {
// What DNS can be asked for; the operator's own network may have names without a dot.
bool is_name(std::string_view text) {
  return std::ranges::any_of(text, ascii::is_alpha) && std::ranges::all_of(text, [](char c) {
           return ascii::is_alnum(c) || c == '-' || c == '.';
         });
}
}  // namespace

Result<OutboundProxy> parse_outbound_proxy(std::string_view text) {
  const auto wrong = [] { return fail(Errc::invalid, "the proxy is not in the form host:port"); };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  OutboundProxy proxy;
  const auto end = port.data() + port.size();
  const auto [stop, error] = std::from_chars(port.data(), end, proxy.port);
  if (error != std::errc{} || stop != end || proxy.port == 0) return wrong();
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (!parse_ipv6(host)) return wrong();
  } else if (!parse_ipv4(host) && !is_name(host)) {
    return wrong();
  }
  proxy.host = std::string(host);
  return proxy;
}

}  // namespace postern
