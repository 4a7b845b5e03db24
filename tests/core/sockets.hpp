// Connected sockets and small coroutines for the stream tests.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/stream.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temp_directory.hpp"

namespace postern::test {

using Tcp = asio::ip::tcp;

inline const asio::ip::address kLoopback = asio::ip::address_v4::loopback();

struct Sockets {
  Tcp::socket client;
  Tcp::socket server;
};

inline Sockets connected_sockets(asio::io_context& context) {
  Tcp::acceptor acceptor(context, Tcp::endpoint(kLoopback, 0));
  Sockets pair{Tcp::socket(context), Tcp::socket(context)};
  pair.client.connect(acceptor.local_endpoint());
  acceptor.accept(pair.server);
  return pair;
}

/// Two Streams connected to each other.
struct Streams {
  explicit Streams(asio::io_context& context) : Streams(connected_sockets(context)) {}
  explicit Streams(Sockets sockets)
      : client(std::move(sockets.client)), server(std::move(sockets.server)) {}
  Stream client;
  Stream server;
};

/// Reads until `size` bytes are there, the peer closes, or an error: then what came so far.
inline Task<std::string> read_exactly(Stream& stream, std::size_t size, std::size_t chunk = 4096) {
  std::string all;
  std::string buffer(chunk, '\0');
  while (all.size() < size) {
    auto got =
        co_await stream.read_some(std::span(buffer).first(std::min(chunk, size - all.size())));
    if (!got || *got == 0) break;
    all.append(buffer, 0, *got);
  }
  co_return all;
}

/// A task started now, its outcome looked at later.
template <class T>
class Started {
 public:
  Started(asio::io_context& context, Task<T> task)
      : outcome_(std::make_shared<detail::Outcome<T>>()) {
    asio::co_spawn(context, detail::store<T>(std::move(task), outcome_),
                   [outcome = outcome_](std::exception_ptr e) {
                     outcome->done = true;
                     outcome->error = std::move(e);
                   });
  }
  [[nodiscard]] bool done() const { return outcome_->done; }
  T& value() {
    if (outcome_->error) std::rethrow_exception(outcome_->error);
    return outcome_->value.value();
  }
  /// Runs `context` until the task has ended.
  T& get(asio::io_context& context, std::chrono::milliseconds limit = kTaskTime) {
    context.restart();
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done() && context.run_one_until(end) > 0) {
    }
    if (!done()) throw std::runtime_error("the task did not end in time");
    return value();
  }

 private:
  std::shared_ptr<detail::Outcome<T>> outcome_;
};

/// A certificate of its own and contexts for both sides.
struct TlsFiles {
  TempDirectory directory;
  std::string certificate;
  std::string key;

  explicit TlsFiles(const std::string& hostname = "mail.example.test") {
    const auto made = tls::make_self_signed(hostname).value();
    certificate = directory.write("certificate.pem", made.certificate_pem);
    key = directory.write("key.pem", made.key_pem);
  }
  [[nodiscard]] std::shared_ptr<const tls::Context> server() const {
    return tls::Context::make_server(certificate, key).value();
  }
};

inline std::shared_ptr<const tls::Context> opportunistic() {
  return tls::Context::make_client(tls::Context::Verify::none).value();
}

/// The Errc of a failed result; nullopt when it succeeded.
template <class T>
std::optional<Errc> code(const Result<T>& result) {
  if (result) return std::nullopt;
  return result.error().code;
}

}  // namespace postern::test
