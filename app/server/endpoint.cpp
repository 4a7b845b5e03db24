#include "app/server/endpoint.hpp"

#include <fmt/format.h>

#include "config/checks.hpp"
#include "core/ip_address.hpp"

namespace postern::server {

Result<boost::asio::ip::tcp::endpoint> parse_endpoint(const std::string& text) {
  const auto parsed = config::parse_endpoint(text);
  if (!parsed) return fail(Errc::invalid, fmt::format("{}: not an address and port", text));
  return boost::asio::ip::tcp::endpoint(parse_ip(parsed->address).value(), parsed->port);
}

}  // namespace postern::server
