// A c-ares channel driven by an io_context: it carries a query to the name servers, with retries,
// TCP after a truncated answer, and a time limit, and brings back the raw response.
//
// Owner: one resolver, used and destroyed on the io thread of its context (or after that has
// stopped). Destruction ends every pending query with an empty response.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/dns/resolver.hpp"

namespace postern::dns {

class Channel {
 public:
  /// `wire` is empty when no server gave a usable answer in time.
  using Done = std::function<void(std::string_view wire)>;

  /// Throws std::runtime_error for a server list that can't be used.
  Channel(asio::io_context& context, const Options& options);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// `done` is called once, perhaps before this returns. It may send again.
  void send(const std::string& query, Done done);
  /// Every server is on loopback: its AD bit can be believed.
  [[nodiscard]] bool local_servers_only() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace postern::dns
