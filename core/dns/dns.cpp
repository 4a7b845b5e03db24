#include "core/dns/dns.hpp"

#include <fmt/format.h>

namespace postern::dns {

std::string reverse_name(const asio::ip::address& address) {
  if (address.is_v4()) {
    const auto b = address.to_v4().to_bytes();
    return fmt::format("{}.{}.{}.{}.in-addr.arpa", b[3], b[2], b[1], b[0]);
  }
  const auto bytes = address.to_v6().to_bytes();
  std::string name;
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
    name += fmt::format("{:x}.{:x}.", *byte & 15, *byte >> 4);
  }
  return name + "ip6.arpa";
}

}  // namespace postern::dns
