// One deadline a session, instead of a timer race per read (Boost 1.81 has no cancel_after).
//
// The session arms it before it waits and feeds it as things progress; when it expires, the action
// (close the stream) runs once on the session's thread. Arming is an assignment, not a timer
// operation: one timer per session wakes at the earliest deadline it knows.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "core/task.hpp"

namespace postern {

class Watchdog {
 public:
  /// `on_expiry` runs at most once, on `executor`; it must not outlive what it captures: the
  /// owner calls stop() (or dies) first.
  Watchdog(Executor executor, std::function<void()> on_expiry);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Expires `after` from now unless armed again or disarmed.
  void arm(std::chrono::milliseconds after);
  void disarm();
  void stop();
  [[nodiscard]] bool expired() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern
