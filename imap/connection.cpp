#include "imap/connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <span>
#include <utility>

namespace postern::imap {

namespace {
constexpr std::chrono::seconds kGoodbyeTime{5};

void release(std::string& buffer) { std::string().swap(buffer); }
}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, const Timeouts& timeouts)
    : timeouts_(timeouts),
      stream_(std::move(socket)),
      watchdog_(stream_.executor(), [this] { expired(); }),
      timer_(stream_.executor()) {}

void Connection::consume(std::size_t count) {
  begin_ += count;
  if (begin_ < input_.size()) return;
  input_.clear();
  begin_ = 0;
}

Task<Result<bool>> Connection::fill(std::chrono::milliseconds deadline, Wait wait) {
  input_ready_ = false;  // nobody watches now: a session reads only what watch_input() has seen
  if (begin_ == input_.size()) {
    release(input_);
    begin_ = 0;
    if (out_.empty()) release(out_);
    waiting_ = wait == Wait::for_command;
    watchdog_.arm(deadline);
    const auto readable = co_await stream_.wait_readable();
    waiting_ = false;
    if (!readable) co_return std::unexpected(readable.error());
    if (saying_goodbye_) co_return fail(Errc::cancelled, "the session is over");
  }
  watchdog_.arm(deadline);
  const std::size_t old_size = input_.size();
  input_.resize(old_size + kReadSize);
  const auto got = co_await stream_.read_some(std::span(input_).subspan(old_size));
  input_.resize(old_size + got.value_or(0));
  watchdog_.disarm();
  if (!got) co_return std::unexpected(got.error());
  co_return *got > 0;
}

Task<Result<std::string>> Connection::read_line(std::size_t limit,
                                                std::chrono::milliseconds deadline) {
  while (true) {
    const auto newline = input().find('\n');
    if (newline != std::string_view::npos && newline <= limit + 1) {
      std::string line(input().substr(0, newline));
      consume(newline + 1);
      if (!line.ends_with('\r')) co_return fail(Errc::invalid, "a line that ends in a bare LF");
      line.pop_back();
      co_return line;
    }
    if (input().size() > limit) co_return fail(Errc::too_large, "the line is too long");
    const auto more = co_await fill(deadline, Wait::within_command);
    if (!more) co_return std::unexpected(more.error());
    if (!*more) co_return fail(Errc::io, "the peer closed the connection");
  }
}

Task<Result<void>> Connection::flush() {
  if (saying_goodbye_) co_return fail(Errc::cancelled, "the session is over");
  if (out_.empty()) co_return Result<void>{};
  watchdog_.arm(timeouts_.write);
  const auto written = co_await stream_.write_all(out_);
  watchdog_.disarm();
  out_.clear();
  ++flushes_;
  co_return written;
}

Task<Result<void>> Connection::flush_if_large() {
  if (out_.size() < kFlushSize) co_return Result<void>{};
  co_return co_await flush();
}

Task<Result<void>> Connection::start_tls(std::shared_ptr<const tls::Context> context) {
  release(input_);
  begin_ = 0;
  watchdog_.arm(timeouts_.greeting);
  const auto done = co_await stream_.start_tls_server(std::move(context));
  watchdog_.disarm();
  co_return done;
}

// One coroutine waits for the socket for as long as it takes, so that news can end the session's
// own wait without touching the socket's.
Task<void> Connection::watch_input(std::shared_ptr<Connection> self) {
  const auto readable = co_await self->stream_.wait_readable();
  self->watching_input_ = false;
  self->input_ready_ = true;  // an error too: the read that follows will find it
  (void)readable;
  self->timer_.cancel();
}

Task<Result<void>> Connection::wait_for_news(std::chrono::milliseconds deadline) {
  if (begin_ == input_.size()) {
    release(input_);
    begin_ = 0;
  }
  release(out_);
  if (!watching_input_ && !input_ready()) {
    watching_input_ = true;
    asio::co_spawn(stream_.executor(), watch_input(shared_from_this()), asio::detached);
  }
  waiting_ = true;
  watchdog_.arm(deadline);
  while (!input_ready() && !woken_ && stream_.is_open()) {
    boost::system::error_code cancelled;
    timer_.expires_at(asio::steady_timer::time_point::max());
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
  waiting_ = false;
  woken_ = false;
  if (!stream_.is_open() || saying_goodbye_) co_return fail(Errc::cancelled, "the session is over");
  co_return Result<void>{};
}

void Connection::wake() {
  woken_ = true;
  if (waiting_) timer_.cancel();
}

Task<void> Connection::sleep(std::chrono::milliseconds time) {
  boost::system::error_code cancelled;
  watchdog_.disarm();
  timer_.expires_after(time);
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
}

void Connection::expired() {
  if (waiting_ && !saying_goodbye_) return begin_goodbye("Idle for too long, logging out");
  close();
}

void Connection::end_when_idle(std::string text) {
  if (saying_goodbye_ || !ending_.empty()) return;
  if (waiting_) return begin_goodbye(std::move(text));
  ending_ = std::move(text);
}

void Connection::begin_goodbye(std::string text) {
  saying_goodbye_ = true;
  asio::co_spawn(stream_.executor(), say_goodbye(shared_from_this(), std::move(text)),
                 asio::detached);
}

Task<void> Connection::say_goodbye(std::shared_ptr<Connection> self, std::string text) {
  // The session's own watchdog may have expired already.
  self->goodbye_deadline_ = std::make_unique<Watchdog>(
      self->stream_.executor(), [connection = self.get()] { connection->close(); });
  self->goodbye_deadline_->arm(kGoodbyeTime);
  const std::string line = "* BYE " + text + "\r\n";
  const auto written = co_await self->stream_.write_all(line);
  (void)written;  // it is over either way
  self->close();
}

void Connection::close() {
  watchdog_.stop();
  if (goodbye_deadline_) goodbye_deadline_->stop();
  stream_.close();
  timer_.cancel();
}

}  // namespace postern::imap
