#include "core/session_registry.hpp"

#include <catch2/catch.hpp>
#include <mutex>
#include <optional>

#include "core/runtime.hpp"
#include "tests/support/eventually.hpp"

namespace {
using namespace postern;
using Guard = SessionRegistry::Guard;
using test::eventually;
}  // namespace

TEST_CASE("registry_counts_and_bounds_sessions") {
  asio::io_context context{1};
  SessionRegistry registry(2);
  std::optional<Guard> one(registry.enter(context.get_executor(), [] {}).value());
  const auto two = registry.enter(context.get_executor(), [] {});
  REQUIRE(two);
  CHECK(registry.live() == 2);
  const auto three = registry.enter(context.get_executor(), [] {});
  REQUIRE_FALSE(three);
  CHECK(three.error().code == Errc::overloaded);
  one.reset();
  CHECK(registry.live() == 1);
  CHECK(registry.enter(context.get_executor(), [] {}));
}

TEST_CASE("registry_drain_tells_each_living_session_once") {
  asio::io_context context{1};
  SessionRegistry registry(10);
  int told = 0;
  int gone = 0;
  const auto living = registry.enter(context.get_executor(), [&] { ++told; }).value();
  std::optional<Guard> leaving(registry.enter(context.get_executor(), [&] { ++gone; }).value());
  CHECK_FALSE(registry.draining());
  registry.drain();
  CHECK(registry.draining());
  leaving.reset();  // after the telling was posted, before it ran
  context.run();
  CHECK(told == 1);
  CHECK(gone == 0);
  registry.drain();
  context.restart();
  context.run();
  CHECK(told == 1);
}

TEST_CASE("registry_tells_a_session_that_comes_while_draining") {
  asio::io_context context{1};
  SessionRegistry registry(10);
  registry.drain();
  int told = 0;
  const auto late = registry.enter(context.get_executor(), [&] { ++told; }).value();
  CHECK(told == 0);
  context.run();
  CHECK(told == 1);
}

TEST_CASE("registry_guard_outlives_its_registry") {
  asio::io_context context{1};
  std::optional<Guard> guard;
  {
    SessionRegistry registry(1);
    guard.emplace(registry.enter(context.get_executor(), [] {}).value());
  }
  guard.reset();
}

TEST_CASE("registry_drains_sessions_of_many_threads_on_their_own") {
  Runtime runtime(3);
  runtime.start();
  SessionRegistry registry(1'000);
  constexpr std::size_t kEach = 100;
  std::vector<std::vector<std::optional<Guard>>> guards(3);
  std::atomic<std::size_t> on_own_thread{0};
  runtime.on_each([&](std::size_t i) {
    guards[i].resize(kEach);
    for (auto& guard : guards[i]) {
      const auto leave = [&runtime, &on_own_thread, &guard, i] {
        if (runtime.current() == i) ++on_own_thread;
        guard.reset();
      };
      guard.emplace(registry.enter(runtime.context(i).get_executor(), leave).value());
    }
  });
  CHECK(registry.live() == 3 * kEach);
  registry.drain();
  CHECK(eventually([&] { return registry.live() == 0; }));
  CHECK(on_own_thread == 3 * kEach);
  runtime.stop();
}
