// Upkeep while the server runs: bodies that no message refers to any more are erased some time
// after their last reader, tenant by tenant, in small steps; delivery events are dropped by the
// month; audit chains are cut once an hour.
//
// Owner: Server. Runs on the first io thread; stop() before the runtime stops.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

#include "app/server/parts.hpp"
#include "web/services.hpp"

namespace postern::server {

class Maintenance {
 public:
  /// Events are kept for `event_retention` at least: a month's file goes when all of it is older.
  Maintenance(Parts& parts, web::Services& services, std::chrono::milliseconds event_retention);
  void start();
  void stop();
  /// From any thread.
  void set_event_retention(std::chrono::milliseconds retention);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::server
