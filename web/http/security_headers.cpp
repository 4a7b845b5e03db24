#include "web/http/security_headers.hpp"

#include <algorithm>
#include <array>

#include "core/ascii.hpp"

namespace postern::web {

namespace {

struct Header {
  std::string_view name;
  std::string_view value;
};

constexpr std::array kAlways{
    Header{"Content-Security-Policy",
           "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
    Header{"X-Content-Type-Options", "nosniff"},
    Header{"X-Frame-Options", "DENY"},
    Header{"Referrer-Policy", "no-referrer"},
    Header{"Cross-Origin-Opener-Policy", "same-origin"},
    Header{"Cross-Origin-Resource-Policy", "same-origin"},
    Header{"Cache-Control", "no-store"},
};
constexpr Header kStrictTransport{"Strict-Transport-Security",
                                  "max-age=63072000; includeSubDomains"};

bool has(const Response& response, std::string_view name) {
  return std::ranges::any_of(
      response.headers, [name](const auto& header) { return ascii::iequals(header.first, name); });
}

void add(Response& response, const Header& header) {
  if (!has(response, header.name)) response.headers.emplace_back(header.name, header.value);
}

}  // namespace

void add_security_headers(Response& response, Transport transport) {
  for (const auto& header : kAlways) add(response, header);
  if (transport == Transport::tls) add(response, kStrictTransport);
}

}  // namespace postern::web
