// What the operator sets for every outbound request. Plain values; an instance is filled at start
// and not changed after.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/outbound/address_policy.hpp"
#include "core/result.hpp"

namespace postern {

/// Bounds of one request. None of them means "unlimited" at zero.
struct OutboundLimits {
  std::chrono::milliseconds connect{5'000};  ///< one TCP connection; then again its handshakes
  std::chrono::milliseconds total{15'000};   ///< all of it: DNS, every redirect, the last byte
  std::size_t header_bytes = 16 * 1024;      ///< a response's status line and header fields
  std::size_t body_bytes = 64 * 1024;        ///< a response's body
};

/// An HTTP proxy that every connection goes through by CONNECT (RFC 9110 §9.3.6). The operator's
/// own choice: its address is under no policy.
struct OutboundProxy {
  std::string host;  ///< a name or an address, without brackets
  std::uint16_t port = 0;
};

struct OutboundOptions {
  outbound::AddressPolicy addresses;
  bool allow_http_on_loopback = false;  ///< "http:" to loopback addresses; for tests
  bool any_port = false;
  std::vector<std::uint16_t> ports{443, 8443};  ///< that a URL may name, unless `any_port`
  std::optional<OutboundProxy> proxy;
  std::string user_agent = "Postern";
  OutboundLimits limits;  ///< of requests that bring none of their own
};

/// "proxy.example.net:3128", "192.0.2.1:3128" or "[2001:db8::1]:3128". Errc::invalid: anything
/// else.
Result<OutboundProxy> parse_outbound_proxy(std::string_view text);

}  // namespace postern
