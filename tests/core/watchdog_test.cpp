#include "core/watchdog.hpp"

#include <catch2/catch.hpp>

#include "tests/support/eventually.hpp"

namespace {
using namespace postern;
using namespace std::chrono_literals;
using test::eventually;

struct Dog {
  asio::io_context context{1};
  int bites = 0;
  Watchdog watchdog{context.get_executor(), [this] { ++bites; }};

  void run_for(std::chrono::milliseconds time) {
    context.restart();
    context.run_for(time);
  }
};
}  // namespace

TEST_CASE("watchdog_expires_once") {
  Dog dog;
  const auto start = std::chrono::steady_clock::now();
  dog.watchdog.arm(30ms);
  REQUIRE(eventually(dog.context, [&] { return dog.bites > 0; }));
  CHECK(std::chrono::steady_clock::now() - start >= 30ms);
  CHECK(dog.watchdog.expired());
  dog.watchdog.arm(1ms);
  dog.run_for(20ms);
  CHECK(dog.bites == 1);
}

TEST_CASE("watchdog_armed_again_waits_longer") {
  Dog dog;
  const auto start = std::chrono::steady_clock::now();
  dog.watchdog.arm(20ms);
  dog.watchdog.arm(120ms);
  REQUIRE(eventually(dog.context, [&] { return dog.bites > 0; }));
  CHECK(std::chrono::steady_clock::now() - start >= 120ms);
}

TEST_CASE("watchdog_armed_again_for_less_wakes_earlier") {
  Dog dog;
  dog.watchdog.arm(1h);
  dog.watchdog.arm(10ms);
  CHECK(eventually(dog.context, [&] { return dog.bites == 1; }));
}

TEST_CASE("watchdog_disarmed_does_nothing_until_armed") {
  Dog dog;
  dog.watchdog.arm(5ms);
  dog.watchdog.disarm();
  dog.run_for(40ms);
  CHECK(dog.bites == 0);
  CHECK_FALSE(dog.watchdog.expired());
  dog.watchdog.arm(5ms);
  CHECK(eventually(dog.context, [&] { return dog.bites == 1; }));
}

TEST_CASE("watchdog_stopped_never_expires") {
  Dog dog;
  dog.watchdog.arm(5ms);
  dog.watchdog.stop();
  dog.watchdog.arm(5ms);
  dog.run_for(40ms);
  CHECK(dog.bites == 0);
}

TEST_CASE("watchdog_that_died_never_expires") {
  asio::io_context context{1};
  int bites = 0;
  {
    Watchdog watchdog(context.get_executor(), [&] { ++bites; });
    watchdog.arm(1ms);
    // The timer's handler is queued now, but has not run.
    std::this_thread::sleep_for(5ms);
  }
  context.run_for(40ms);
  CHECK(bites == 0);
}

TEST_CASE("watchdog_may_be_destroyed_by_its_own_action") {
  asio::io_context context{1};
  std::unique_ptr<Watchdog> watchdog;
  bool done = false;
  watchdog = std::make_unique<Watchdog>(context.get_executor(), [&] {
    watchdog.reset();
    done = true;
  });
  watchdog->arm(1ms);
  CHECK(eventually(context, [&] { return done; }));
}
