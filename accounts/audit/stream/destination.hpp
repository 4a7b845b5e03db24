// Where an audit stream goes, as its owner wrote it: "https://host/path" or
// "syslog+tls://host:6514".
//
// Plain values and pure functions. The URL comes from a user; what it may reach is the outbound
// client's to say (core/outbound/). Path and query may be a secret: only the origin is ever shown.
// Standards: RFC 5425 §4.1 for syslog's port.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/outbound/client.hpp"
#include "core/result.hpp"
#include "storage/keystore.hpp"

namespace postern::accounts::audit {

inline constexpr std::uint16_t kSyslogPort = 6514;
inline constexpr std::size_t kMaxStreamSecret = 1'024;

enum class Transport : std::uint8_t { https, syslog };

struct Destination {
  Transport transport = Transport::https;
  std::string url;     ///< whole
  std::string origin;  ///< without path and query
  std::string secret;  ///< of https; empty: none
  /// "host" or "host:port", of syslog.
  [[nodiscard]] std::string_view authority() const;
};

/// Errc::invalid: not one of the two forms.
Result<Destination> parse_destination(std::string_view url);

/// What `client` and the tenant's list of hosts (nullopt: no list) say of it before a connection.
/// Errc::invalid, Errc::denied.
Result<void> check_destination(const OutboundClient& client, const Destination& destination,
                               const std::optional<std::vector<std::string>>& allowed_hosts);

/// Errc::invalid: not 1 to kMaxStreamSecret visible characters of ASCII.
Result<void> check_stream_secret(std::string_view secret);

/// URL and secret under the master key, so that only this row of this tenant's opens them.
Result<std::string> seal_destination(storage::MasterKey& master, std::string_view context,
                                     const Destination& destination);
Result<Destination> open_destination(storage::MasterKey& master, std::string_view context,
                                     std::string_view sealed);

}  // namespace postern::accounts::audit
