// kill -9: a child writes and reports each success; what it reported is there afterwards.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <set>
#include <sstream>
#include <thread>

#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {

constexpr const char* kVariable = "POSTERN_TEST_CRASH_FILE";

struct Child {
  pid_t pid;
  int output;
};

/// This program again, with only the hidden case below.
Child start_child(const std::string& path) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::setenv(kVariable, path.c_str(), 1);
    ::dup2(ends[1], 3);
    ::execl("/proc/self/exe", "test_storage", "crash_child_writes_until_killed", nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  return {pid, ends[0]};
}

/// Reads lines until `count` came, then kills, then reads what is left.
std::set<std::string> read_then_kill(const Child& child, std::size_t count) {
  std::string text;
  std::array<char, 4096> buffer{};
  bool alive = true;
  for (;;) {
    const auto got = ::read(child.output, buffer.data(), buffer.size());
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (alive && static_cast<std::size_t>(std::ranges::count(text, '\n')) >= count) {
      ::kill(child.pid, SIGKILL);
      alive = false;
    }
  }
  ::close(child.output);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  CHECK(WIFSIGNALED(status));
  std::set<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line) && !stream.eof();) lines.insert(line);
  return lines;
}

}  // namespace

TEST_CASE("crash_child_writes_until_killed", "[.child]") {
  const char* path = std::getenv(kVariable);
  REQUIRE(path != nullptr);
  auto database = open_database(path);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1'000'000; ++i) {
        const auto name = fmt::format("{}-{}-{}", ::getpid(), t, i);
        if (!write_counter(*database, name)) continue;
        const auto line = name + "\n";
        if (::write(3, line.data(), line.size()) < 0) std::abort();
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_CASE("every_write_reported_before_kill_9_is_there") {
  TempDirectory directory;
  const auto path = directory / "x.db";
  std::set<std::string> reported;
  for (const std::size_t count : {1U, 50U, 400U, 1500U}) {
    reported.merge(read_then_kill(start_child(path), count));
    auto database = open_database(path);
    const auto names = counter_names(*database);
    const std::set<std::string> found(names.begin(), names.end());
    CHECK(std::ranges::includes(found, reported));
  }
  CHECK(reported.size() >= 1951);
}

}  // namespace postern::storage::test
