// A listening unix socket: of the local administration, or of a witness.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "core/runtime.hpp"

namespace postern {

/// Who may connect: the socket's owner (mode 0600), or whoever gets into its directory (0666).
enum class SocketAccess : std::uint8_t { owner, directory };

/// A unix socket on thread 0; a stale file is removed if nothing answers on it.
class LocalListener {
 public:
  using Socket = asio::local::stream_protocol::socket;
  using OnAccept = std::function<void(Socket socket)>;
  static Result<std::unique_ptr<LocalListener>> bind(Runtime& runtime, std::string path,
                                                     OnAccept on_accept,
                                                     SocketAccess access = SocketAccess::owner);
  ~LocalListener();
  void start();
  void stop_accepting();

 private:
  struct Impl;
  explicit LocalListener(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace postern
