// A byte stream over a socket: plain, and TLS once started. The one connection type of every
// protocol, server and client.
//
// TLS runs OpenSSL on the socket's own descriptor with Asio readiness waits (no asio::ssl::stream:
// 16 KiB an idle connection instead of 90). Owner: one session; used from its io thread only; one
// reader and one writer at a time. Not movable: a session holds it as a member.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/task.hpp"
#include "core/tls/context.hpp"

namespace postern {

class Stream {
 public:
  explicit Stream(asio::ip::tcp::socket socket);
  explicit Stream(asio::local::stream_protocol::socket socket);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  [[nodiscard]] Executor executor() const;

  /// At least one byte, or Errc::io; 0 means the peer closed (TLS: with or without close_notify).
  /// After close() from this thread: Errc::cancelled.
  Task<Result<std::size_t>> read_some(std::span<char> out);
  /// All of `bytes`, which must stay alive until done.
  Task<Result<void>> write_all(std::string_view bytes);
  /// Ends our side (close_notify under TLS, then TCP's own end) and waits until the peer has ended
  /// its side; what it still sends is dropped. Without error the peer's transport has read
  /// everything that was written: an end with something unread would be a reset. Errc::io: the peer
  /// ended first, so that nobody knows; it ended TCP without close_notify, which anybody on the way
  /// can do in its place; it sent something behind its close_notify; or the connection broke.
  Task<Result<void>> finish();
  /// Waits until a read would not block, holding no buffer meanwhile (idle connections).
  Task<Result<void>> wait_readable();

  /// Server side of a handshake. Errc::io: it failed, the connection is of no more use. Nothing
  /// read before it may be used after it (the caller drops its input buffer; RFC 3207 §4.2).
  Task<Result<void>> start_tls_server(std::shared_ptr<const tls::Context> context);
  /// Client side; `server_name` is sent as SNI and checked when the context verifies. Errc::denied:
  /// the peer's certificate doesn't verify.
  Task<Result<void>> start_tls_client(std::shared_ptr<const tls::Context> context,
                                      std::string server_name);

  [[nodiscard]] bool is_tls() const;
  [[nodiscard]] std::string tls_version() const;  ///< "TLSv1.3", empty when plain
  [[nodiscard]] std::string tls_cipher() const;   ///< "TLS_AES_256_GCM_SHA384", empty when plain
  [[nodiscard]] int tls_cipher_bits() const;

  [[nodiscard]] asio::ip::tcp::endpoint remote() const;  ///< unspecified for a unix socket
  [[nodiscard]] asio::ip::tcp::endpoint local() const;

  /// Sends close_notify if that needs no waiting, then closes. Pending reads and writes end with
  /// Errc::cancelled. From the session's own thread only.
  void close();
  [[nodiscard]] bool is_open() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  // operations in flight share it
};

/// Connects within `timeout` (else Errc::timeout). The stream lives on the caller's executor.
/// `bind_address`: the local address to use, or unspecified.
Task<Result<std::unique_ptr<Stream>>> connect_tcp(asio::ip::tcp::endpoint remote,
                                                  asio::ip::address bind_address,
                                                  std::chrono::milliseconds timeout);

}  // namespace postern
