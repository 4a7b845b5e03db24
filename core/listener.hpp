// Listening sockets by SO_REUSEPORT, one per io thread and address, and the count of live sessions.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/runtime.hpp"

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

/// Accepts on every io thread and hands each socket to `on_accept` on that thread. `on_accept` is
/// an ordinary function that spawns the session.
class Listener {
 public:
  using Socket = asio::ip::tcp::socket;
  using OnAccept = std::function<void(Socket socket, std::size_t thread)>;

  /// Binds at once; errors name the address. Port 0 picks a free one (see port()).
  static Result<std::unique_ptr<Listener>> bind(Runtime& runtime, asio::ip::tcp::endpoint address,
                                                OnAccept on_accept);
  ~Listener();
  [[nodiscard]] asio::ip::tcp::endpoint address() const;
  void start();           ///< begins to accept on each thread
  void stop_accepting();  ///< closes the listening sockets; from any thread

 private:
  struct Impl;
  explicit Listener(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// A unix socket with mode 0600 on thread 0; a stale file is removed if nothing answers on it.
class LocalListener {
 public:
  using Socket = asio::local::stream_protocol::socket;
  using OnAccept = std::function<void(Socket socket)>;
  static Result<std::unique_ptr<LocalListener>> bind(Runtime& runtime, std::string path,
                                                     OnAccept on_accept);
  ~LocalListener();
  void start();
  void stop_accepting();

 private:
  struct Impl;
  explicit LocalListener(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace postern
