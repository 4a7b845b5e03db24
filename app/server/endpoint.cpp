#include "app/server/endpoint.hpp"

#include <fmt/format.h>

#include <charconv>

namespace postern::server {

Result<boost::asio::ip::tcp::endpoint> parse_endpoint(const std::string& text) {
  const auto colon = text.rfind(':');
  const auto wrong = [&] {
    return fail(Errc::invalid, fmt::format("{}: not an address and port", text));
  };
  if (colon == std::string::npos) return wrong();
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, code] = std::from_chars(text.data() + colon + 1, end, port);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  if (error || code != std::errc() || rest != end) return wrong();
  return boost::asio::ip::tcp::endpoint(address, port);
}

}  // namespace postern::server
