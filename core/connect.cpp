// connect_tcp: an outbound connection with a time limit of its own.
#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/stream.hpp"

namespace postern {

namespace {
using boost::system::error_code;
using Tcp = asio::ip::tcp;

// Shared by the connecting coroutine and its timer's handler, whichever ends last.
struct Attempt {
  explicit Attempt(const Executor& executor) : socket(executor), timer(executor) {}
  Tcp::socket socket;
  asio::steady_timer timer;
  bool connecting = true;
  bool timed_out = false;
};

void limit(const std::shared_ptr<Attempt>& attempt, std::chrono::milliseconds timeout) {
  attempt->timer.expires_after(timeout);
  attempt->timer.async_wait([attempt](error_code ec) {
    if (ec || !attempt->connecting) return;
    attempt->timed_out = true;
    error_code ignored;
    attempt->socket.close(ignored);
  });
}

std::unexpected<Error> failure(const Tcp::endpoint& remote, const Attempt& attempt,
                               const error_code& ec) {
  const auto where = fmt::format("{} port {}", remote.address().to_string(), remote.port());
  if (attempt.timed_out) return fail(Errc::timeout, "no connection to " + where + " in time");
  return fail(Errc::io, fmt::format("{}: {}", where, ec.message()));
}
}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect_tcp(Tcp::endpoint remote,
                                                  asio::ip::address bind_address,
                                                  std::chrono::milliseconds timeout) {
  auto attempt = std::make_shared<Attempt>(co_await asio::this_coro::executor);
  error_code ec;
  attempt->socket.open(remote.protocol(), ec);
  if (!ec && !bind_address.is_unspecified()) {
    attempt->socket.bind(Tcp::endpoint(bind_address, 0), ec);
  }
  if (ec) co_return failure(remote, *attempt, ec);
  limit(attempt, timeout);
  co_await attempt->socket.async_connect(remote, asio::redirect_error(asio::use_awaitable, ec));
  attempt->connecting = false;
  attempt->timer.cancel();
  if (ec || attempt->timed_out) co_return failure(remote, *attempt, ec);
  co_return std::make_unique<Stream>(std::move(attempt->socket));
}

}  // namespace postern
