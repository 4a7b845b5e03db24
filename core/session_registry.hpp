// The live sessions of one kind: how many there may be, and how they hear that the server drains.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "core/result.hpp"
#include "core/task.hpp"

namespace postern {

/// Counts sessions of one listener kind, bounds them, and closes them when the server drains.
class SessionRegistry {
 public:
  explicit SessionRegistry(std::size_t limit);
  ~SessionRegistry();

  /// Held by a session for its life. `on_drain` is called on the session's own thread when the
  /// server stops: an idle session says goodbye, a busy one finishes its transaction first.
  class Guard {
   public:
    Guard(Guard&&) noexcept;
    Guard& operator=(Guard&&) noexcept;
    ~Guard();

   private:
    friend class SessionRegistry;
    struct State;
    std::shared_ptr<State> state_;
    explicit Guard(std::shared_ptr<State> state);
  };

  /// Errc::overloaded when `limit` sessions live already (the protocol answers 421 or BYE).
  Result<Guard> enter(Executor executor, std::function<void()> on_drain);
  [[nodiscard]] std::size_t live() const;
  /// Calls every on_drain; later sessions are told at once.
  void drain();
  [[nodiscard]] bool draining() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace postern
