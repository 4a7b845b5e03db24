// What an idle TLS session costs the server: the reason for running OpenSSL on the descriptor.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/core/sockets.hpp"
#include "tests/support/eventually.hpp"

namespace {
using namespace postern;
using namespace postern::test;

constexpr std::size_t kSessions = 2'000;
constexpr std::size_t kGoal = 40 * 1024;  // bytes a session, IMAP's own state included

std::size_t resident_bytes() {
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

Task<> idle_session(std::shared_ptr<Stream> stream, std::shared_ptr<const tls::Context> tls,
                    std::size_t* idle) {
  const auto shaken = co_await stream->start_tls_server(tls);
  if (!shaken) co_return;
  ++*idle;
  const auto readable = co_await stream->wait_readable();
  if (readable) stream->close();
}

struct Server {
  Tcp::acceptor acceptor;
  std::shared_ptr<const tls::Context> tls;
  std::size_t idle = 0;
};

Task<> accept_sessions(Server* server) {
  for (std::size_t i = 0; i < kSessions; ++i) {
    auto socket = co_await server->acceptor.async_accept(asio::use_awaitable);
    auto stream = std::make_shared<Stream>(std::move(socket));
    asio::co_spawn(server->acceptor.get_executor(),
                   idle_session(stream, server->tls, &server->idle), [](std::exception_ptr) {});
  }
}

Task<> hold_connection(Tcp::endpoint server, std::shared_ptr<const tls::Context> tls,
                       std::vector<std::unique_ptr<Stream>>* held) {
  auto stream = co_await connect_tcp(server, asio::ip::address(), std::chrono::seconds(60));
  if (!stream) co_return;
  const auto shaken = co_await (*stream)->start_tls_client(tls, "");
  if (shaken) held->push_back(std::move(*stream));
}

// The clients live in a process of their own, so that the server's memory is seen alone. They go
// when the pipe closes.
[[noreturn]] void be_the_clients(const Tcp::endpoint& server, int until_closed) {
  asio::io_context context{1};
  std::vector<std::unique_ptr<Stream>> held;
  const auto tls = opportunistic();
  for (std::size_t i = 0; i < kSessions; ++i) {
    asio::co_spawn(context, hold_connection(server, tls, &held), [](std::exception_ptr) {});
    context.restart();
    if (i % 100 == 99) context.run();
  }
  context.restart();
  context.run();
  char byte = 0;
  [[maybe_unused]] const auto end = ::read(until_closed, &byte, 1);
  ::_exit(0);
}

bool room_for_descriptors() {
  ::rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur > kSessions + 200;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
#else
constexpr bool kSanitized = false;
#endif
}  // namespace

TEST_CASE("idle_tls_session_costs_little_memory") {
  if (kSanitized || !room_for_descriptors()) {
    std::printf("SKIPPED: idle memory needs an unsanitized build and %zu descriptors\n", kSessions);
    return;
  }
  asio::io_context context{1};
  const TlsFiles files;
  Server server{Tcp::acceptor(context, Tcp::endpoint(kLoopback, 0)), files.server()};
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  const ::pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe[1]);
    be_the_clients(server.acceptor.local_endpoint(), pipe[0]);
  }
  ::close(pipe[0]);

  asio::co_spawn(context, accept_sessions(&server), [](std::exception_ptr) {});
  constexpr std::size_t kWarmUp = 200;  // what is allocated once doesn't count
  const auto limit = std::chrono::seconds(60);
  CHECK(eventually(context, [&] { return server.idle >= kWarmUp; }, limit));
  const std::size_t first = resident_bytes();
  CHECK(eventually(context, [&] { return server.idle == kSessions; }, limit));
  const std::size_t each = (resident_bytes() - first) / (kSessions - kWarmUp);
  ::close(pipe[1]);
  ::waitpid(child, nullptr, 0);
  CHECK(each < kGoal);
  std::printf("idle TLS session: %zu bytes\n", each);
}
