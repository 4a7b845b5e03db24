// The typed faces of Database over its type-erased ones. Included by database.hpp only.
#pragma once

#include <future>
#include <optional>

namespace postern::storage {

namespace detail {

/// Where a closure's value waits until its batch has committed.
template <class T>
struct Outcome {
  std::optional<Result<T>> value;
};

template <class T>
Result<T> settle(Outcome<T>& outcome, Result<void> batch) {
  if (!batch) return std::unexpected(std::move(batch.error()));
  return std::move(*outcome.value);
}

template <class T>
auto capture(std::shared_ptr<Outcome<T>> outcome, Database::Closure<T> closure) {
  return [outcome = std::move(outcome),
          closure = std::move(closure)](sql::Transaction& tx) -> Result<void> {
    outcome->value.emplace(closure(tx));
    if (!*outcome->value) return std::unexpected(outcome->value->error());
    return {};
  };
}

}  // namespace detail

template <class T>
Task<Result<T>> Database::write(Lane lane, Purpose purpose, Closure<T> closure) {
  auto outcome = std::make_shared<detail::Outcome<T>>();
  auto batch = co_await write_run(lane, purpose, detail::capture<T>(outcome, std::move(closure)));
  co_return detail::settle(*outcome, std::move(batch));
}

template <class T>
Task<Result<T>> Database::read(Closure<T> closure) {
  auto outcome = std::make_shared<detail::Outcome<T>>();
  auto end = co_await read_run(detail::capture<T>(outcome, std::move(closure)));
  co_return detail::settle(*outcome, std::move(end));
}

template <class T>
Result<T> Database::write_blocking(Purpose purpose, Closure<T> closure) {
  auto outcome = std::make_shared<detail::Outcome<T>>();
  auto end = std::make_shared<std::promise<Result<void>>>();
  submit_write(Lane::auth, purpose, detail::capture<T>(outcome, std::move(closure)),
               [end](Result<void> batch) { end->set_value(std::move(batch)); });
  return detail::settle(*outcome, end->get_future().get());
}

template <class T>
Result<T> Database::read_blocking(Closure<T> closure) {
  auto outcome = std::make_shared<detail::Outcome<T>>();
  auto end = std::make_shared<std::promise<Result<void>>>();
  submit_read(detail::capture<T>(outcome, std::move(closure)),
              [end](Result<void> batch) { end->set_value(std::move(batch)); });
  return detail::settle(*outcome, end->get_future().get());
}

}  // namespace postern::storage
