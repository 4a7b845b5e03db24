// The bytes of one session: buffered input and output over a Stream, deadlines, and the one wait
// that ends for input or for news.
//
// Owner: the session, on its io thread. While it waits for a command, no read buffer is held (an
// idle session costs its TLS state and a coroutine). Output is flushed by the session; the peer's
// slowness stops it there.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/stream.hpp"
#include "core/watchdog.hpp"
#include "imap/options.hpp"

namespace postern::imap {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::ip::tcp::socket socket, const Timeouts& timeouts);

  [[nodiscard]] Stream& stream() { return stream_; }

  // Input.
  [[nodiscard]] std::string_view input() const { return std::string_view(input_).substr(begin_); }
  void consume(std::size_t count);
  /// What a wait is for: only one for a command may be ended with a polite BYE.
  enum class Wait : std::uint8_t { for_command, within_command };
  /// Waits for more input, at most `deadline`; false: the peer has closed.
  Task<Result<bool>> fill(std::chrono::milliseconds deadline, Wait wait);
  /// One line without CRLF (SASL responses, DONE). Errc::too_large above `limit`, Errc::invalid for
  /// one that ends in a bare LF, Errc::io when the peer has closed.
  Task<Result<std::string>> read_line(std::size_t limit, std::chrono::milliseconds deadline);

  // Output.
  [[nodiscard]] std::string& out() { return out_; }
  Task<Result<void>> flush();
  Task<Result<void>> flush_if_large();
  /// How often output has left; to know whether something can still be taken back.
  [[nodiscard]] std::uint64_t flushes() const { return flushes_; }

  /// Drops all input, handshakes; what was read before is never used (RFC 3501 §6.2.1).
  Task<Result<void>> start_tls(std::shared_ptr<const tls::Context> context);

  /// Waits until input is there or wake() was called since the last call; either may be true.
  Task<Result<void>> wait_for_news(std::chrono::milliseconds deadline);
  [[nodiscard]] bool input_ready() const { return input_ready_ || begin_ < input_.size(); }
  void wake();

  Task<void> sleep(std::chrono::milliseconds time);

  /// Idle: says `* BYE text` and closes. Busy: only when that is done, see ending(). Once.
  void end_when_idle(std::string text);
  /// The text given to end_when_idle(), not said yet; empty: none.
  [[nodiscard]] const std::string& ending() const { return ending_; }
  void close();

 private:
  static constexpr std::size_t kReadSize = 16UL * 1024;
  static constexpr std::size_t kFlushSize = 32UL * 1024;

  static Task<void> watch_input(std::shared_ptr<Connection> self);
  static Task<void> say_goodbye(std::shared_ptr<Connection> self, std::string text);
  void expired();
  void begin_goodbye(std::string text);

  Timeouts timeouts_;
  Stream stream_;
  Watchdog watchdog_;
  asio::steady_timer timer_;  ///< wakes wait_for_news(); counts sleep()
  std::string input_;
  std::size_t begin_ = 0;
  std::string out_;
  std::uint64_t flushes_ = 0;
  std::string ending_;
  bool waiting_ = false;         ///< for a command: may be ended politely
  bool saying_goodbye_ = false;  ///< another coroutine writes the last words
  bool watching_input_ = false;
  bool input_ready_ = false;
  bool woken_ = false;
  std::unique_ptr<Watchdog> goodbye_deadline_;
};

}  // namespace postern::imap
