#include "core/listener.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <mutex>

#include "core/local_listener.hpp"
#include "core/log.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_directory.hpp"

namespace {
using namespace postern;
using test::eventually;
using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;

const Tcp::endpoint kAnyPort(asio::ip::address_v4::loopback(), 0);

// Counts what was accepted on each thread, and holds the sockets of none.
struct Counter {
  std::array<std::atomic<int>, 4> on_thread{};
  Listener::OnAccept callback() {
    return [this](Listener::Socket, std::size_t thread) { ++on_thread.at(thread); };
  }
  [[nodiscard]] int total() const {
    int sum = 0;
    for (const auto& count : on_thread) sum += count;
    return sum;
  }
};

struct Clients {
  asio::io_context context{1};
  std::vector<Tcp::socket> sockets;
  bool connect(const Tcp::endpoint& address) {
    boost::system::error_code ec;
    sockets.emplace_back(context).connect(address, ec);
    return !ec;
  }
};

// The lowest descriptor that is free now.
int free_descriptor() {
  const int fd = ::open("/dev/null", O_RDONLY);
  ::close(fd);
  return fd;
}
}  // namespace

TEST_CASE("listener_on_port_zero_accepts_on_every_thread") {
  Counter counter;
  Runtime runtime(2);
  const auto listener = Listener::bind(runtime, kAnyPort, counter.callback()).value();
  REQUIRE(listener->address().port() != 0);
  runtime.start();
  listener->start();
  Clients clients;
  constexpr int kConnections = 64;
  for (int i = 0; i < kConnections; ++i) REQUIRE(clients.connect(listener->address()));
  CHECK(eventually([&] { return counter.total() == kConnections; }));
  CHECK(counter.on_thread[0] > 0);
  CHECK(counter.on_thread[1] > 0);
  runtime.stop();
}

TEST_CASE("listener_address_taken_is_an_error_that_names_it") {
  Counter counter;
  Runtime runtime(2);
  const auto first = Listener::bind(runtime, kAnyPort, counter.callback()).value();
  const auto second = Listener::bind(runtime, first->address(), counter.callback());
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::io);
  CHECK(second.error().message.find("127.0.0.1:" + std::to_string(first->address().port())) !=
        std::string::npos);
}

TEST_CASE("listener_stopped_accepts_no_more") {
  Counter counter;
  Runtime runtime(2);
  const auto listener = Listener::bind(runtime, kAnyPort, counter.callback()).value();
  runtime.start();
  listener->start();
  Clients clients;
  REQUIRE(clients.connect(listener->address()));
  CHECK(eventually([&] { return counter.total() == 1; }));
  listener->stop_accepting();
  CHECK(eventually([&] { return !clients.connect(listener->address()); }));
  listener->stop_accepting();
  runtime.stop();
}

TEST_CASE("listener_and_runtime_may_end_in_any_state") {
  Counter counter;
  {
    Runtime runtime(2);
    const auto never_started = Listener::bind(runtime, kAnyPort, counter.callback()).value();
  }
  {
    Runtime runtime(2);
    const auto listener = Listener::bind(runtime, kAnyPort, counter.callback()).value();
    listener->start();
    runtime.start();
    runtime.stop();
  }
  CHECK(counter.total() == 0);
}

TEST_CASE("listener_survives_an_accept_callback_that_throws") {
  std::atomic<int> calls{0};
  Runtime runtime(1);
  const auto listener = Listener::bind(runtime, kAnyPort, [&](Listener::Socket, std::size_t) {
                          if (++calls == 1) throw std::runtime_error("bug");
                        }).value();
  runtime.start();
  listener->start();
  Clients clients;
  REQUIRE(clients.connect(listener->address()));
  REQUIRE(clients.connect(listener->address()));
  CHECK(eventually([&] { return calls == 2; }));
  runtime.stop();
}

TEST_CASE("listener_without_descriptors_pauses_and_goes_on") {
  const test::TempDirectory directory;
  log::configure(log::Level::info, log::Format::text, directory.file("log"));
  std::atomic<int> accepted{0};
  std::mutex mutex;
  std::vector<Listener::Socket> held;
  Runtime runtime(1);
  const auto listener =
      Listener::bind(runtime, kAnyPort, [&](Listener::Socket socket, std::size_t) {
        const std::scoped_lock lock(mutex);
        held.push_back(std::move(socket));
        ++accepted;
      }).value();
  runtime.start();
  Clients clients;
  constexpr int kConnections = 5;
  for (int i = 0; i < kConnections; ++i) REQUIRE(clients.connect(listener->address()));

  ::rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  ::rlimit tight = before;
  tight.rlim_cur = static_cast<::rlim_t>(free_descriptor());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &tight) == 0);
  listener->start();
  // The log file is open already; reading it back takes a descriptor, so only its size is watched.
  const bool paused = eventually([&] {
    struct ::stat log{};
    return ::stat(directory.file("log").c_str(), &log) == 0 && log.st_size > 0;
  });
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK(paused);
  CHECK(eventually([&] { return accepted == kConnections; }));
  CHECK(directory.read("log").find("WARN accept_paused listener=") != std::string::npos);
  listener->stop_accepting();
  runtime.on_each([](std::size_t) {});
  held.clear();
  runtime.stop();
  log::configure(log::Level::info, log::Format::text, "");
}

TEST_CASE("local_listener_socket_is_for_its_owner_only") {
  const test::TempDirectory directory;
  const auto path = directory.file("socket");
  std::atomic<int> accepted{0};
  Runtime runtime(2);
  const ::mode_t before = ::umask(0);
  auto listener = LocalListener::bind(runtime, path, [&](LocalListener::Socket) { ++accepted; });
  ::umask(before);
  REQUIRE(listener);
  struct ::stat file{};
  REQUIRE(::stat(path.c_str(), &file) == 0);
  CHECK((file.st_mode & 07777) == 0600);
  runtime.start();
  (*listener)->start();
  asio::io_context context;
  Local::socket client(context);
  client.connect(Local::endpoint(path));
  CHECK(eventually([&] { return accepted == 1; }));

  const auto second = LocalListener::bind(runtime, path, [](LocalListener::Socket) {});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::exists);
  (*listener)->stop_accepting();
  CHECK_FALSE(std::filesystem::exists(path));
  runtime.stop();
}

TEST_CASE("local_listener_socket_may_leave_the_choice_to_its_directory") {
  const test::TempDirectory directory;
  const auto path = directory.file("socket");
  Runtime runtime(1);
  const ::mode_t before = ::umask(077);
  auto listener =
      LocalListener::bind(runtime, path, [](LocalListener::Socket) {}, SocketAccess::directory);
  ::umask(before);
  REQUIRE(listener);
  struct ::stat file{};
  REQUIRE(::stat(path.c_str(), &file) == 0);
  CHECK((file.st_mode & 07777) == 0666);
}

TEST_CASE("local_listener_replaces_a_stale_socket_and_nothing_else") {
  const test::TempDirectory directory;
  const auto path = directory.file("socket");
  Runtime runtime(1);
  {
    asio::io_context context;
    Local::acceptor dead(context, Local::endpoint(path));
  }
  REQUIRE(std::filesystem::exists(path));
  auto listener = LocalListener::bind(runtime, path, [](LocalListener::Socket) {});
  REQUIRE(listener);
  listener->reset();
  CHECK_FALSE(std::filesystem::exists(path));

  const auto file = directory.write("file", "text");
  const auto refused = LocalListener::bind(runtime, file, [](LocalListener::Socket) {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::exists);
  CHECK(directory.read("file") == "text");
  CHECK_FALSE(
      LocalListener::bind(runtime, directory.file("missing/socket"), [](LocalListener::Socket) {}));
  const auto too_long = LocalListener::bind(runtime, directory.file(std::string(120, 'x')),
                                            [](LocalListener::Socket) {});
  REQUIRE_FALSE(too_long);
  CHECK(too_long.error().code == Errc::invalid);
}
