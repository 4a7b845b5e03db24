// Sends the audit trails to their receivers while the server runs: looks every two seconds which
// chains have something new, and gives some of them a turn at a time (audit_turns.hpp).
//
// Owner: Server. Runs on the first io thread; stop() before the runtime stops. What is under way
// then is cut off and sent again after the next start.
#pragma once

#include <memory>

#include "app/server/audit_delivery.hpp"
#include "core/runtime.hpp"

namespace postern::server {

class AuditStreams {
 public:
  AuditStreams(Runtime& runtime, StreamWork work);
  void start();
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::server
