#include "core/worker_pool.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <latch>
#include <stdexcept>
#include <thread>

#include "tests/support/run_task.hpp"

namespace {
using namespace postern;
using test::run_task;

struct Where {
  std::thread::id worker;
  std::thread::id back;
};

Task<Where> find_threads(WorkerPool& pool) {
  Where where;
  const auto answer = co_await pool.run<std::thread::id>(
      []() -> Result<std::thread::id> { return std::this_thread::get_id(); });
  where.worker = answer.value();
  where.back = std::this_thread::get_id();
  co_return where;
}

Task<Result<int>> answer_of(WorkerPool& pool, std::move_only_function<Result<int>()> fn) {
  co_return co_await pool.run<int>(std::move(fn));
}
}  // namespace

TEST_CASE("worker_pool_runs_elsewhere_and_resumes_here") {
  WorkerPool pool("test", 2, 10);
  const auto where = run_task(find_threads(pool));
  CHECK(where.worker != std::this_thread::get_id());
  CHECK(where.back == std::this_thread::get_id());
}

TEST_CASE("worker_pool_hands_back_values_errors_and_exceptions") {
  WorkerPool pool("test", 1, 10);
  CHECK(run_task(answer_of(pool, []() -> Result<int> { return 7; })) == 7);
  const auto refused =
      run_task(answer_of(pool, []() -> Result<int> { return fail(Errc::denied, "no"); }));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
  const auto thrown =
      run_task(answer_of(pool, []() -> Result<int> { throw std::runtime_error("bug"); }));
  REQUIRE_FALSE(thrown);
  CHECK(thrown.error().code == Errc::temporary);
}

TEST_CASE("worker_pool_full_answers_overloaded_at_once") {
  constexpr std::size_t kLimit = 3;
  std::latch started(1);
  std::promise<void> release;
  auto released = release.get_future().share();
  std::atomic<int> ran{0};
  {
    WorkerPool pool("test", 1, kLimit);
    REQUIRE(pool.submit([&] {
      started.count_down();
      released.wait();
      ++ran;
    }));
    started.wait();  // the queue is empty now, the worker busy
    for (std::size_t i = 0; i < kLimit; ++i) REQUIRE(pool.submit([&] { ++ran; }));
    CHECK_FALSE(pool.submit([&] { ++ran; }));
    const auto answer = run_task(answer_of(pool, []() -> Result<int> { return 1; }));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == Errc::overloaded);
    release.set_value();
  }
  // The pool finished what it had taken.
  CHECK(ran == 1 + static_cast<int>(kLimit));
}

TEST_CASE("worker_pool_survives_a_job_that_throws") {
  WorkerPool pool("test", 1, 10);
  REQUIRE(pool.submit([] { throw std::runtime_error("bug"); }));
  CHECK(run_task(answer_of(pool, []() -> Result<int> { return 1; })) == 1);
}
