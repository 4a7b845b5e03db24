// HTTP servers for the client's tests: what they were asked, and answers the test wrote, byte for
// byte.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/core/sockets.hpp"

namespace postern::test {

struct ServerState {
  explicit ServerState(asio::io_context& context)
      : acceptor(context, Tcp::endpoint(kLoopback, 0)), forever(context) {
    forever.expires_at(std::chrono::steady_clock::time_point::max());
  }
  Tcp::acceptor acceptor;
  asio::steady_timer forever;
  std::shared_ptr<const tls::Context> tls;  // null: plain
  std::function<std::string(const std::string& request)> answer;
  bool hangs = false;         // keeps the connection open after its answer
  bool drips = false;         // a byte at a time
  bool tunnels = false;       // a CONNECT proxy: after its answer it joins the two sides
  unsigned short target = 0;  // where a tunnel leads
  std::vector<std::string> requests;
  unsigned connections = 0;
};

/// Header block and as much body as Content-Length says.
inline Task<std::string> read_request(Stream& stream) {
  std::string all;
  std::string buffer(4096, '\0');
  for (;;) {
    if (const auto end = all.find("\r\n\r\n"); end != std::string::npos) {
      const auto field = all.find("Content-Length: ");
      const std::size_t body = field < end ? std::stoul(all.substr(field + 16)) : 0;
      if (all.size() >= end + 4 + body) co_return all;
    }
    auto got = co_await stream.read_some(buffer);
    if (!got || *got == 0) co_return all;
    all.append(buffer, 0, *got);
  }
}

inline Task<> pass_on(std::shared_ptr<Stream> from, std::shared_ptr<Stream> to) {
  std::string buffer(16 * 1024, '\0');
  for (;;) {
    auto got = co_await from->read_some(buffer);
    if (!got || *got == 0) break;
    if (auto sent = co_await to->write_all(std::string_view(buffer).substr(0, *got)); !sent) break;
  }
  to->close();
}

inline Task<> serve(std::shared_ptr<ServerState> state, std::shared_ptr<Stream> stream) {
  if (state->tls) {
    if (auto secured = co_await stream->start_tls_server(state->tls); !secured) co_return;
  }
  const std::string request = co_await read_request(*stream);
  if (request.empty()) co_return;
  state->requests.push_back(request);
  const std::string answer = state->answer(request);
  const std::size_t piece = state->drips ? 1 : std::max<std::size_t>(answer.size(), 1);
  for (std::size_t at = 0; at < answer.size(); at += piece) {
    if (auto ok = co_await stream->write_all(std::string_view(answer).substr(at, piece)); !ok)
      break;
  }
  if (state->tunnels && answer.starts_with("HTTP/1.1 200")) {
    auto onward = co_await connect_tcp(Tcp::endpoint(kLoopback, state->target), asio::ip::address(),
                                       std::chrono::seconds(5));
    if (!onward) co_return;
    const std::shared_ptr<Stream> far = std::move(*onward);
    asio::co_spawn(stream->executor(), pass_on(far, stream), [](std::exception_ptr) {});
    co_await pass_on(stream, far);
  }
  boost::system::error_code ended;
  if (state->hangs) {
    co_await state->forever.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  }
  stream->close();
}

inline Task<> accept_all(std::shared_ptr<ServerState> state) {
  for (;;) {
    boost::system::error_code ec;
    auto socket =
        co_await state->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return;
    ++state->connections;
    asio::co_spawn(state->acceptor.get_executor(),
                   serve(state, std::make_shared<Stream>(std::move(socket))),
                   [](std::exception_ptr) {});
  }
}

/// On 127.0.0.1, until it is destroyed. `tls` null: plain.
class TestServer {
 public:
  TestServer(asio::io_context& context, std::shared_ptr<const tls::Context> tls,
             std::string answer = {})
      : state_(std::make_shared<ServerState>(context)) {
    state_->tls = std::move(tls);
    state_->answer = [answer](const std::string&) { return answer; };
    asio::co_spawn(context, accept_all(state_), [](std::exception_ptr) {});
  }
  ~TestServer() {
    state_->acceptor.close();
    state_->forever.cancel();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  [[nodiscard]] unsigned short port() const { return state_->acceptor.local_endpoint().port(); }
  [[nodiscard]] std::string url(std::string_view path = "/",
                                std::string_view host = "hook.example.test",
                                std::string_view scheme = "https") const {
    return std::string(scheme) + "://" + std::string(host) + ":" + std::to_string(port()) +
           std::string(path);
  }
  ServerState& state() { return *state_; }

 private:
  std::shared_ptr<ServerState> state_;
};

}  // namespace postern::test
