#include "core/id.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/random.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace {
using namespace postern;

std::uint64_t millis_of(const Uuid& id) {
  std::uint64_t millis = 0;
  for (std::size_t i = 0; i < 6; ++i) millis = millis << 8 | id.bytes[i];
  return millis;
}
}  // namespace

TEST_CASE("uuid_has_the_shape_of_version_7") {
  // RFC 9562 §5.7
  const auto now = static_cast<std::uint64_t>(to_micros(system_clock().now()) / 1000);
  const Uuid id = make_uuid();
  CHECK(id.bytes[6] >> 4 == 7);
  CHECK(id.bytes[8] >> 6 == 2);
  CHECK(millis_of(id) + 5'000 > now);
  CHECK(millis_of(id) < now + 5'000);
  CHECK_FALSE(id.is_nil());
  CHECK(Uuid{}.is_nil());
}

TEST_CASE("uuids_of_a_process_sort_in_the_order_they_were_made") {
  Uuid last = make_uuid();
  for (int i = 0; i < 20'000; ++i) {
    const Uuid next = make_uuid();
    REQUIRE(last < next);
    last = next;
  }
}

TEST_CASE("uuids_of_many_threads_differ") {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 2'000;
  std::vector<std::vector<Uuid>> made(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&mine] {
      for (std::size_t i = 0; i < kEach; ++i) mine.push_back(make_uuid());
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<Uuid> all;
  for (const auto& mine : made) all.insert(mine.begin(), mine.end());
  CHECK(all.size() == kThreads * kEach);
}

TEST_CASE("uuid_text_is_parsed_in_both_forms") {
  const auto id = parse_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");  // RFC 9562 appendix A.6
  REQUIRE(id);
  CHECK(to_string(*id) == "017f22e279b07cc398c4dc0c0c07398f");
  CHECK(parse_uuid("017F22E279B07CC398C4DC0C0C07398F") == id);
  CHECK(uuid_from_bytes(id->view()) == id);
  for (const char* text :
       {"", "017f22e279b07cc398c4dc0c0c07398", "017f22e279b07cc398c4dc0c0c07398fa",
        "017f22e2079b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398g"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_uuid(text));
  }
  CHECK_FALSE(uuid_from_bytes("short"));
}

TEST_CASE("random_below_stays_below") {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i) seen.insert(random_below(6));
  CHECK(seen.size() == 6);
  CHECK(*seen.rbegin() == 5);
  CHECK(random_below(1) == 0);
  CHECK(random_bytes(32) != random_bytes(32));
}

TEST_CASE("random_bytes_never_come_twice") {
  std::set<std::string> seen;
  std::mutex mutex;
  const auto draw = [&] {
    for (int i = 0; i < 2'000; ++i) {
      const auto bytes = random_bytes(i % 2 == 0 ? 12 : 100);
      std::scoped_lock lock(mutex);
      CHECK(seen.insert(bytes).second);
    }
  };
  std::thread other(draw);
  draw();
  other.join();
}

TEST_CASE("random_bytes_of_a_forked_process_are_its_own") {
  (void)random_bytes(8);  // bytes are drawn ahead now
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto bytes = random_bytes(16);
    _exit(write(ends[1], bytes.data(), bytes.size()) == 16 ? 0 : 1);
  }
  REQUIRE(child > 0);
  std::string theirs(16, '\0');
  CHECK(read(ends[0], theirs.data(), theirs.size()) == 16);
  CHECK(theirs != random_bytes(16));
  close(ends[0]);
  close(ends[1]);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("errors_have_names_for_the_log") {
  CHECK(to_string(Errc::not_found) == "not_found");
  CHECK(to_string(Errc::unsupported) == "unsupported");
  const Result<int> result = fail(Errc::too_large, "a line above 2000 bytes");
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::too_large);
  CHECK(result.error().message == "a line above 2000 bytes");
}
