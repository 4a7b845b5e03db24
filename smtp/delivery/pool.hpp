// Connections of one io thread that wait for their next message, for some seconds, bounded.
//
// Owner: the thread's Worker. Taken by host and port; an expired one is told goodbye and closed. A
// server may have hung up meanwhile: who takes one must be ready to make a new one.
#pragma once

#include <chrono>
#include <list>
#include <memory>

#include "smtp/delivery/connection.hpp"

namespace postern::smtp::delivery {

class Pool {
 public:
  /// `threads`: that share what may be kept to one host.
  Pool(const DeliverySettings& settings, std::size_t threads);

  /// The one used last for this hop's host, address and port, or null.
  std::shared_ptr<Connection> take(const Hop& hop);
  /// Keeps it if it may carry another message and there is room; says goodbye otherwise.
  void put(std::shared_ptr<Connection> connection);
  /// Says goodbye to those idle for too long.
  void sweep();
  /// To all.
  void clear();
  [[nodiscard]] std::size_t size() const { return idle_.size(); }

 private:
  struct Idle {
    std::shared_ptr<Connection> connection;
    std::chrono::steady_clock::time_point since;
  };
  static void dismiss(std::shared_ptr<Connection> connection);

  const DeliverySettings* settings_;
  std::size_t per_host_;
  std::list<Idle> idle_;  ///< the longest idle first
};

}  // namespace postern::smtp::delivery
