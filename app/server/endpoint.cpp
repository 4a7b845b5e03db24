#include "app/server/endpoint.hpp"

#include <fmt/format.h>

#include "config/checks.hpp"

namespace postern::server {

Result<boost::asio::ip::tcp::endpoint> parse_endpoint(const std::string& text) {
  const auto parsed = config::parse_endpoint(text);
  if (!parsed) return fail(Errc::invalid, fmt::format("{}: not an address and port", text));
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(parsed->address, error);
  if (error) return fail(Errc::invalid, fmt::format("{}: {}", text, error.message()));
  return boost::asio::ip::tcp::endpoint(address, parsed->port);
}

}  // namespace postern::server
