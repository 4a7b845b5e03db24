#include "core/runtime.hpp"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>
#include <set>
#include <stdexcept>

#include "tests/support/eventually.hpp"

namespace {
using namespace postern;
using test::eventually;

Task<> wait_for_ever(std::shared_ptr<int> held) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_at(asio::steady_timer::time_point::max());
  co_await timer.async_wait(asio::use_awaitable);
  *held = 1;
}
}  // namespace

TEST_CASE("runtime_runs_each_context_on_its_own_thread") {
  Runtime runtime(3);
  REQUIRE(runtime.size() == 3);
  std::atomic<int> posted{0};
  asio::post(runtime.context(1), [&] { ++posted; });
  runtime.start();
  std::vector<std::thread::id> ids(3);
  std::vector<std::size_t> indexes(3);
  runtime.on_each([&](std::size_t i) {
    ids[i] = std::this_thread::get_id();
    indexes[i] = runtime.current();
  });
  CHECK(std::set<std::thread::id>(ids.begin(), ids.end()).size() == 3);
  CHECK(indexes == std::vector<std::size_t>{0, 1, 2});
  CHECK(runtime.current() == 3);
  CHECK(posted == 1);
}

TEST_CASE("runtime_current_knows_its_own_threads_only") {
  Runtime one(2);
  Runtime other(2);
  one.start();
  std::vector<std::size_t> seen(2);
  one.on_each([&](std::size_t i) { seen[i] = other.current(); });
  CHECK(seen == std::vector<std::size_t>{2, 2});
}

TEST_CASE("runtime_goes_on_after_a_handler_threw") {
  Runtime runtime(1);
  runtime.start();
  asio::post(runtime.context(0), [] { throw std::runtime_error("bug"); });
  std::atomic<bool> ran{false};
  asio::post(runtime.context(0), [&] { ran = true; });
  CHECK(eventually([&] { return ran.load(); }));
}

TEST_CASE("runtime_on_each_rethrows_and_works_before_start") {
  Runtime runtime(2);
  int count = 0;
  runtime.on_each([&](std::size_t) { ++count; });
  CHECK(count == 2);
  runtime.start();
  CHECK_THROWS_AS(runtime.on_each([](std::size_t i) {
    if (i == 1) throw std::runtime_error("no");
  }),
                  std::runtime_error);
}

TEST_CASE("runtime_stop_destroys_what_was_pending") {
  Runtime runtime(2);
  const auto held = std::make_shared<int>(0);
  for (std::size_t i = 0; i < 2; ++i) {
    asio::co_spawn(runtime.context(i), wait_for_ever(held), asio::detached);
  }
  runtime.start();
  runtime.on_each([](std::size_t) {});
  CHECK(held.use_count() == 3);
  runtime.stop();
  CHECK(held.use_count() == 1);
  CHECK(*held == 0);
  runtime.stop();
}
