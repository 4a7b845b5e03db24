// Upkeep while the server runs: bodies that no message refers to any more are erased some time
// after their last reader, tenant by tenant, in small steps.
//
// Owner: Server. Runs on the first io thread; stop() before the runtime stops.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

#include "app/server/parts.hpp"

namespace postern::server {

class Maintenance {
 public:
  explicit Maintenance(Parts& parts);
  void start();
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::server
