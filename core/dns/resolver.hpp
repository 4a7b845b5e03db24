// The program's resolver: c-ares underneath, a bounded cache, equal questions asked once.
//
// Owner: one per io thread, used and destroyed on that thread (or after the runtime has stopped,
// and before its contexts die). A query in flight may outlive it and ends with Status::temporary.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/dns/dns.hpp"

namespace postern::dns {

struct Options {
  /// "192.0.2.1", "192.0.2.1:5353" or "[2001:db8::1]:53"; empty: the system's (/etc/resolv.conf,
  /// read once).
  std::vector<std::string> servers;
  int timeout_ms = 1500;  ///< of the first try of a server; the next waits twice as long
  int tries = 2;          ///< of each server
  std::chrono::milliseconds total{5000};  ///< of one query, whatever the servers do
  std::size_t cache_entries = 20'000;
  std::size_t cache_bytes = 16 * 1024 * 1024;
  std::uint32_t min_ttl = 5;          ///< seconds; for servers that say 0
  std::uint32_t max_ttl = 86'400;     ///< seconds
  std::uint32_t negative_ttl = 600;   ///< seconds, at most, for nxdomain and nodata
  std::uint32_t failure_ttl = 3;      ///< seconds that Status::temporary is remembered
  std::size_t max_in_flight = 2'000;  ///< different questions at once; beyond: Status::temporary
};

/// Throws std::runtime_error for a server list that can't be used.
std::shared_ptr<Resolver> make_resolver(asio::io_context& context, Options options);

}  // namespace postern::dns
