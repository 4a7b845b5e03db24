// The IMAP server: makes sessions of accepted sockets. Owner: app; outlives its sessions' start
// only (each session keeps what it needs).
#pragma once

#include <memory>

#include "core/session_registry.hpp"
#include "imap/backend.hpp"
#include "imap/options.hpp"

namespace postern::imap {

class Server {
 public:
  /// `registry` counts and drains the sessions; null in tests.
  Server(std::shared_ptr<Backend> backend, Options options, SessionRegistry* registry)
      : backend_(std::move(backend)),
        options_(std::make_shared<const Options>(std::move(options))),
        registry_(registry) {}

  /// On the socket's io thread.
  void accept(asio::ip::tcp::socket socket, Security security) const;

 private:
  std::shared_ptr<Backend> backend_;
  std::shared_ptr<const Options> options_;
  SessionRegistry* registry_;
};

}  // namespace postern::imap
