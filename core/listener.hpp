// Listening sockets by SO_REUSEPORT, one per io thread and address.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <functional>
#include <memory>

#include "core/result.hpp"
#include "core/runtime.hpp"

namespace postern {

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

}  // namespace postern
