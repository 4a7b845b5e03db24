// House::run, which is a template. Included by house.hpp alone.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <stdexcept>

namespace postern::test {

template <class T>
T House::run(Task<T> task) {
  constexpr std::chrono::seconds kLongest{60};
  auto outcome = asio::co_spawn(parts->runtime->context(0), std::move(task), asio::use_future);
  if (outcome.wait_for(kLongest) != std::future_status::ready)
    throw std::runtime_error("the task did not end in time");
  return outcome.get();
}

}  // namespace postern::test
