#include "core/stream.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "core/tls/session.hpp"

namespace postern {

namespace {
using Wait = asio::socket_base;

/// Operations in a row that needed no waiting, after which the other sessions of the thread have a
/// turn.
constexpr unsigned kTurn = 32;
/// Unread input that close() discards, so that the kernel sends what we wrote last instead of a
/// reset.
constexpr std::size_t kDiscard = 64 * 1024;
constexpr int kDiscards = 4;

std::unexpected<Error> cancelled() {
  return fail(Errc::cancelled, "the connection was closed here");
}
}  // namespace

// Shared with the operations in flight: they outlive the Stream by one resumption, and find it
// closed.
struct Stream::Impl {
  explicit Impl(asio::generic::stream_protocol::socket s) : socket(std::move(s)) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
  }

  asio::generic::stream_protocol::socket socket;
  std::unique_ptr<tls::Session> tls;
  asio::ip::tcp::endpoint remote;
  asio::ip::tcp::endpoint local;
  Error error;
  unsigned in_a_row = 0;
  bool open = true;

  using Step = tls::Step;

  Step fail_with_errno() {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return Step::want_read;
    error = Error{Errc::io, std::strerror(errno)};
    return Step::failed;
  }

  Step try_read(std::span<char> out, std::size_t& count) {
    if (tls) return tls->read(out, count);
    const auto got = ::recv(socket.native_handle(), out.data(), out.size(), 0);
    if (got < 0) return fail_with_errno();
    count = static_cast<std::size_t>(got);
    return count == 0 ? Step::closed : Step::done;
  }

  Step try_write(std::string_view bytes, std::size_t& count) {
    if (tls) return tls->write(bytes, count);
    count = 0;
    const auto sent = ::send(socket.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return fail_with_errno() == Step::failed ? Step::failed : Step::want_write;
    count = static_cast<std::size_t>(sent);
    return Step::done;
  }

  // Whether the peer's end has come already.
  bool peer_has_ended() {
    if (tls) return tls->peek() == Step::closed;
    char byte = 0;
    return ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

  // TCP's end behind that of TLS, where nothing else may come.
  Step try_end() {
    char byte = 0;
    const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_DONTWAIT);
    if (got < 0) return fail_with_errno();
    return got == 0 ? Step::closed : Step::done;
  }

  Step try_peek() {
    if (tls) return tls->peek();
    char byte = 0;
    const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK);
    return got < 0 ? fail_with_errno() : Step::done;
  }

  [[nodiscard]] std::unexpected<Error> failure() const {
    return std::unexpected(tls ? tls->error() : error);
  }

  void close() {
    if (!open) return;
    open = false;
    if (tls) tls->shutdown();
    for (int i = 0; i < kDiscards; ++i) {
      if (::recv(socket.native_handle(), nullptr, kDiscard, MSG_TRUNC | MSG_DONTWAIT) <= 0) break;
    }
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  // What an operation does between two tries: waits for the socket, or gives way to other sessions.
  static Task<void> wait(std::shared_ptr<Impl> self, Step step);
  static Task<void> take_turn(std::shared_ptr<Impl> self);

  static Task<Result<std::size_t>> read_some(std::shared_ptr<Impl> self, std::span<char> out);
  static Task<Result<void>> write_all(std::shared_ptr<Impl> self, std::string_view bytes);
  static Task<Result<void>> finish(std::shared_ptr<Impl> self);
  static Task<Result<void>> finish_tcp(std::shared_ptr<Impl> self);
  static Task<Result<void>> wait_readable(std::shared_ptr<Impl> self);
  static Task<Result<void>> handshake(std::shared_ptr<Impl> self,
                                      std::shared_ptr<const tls::Context> context, tls::Role role,
                                      std::string server_name);
};

Task<void> Stream::Impl::wait(std::shared_ptr<Impl> self, Step step) {
  self->in_a_row = 0;
  // An error shows again, with its reason, at the next try.
  boost::system::error_code ignored;
  const auto kind = step == Step::want_write ? Wait::wait_write : Wait::wait_read;
  co_await self->socket.async_wait(kind, asio::redirect_error(asio::use_awaitable, ignored));
}

Task<void> Stream::Impl::take_turn(std::shared_ptr<Impl> self) {
  self->in_a_row = 0;
  co_await asio::post(self->socket.get_executor(), asio::use_awaitable);
}

Task<Result<std::size_t>> Stream::Impl::read_some(std::shared_ptr<Impl> self, std::span<char> out) {
  if (out.empty()) co_return fail(Errc::invalid, "a read into no room");
  if (++self->in_a_row >= kTurn) co_await take_turn(self);
  while (self->open) {
    std::size_t count = 0;
    const Step step = self->try_read(out, count);
    if (step == Step::done) co_return count;
    if (step == Step::closed) co_return std::size_t{0};
    if (step == Step::failed) co_return self->failure();
    co_await wait(self, step);
  }
  co_return cancelled();
}

Task<Result<void>> Stream::Impl::write_all(std::shared_ptr<Impl> self, std::string_view bytes) {
  while (self->open) {
    if (bytes.empty()) co_return Result<void>{};
    if (++self->in_a_row >= kTurn) {
      co_await take_turn(self);
      continue;
    }
    std::size_t count = 0;
    const Step step = self->try_write(bytes, count);
    bytes.remove_prefix(count);
    if (step == Step::done) continue;
    if (step == Step::closed) co_return fail(Errc::io, "the peer closed the connection");
    if (step == Step::failed) co_return self->failure();
    co_await wait(self, step);
  }
  co_return cancelled();
}

Task<Result<void>> Stream::Impl::finish(std::shared_ptr<Impl> self) {
  if (self->open && self->peer_has_ended()) co_return fail(Errc::io, "the peer closed too early");
  while (self->open && self->tls) {
    const Step step = self->tls->send_close();
    if (step == Step::done) break;
    if (step == Step::closed) co_return fail(Errc::io, "the peer closed too early");
    if (step == Step::failed) co_return self->failure();
    co_await wait(self, step);
  }
  if (!self->open) co_return cancelled();
  if (::shutdown(self->socket.native_handle(), SHUT_WR) != 0) {
    co_return fail(Errc::io, std::strerror(errno));
  }
  std::array<char, 4096> dropped{};
  for (std::size_t more = 1; more > 0;) {
    const auto got = co_await read_some(self, dropped);
    if (!got) co_return std::unexpected(got.error());
    more = *got;
  }
  if (self->tls && !self->tls->has_close_notify()) {
    co_return fail(Errc::io, "the peer ended the connection without ending TLS");
  }
  co_return co_await finish_tcp(self);
}

Task<Result<void>> Stream::Impl::finish_tcp(std::shared_ptr<Impl> self) {
  constexpr const char* kMore = "the peer sent something behind its end";
  if (self->tls && self->tls->has_rest()) co_return fail(Errc::io, kMore);
  while (self->open) {
    const Step step = self->try_end();
    if (step == Step::closed) co_return Result<void>{};
    if (step == Step::failed) co_return std::unexpected(self->error);
    if (step == Step::done) co_return fail(Errc::io, kMore);
    co_await wait(self, step);
  }
  co_return cancelled();
}

Task<Result<void>> Stream::Impl::wait_readable(std::shared_ptr<Impl> self) {
  if (++self->in_a_row >= kTurn) co_await take_turn(self);
  while (self->open) {
    const Step step = self->try_peek();
    if (step == Step::done || step == Step::closed) co_return Result<void>{};
    if (step == Step::failed) co_return self->failure();
    co_await wait(self, step);
    // Readable, by the kernel's word; under TLS there may be half a record.
    if (self->open && !self->tls) co_return Result<void>{};
  }
  co_return cancelled();
}

Task<Result<void>> Stream::Impl::handshake(std::shared_ptr<Impl> self,
                                           std::shared_ptr<const tls::Context> context,
                                           tls::Role role, std::string server_name) {
  if (!self->open) co_return cancelled();
  if (self->tls) co_return fail(Errc::invalid, "TLS runs already");
  auto made =
      tls::Session::make(std::move(context), self->socket.native_handle(), role, server_name);
  if (!made) co_return std::unexpected(made.error());
  self->tls = std::move(*made);
  while (self->open) {
    const Step step = self->tls->handshake();
    if (step == Step::done) co_return Result<void>{};
    if (step == Step::closed || step == Step::failed) co_return self->failure();
    co_await wait(self, step);
  }
  co_return cancelled();
}

Stream::Stream(asio::ip::tcp::socket socket) {
  boost::system::error_code ignored;
  const auto remote = socket.remote_endpoint(ignored);
  const auto local = socket.local_endpoint(ignored);
  // Replies are written whole: Nagle would only delay the last piece of each.
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  impl_ = std::make_shared<Impl>(std::move(socket));
  impl_->remote = remote;
  impl_->local = local;
}

Stream::Stream(asio::local::stream_protocol::socket socket)
    : impl_(std::make_shared<Impl>(std::move(socket))) {}

Stream::~Stream() { impl_->close(); }

Executor Stream::executor() const { return impl_->socket.get_executor(); }

Task<Result<std::size_t>> Stream::read_some(std::span<char> out) {
  return Impl::read_some(impl_, out);
}

Task<Result<void>> Stream::write_all(std::string_view bytes) {
  return Impl::write_all(impl_, bytes);
}

Task<Result<void>> Stream::finish() { return Impl::finish(impl_); }

Task<Result<void>> Stream::wait_readable() { return Impl::wait_readable(impl_); }

Task<Result<void>> Stream::start_tls_server(std::shared_ptr<const tls::Context> context) {
  return Impl::handshake(impl_, std::move(context), tls::Role::server, {});
}

Task<Result<void>> Stream::start_tls_client(std::shared_ptr<const tls::Context> context,
                                            std::string server_name) {
  return Impl::handshake(impl_, std::move(context), tls::Role::client, std::move(server_name));
}

bool Stream::is_tls() const { return impl_->tls != nullptr; }

std::string Stream::tls_version() const {
  return impl_->tls ? impl_->tls->version() : std::string();
}

std::string Stream::tls_cipher() const { return impl_->tls ? impl_->tls->cipher() : std::string(); }

int Stream::tls_cipher_bits() const { return impl_->tls ? impl_->tls->cipher_bits() : 0; }

asio::ip::tcp::endpoint Stream::remote() const { return impl_->remote; }

asio::ip::tcp::endpoint Stream::local() const { return impl_->local; }

void Stream::close() { impl_->close(); }

bool Stream::is_open() const { return impl_->open; }

}  // namespace postern
