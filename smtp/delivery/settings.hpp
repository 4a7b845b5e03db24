// How mail leaves: what the operator may set. Filled from config/ where the program is put
// together.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/task.hpp"
#include "smtp/queue/outcome.hpp"
#include "smtp/queue/scheduler.hpp"

namespace postern::smtp::delivery {

/// RFC 5321 §4.5.3.2: no shorter than these by default.
struct Timeouts {
  std::chrono::milliseconds connect{30'000};
  std::chrono::milliseconds greeting{300'000};  ///< §4.5.3.2.1
  std::chrono::milliseconds command{
      300'000};  ///< EHLO, STARTTLS and its handshake, MAIL, RCPT (§4.5.3.2.2, .3)
  std::chrono::milliseconds data_start{120'000};  ///< §4.5.3.2.4
  std::chrono::milliseconds data_block{180'000};  ///< §4.5.3.2.5
  std::chrono::milliseconds data_end{600'000};    ///< §4.5.3.2.6
  std::chrono::milliseconds quit{5'000};          ///< nobody waits for this answer
};

/// [[delivery.route]]: a smart host for a domain.
struct RouteSetting {
  std::string domain;  ///< lower case; "*" for every domain without a route of its own
  std::string host;    ///< name or address
  std::uint16_t port = 25;
};

enum class TlsPolicy : std::uint8_t {
  never,
  opportunistic,  ///< when offered; after a failed handshake once more in clear (RFC 7435)
  required,
};

enum class PrivateAddresses : std::uint8_t { refused, allowed };
enum class Ipv6 : std::uint8_t { off, on };

struct DeliverySettings {
  std::string hostname;  ///< for EHLO and reports; a host that calls itself this is a loop
  std::uint16_t port = 25;
  std::vector<RouteSetting> routes;
  PrivateAddresses private_addresses = PrivateAddresses::refused;
  Ipv6 ipv6 = Ipv6::on;  ///< off: AAAA records are not asked for
  /// Where this server takes mail, as others reach it (0.0.0.0 expanded): an MX that leads here is
  /// a loop.
  std::vector<asio::ip::tcp::endpoint> own_endpoints;
  TlsPolicy tls = TlsPolicy::opportunistic;
  Timeouts timeouts;
  queue::RetryPolicy retry;
  queue::SchedulerLimits scheduler;
  std::size_t max_mx_hosts = 10;   ///< tried of one destination
  std::size_t max_addresses = 10;  ///< tried of one destination, all hosts together
  std::chrono::milliseconds idle_connection{10'000};
  std::size_t idle_per_host = 40;  ///< kept by all threads together, at least 4 by each
  std::size_t idle_total = 200;    ///< kept on one thread
  std::size_t messages_per_connection = 100;
  /// Sealed bodies kept in memory between acceptance and first attempt.
  std::uint64_t fresh_bytes = std::uint64_t{32} << 20;
};

}  // namespace postern::smtp::delivery
