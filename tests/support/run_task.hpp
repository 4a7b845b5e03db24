// Runs a coroutine to its end on an io_context of its own, with a time bound, and hands back its
// value.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/task.hpp"

namespace postern::test {

inline constexpr std::chrono::seconds kTaskTime{20};

namespace detail {
// Shared with the task, which may outlive the call when its time was over.
template <class T>
struct Outcome {
  bool done = false;
  std::exception_ptr error;
  std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> value;
};

template <class T>
Task<> store(Task<T> task, std::shared_ptr<Outcome<T>> outcome) {
  if constexpr (std::is_void_v<T>) {
    co_await std::move(task);
  } else {
    outcome->value.emplace(co_await std::move(task));
  }
}
}  // namespace detail

/// Runs `context` until `task` has ended; other work on the context runs too. Throws what the task
/// throws, and std::runtime_error when the time is over (the task's frame then dies with the
/// context).
template <class T>
T run_task(asio::io_context& context, Task<T> task, std::chrono::milliseconds limit = kTaskTime) {
  auto outcome = std::make_shared<detail::Outcome<T>>();
  asio::co_spawn(context, detail::store<T>(std::move(task), outcome),
                 [outcome](std::exception_ptr e) {
                   outcome->done = true;
                   outcome->error = std::move(e);
                 });
  context.restart();
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!outcome->done && context.run_one_until(end) > 0) {
  }
  if (!outcome->done) throw std::runtime_error("the task did not end in time");
  if (outcome->error) std::rethrow_exception(outcome->error);
  if constexpr (!std::is_void_v<T>) return std::move(*outcome->value);
}

/// The same on a fresh io_context. It lives on until no work is left (a second at most): a worker
/// thread that has just resumed the task may still be inside its post to the context.
template <class T>
T run_task(Task<T> task, std::chrono::milliseconds limit = kTaskTime) {
  asio::io_context context{1};
  if constexpr (std::is_void_v<T>) {
    run_task<T>(context, std::move(task), limit);
    context.run_for(std::chrono::seconds(1));
  } else {
    T value = run_task<T>(context, std::move(task), limit);
    context.run_for(std::chrono::seconds(1));
    return value;
  }
}

}  // namespace postern::test
