// What a session costs the server while it waits in IDLE over TLS: the design's budget is 40 KiB.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>

#include "tests/imap/test_server.hpp"
#include "tests/support/eventually.hpp"

using namespace postern;
using namespace postern::imap;
using namespace postern::imap::test;

namespace {
constexpr std::size_t kSessions = 400;
constexpr std::size_t kGoal = 40 * 1024;  // bytes a session

std::size_t resident_bytes() {
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// In a process of their own, so that the server's memory is seen alone. Gone when the pipe closes.
[[noreturn]] void be_the_clients(int from_parent, int to_parent) {
  std::uint16_t port = 0;
  if (::read(from_parent, &port, sizeof port) != sizeof port) ::_exit(1);
  std::vector<std::unique_ptr<Client>> held;
  for (std::size_t i = 0; i < kSessions; ++i) {
    auto client = std::make_unique<Client>(port);
    client->start_tls();
    client->log_in();
    client->select();
    client->send("i IDLE\r\n");
    client->line();
    held.push_back(std::move(client));
  }
  char byte = 'r';
  [[maybe_unused]] const auto said = ::write(to_parent, &byte, 1);
  [[maybe_unused]] const auto end = ::read(from_parent, &byte, 1);
  ::_exit(0);
}

bool room_for_descriptors() {
  ::rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur > kSessions + 100;
}

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
}  // namespace

TEST_CASE("session_idle_over_tls_costs_little_memory") {
  if (kSanitized || !room_for_descriptors()) {
    std::printf("SKIPPED: idle memory needs an unsanitized build and descriptors\n");
    return;
  }
  int down[2];
  int up[2];
  REQUIRE(::pipe(down) == 0);
  REQUIRE(::pipe(up) == 0);
  const ::pid_t child = ::fork();  // before the server's thread
  if (child == 0) {
    ::close(down[1]);
    be_the_clients(down[0], up[1]);
  }
  {
    auto options = test_options();
    options.tls = [] { return test_tls(); };
    TestServer server(options, Security::implicit_tls);
    for (int i = 0; i < 100; ++i) server.backend().deliver("INBOX", {"Subject: x\r\n\r\ny\r\n"});
    const auto before = resident_bytes();
    const auto port = server.port();
    REQUIRE(::write(down[1], &port, sizeof port) == sizeof port);
    char ready = 0;
    REQUIRE(::read(up[0], &ready, 1) == 1);
    const auto each = (resident_bytes() - before) / kSessions;
    std::printf("idle IMAP session over TLS: %.1f KiB\n", static_cast<double>(each) / 1024);
    CHECK(server.registry().live() == kSessions);
    CHECK(each <= kGoal);
  }
  ::close(down[1]);
  ::waitpid(child, nullptr, 0);
  for (const int fd : {down[0], up[0], up[1]}) ::close(fd);
}
