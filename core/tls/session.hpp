// One side of one TLS connection on a non-blocking socket descriptor: each step tries and says what
// it would have to wait for. No waiting here: Stream does that.
//
// Owner: a Stream, which owns the descriptor too and closes it after this object was last used.
// After Step::failed only the destructor and the describing functions may be called.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/tls/context.hpp"

struct ssl_st;

namespace postern::tls {

enum class Step : std::uint8_t {
  done,
  want_read,   ///< try again when the descriptor is readable
  want_write,  ///< try again when the descriptor is writable
  closed,      ///< the peer closed, with or without close_notify
  failed,      ///< error() says how; the connection is lost
};

enum class Role : std::uint8_t { server, client };

class Session {
 public:
  /// `server_name` (client only): sent as SNI unless it is an address; checked if the context
  /// verifies.
  static Result<std::unique_ptr<Session>> make(std::shared_ptr<const Context> context,
                                               int descriptor, Role role,
                                               const std::string& server_name);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Step handshake();
  Step read(std::span<char> out, std::size_t& count);
  /// Done when plaintext waits to be read. Takes what carries no data (tickets) off the wire.
  Step peek();
  /// Writes at most one record's worth; `count` says how much was taken.
  Step write(std::string_view bytes, std::size_t& count);
  /// Sends close_notify; what the peer still sends can be read.
  Step send_close();
  /// Whether a Step::closed of read() was the peer's close_notify, and not just the end of TCP.
  [[nodiscard]] bool has_close_notify() const;
  /// Whether something came that read() hasn't looked at.
  [[nodiscard]] bool has_rest() const;
  /// Sends close_notify if that needs no waiting.
  void shutdown();

  [[nodiscard]] const Error& error() const { return error_; }
  [[nodiscard]] std::string version() const;
  [[nodiscard]] std::string cipher() const;
  [[nodiscard]] int cipher_bits() const;

 private:
  struct Free {
    void operator()(ssl_st* ssl) const noexcept;
  };
  Session(std::shared_ptr<const Context> context, ssl_st* ssl)
      : context_(std::move(context)), ssl_(ssl) {}
  Result<void> name_peer(const std::string& server_name);
  Step outcome(int returned);
  Step fail_with(Errc code, std::string message);

  std::shared_ptr<const Context> context_;
  std::unique_ptr<ssl_st, Free> ssl_;
  Error error_;
  bool failed_ = false;
};

}  // namespace postern::tls
