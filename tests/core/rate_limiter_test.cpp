#include "core/rate_limiter.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

using namespace postern;
using namespace std::chrono_literals;

namespace {

const Timestamp kStart{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

struct Limited {
  RateLimiter limiter{10};

  /// How many of 1000 attempts at one moment are admitted.
  int admitted(std::uint32_t per_minute, Micros after) {
    int count = 0;
    for (int i = 0; i < 1000; ++i)
      count += limiter.admit("a", per_minute, kStart + after).admitted ? 1 : 0;
    return count;
  }
};

}  // namespace

TEST_CASE("bucket_gives_a_minutes_worth_at_once_and_refills_evenly") {
  Limited world;
  CHECK(world.admitted(60, 0s) == 60);
  CHECK(world.admitted(60, 1s - 10us) == 0);
  CHECK(world.admitted(60, 1s + 10us) == 1);
  CHECK(world.admitted(60, 11s + 20us) == 10);
  CHECK(world.admitted(60, 71s + 30us) == 60);
  CHECK(world.admitted(60, 24h) == 60);
}

TEST_CASE("refused_caller_is_told_when_to_come_back") {
  for (const std::uint32_t per_minute : {1U, 7U, 60U}) {
    Limited world;
    CHECK(world.admitted(per_minute, 0s) == static_cast<int>(per_minute));
    const auto refused = world.limiter.admit("a", per_minute, kStart);
    REQUIRE_FALSE(refused.admitted);
    CHECK(std::chrono::abs(refused.retry_after - Micros(60'000'000 / per_minute)) <= 2us);
    CHECK_FALSE(world.limiter.admit("a", per_minute, kStart + refused.retry_after - 10us).admitted);
    CHECK(world.limiter.admit("a", per_minute, kStart + refused.retry_after).admitted);
  }
  Limited world;
  CHECK(world.admitted(0, 24h) == 0);  // zero a minute allows nothing
  CHECK(world.limiter.admit("a", 0, kStart).retry_after > 0us);
}

TEST_CASE("clock_that_goes_back_gives_nothing_away") {
  Limited world;
  CHECK(world.admitted(60, 10s) == 60);
  CHECK(world.admitted(60, 0s) == 0);
  CHECK(world.admitted(60, 10s) == 0);
  CHECK(world.admitted(60, 11s + 10us) == 1);
}

TEST_CASE("name_unused_for_longest_is_forgotten_when_there_are_too_many") {
  RateLimiter limiter{2};
  const auto admitted = [&](std::string_view name) {
    return limiter.admit(name, 1, kStart).admitted;
  };
  CHECK(admitted("a"));
  CHECK(admitted("b"));
  CHECK_FALSE(admitted("a"));  // and so used after b
  CHECK(admitted("c"));
  CHECK_FALSE(admitted("a"));
  CHECK_FALSE(admitted("c"));
  CHECK(admitted("b"));
}

TEST_CASE("limit_is_exact_for_many_threads") {
  RateLimiter limiter{10};
  std::atomic<int> admitted{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        if (limiter.admit("a", 1500, kStart).admitted) ++admitted;
      }
    });
  }
  threads.clear();
  CHECK(admitted == 1500);
}
