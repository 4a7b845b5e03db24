// The door to the accounts' tables in control.db, and the generation that keeps every cache of them
// honest.
//
// Every change of what this folder keeps goes through change(): it runs the closure in one durable
// transaction and then bumps the generation, before the caller hears of success. A cached value is
// used only while the generation under which it was read is the current one; so once a change has
// been answered, no look-up in this process sees the state before it.
//
//   auto tenant = co_await registry.change<Tenant>([fresh](sql::Transaction& tx) {
//     return add_tenant(tx, fresh);
//   });
//
// Closures may run more than once (see storage/database.hpp): make ids, hashes and times before.
// Owner: app; one a process; outlives Directory and Authenticator. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "core/lane.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "storage/database.hpp"

namespace postern::accounts {

class Registry {
 public:
  explicit Registry(storage::Database& control) : control_(&control) {}

  template <class T>
  Task<Result<T>> change(storage::Database::Closure<T> closure) {
    auto outcome = co_await control_->write<T>(Lane::transactional, storage::Purpose::outcome,
                                               std::move(closure));
    bump();
    co_return outcome;
  }

  /// A write that changes nothing that look-ups answer (a last-used time): no bump.
  template <class T>
  Task<Result<T>> note(storage::Database::Closure<T> closure) {
    co_return co_await control_->write<T>(Lane::bulk, storage::Purpose::outcome,
                                          std::move(closure));
  }

  template <class T>
  Task<Result<T>> read(storage::Database::Closure<T> closure) {
    co_return co_await control_->read<T>(std::move(closure));
  }

  /// For start-up, tests and tools; never from an io thread.
  template <class T>
  Result<T> change_blocking(storage::Database::Closure<T> closure) {
    auto outcome = control_->write_blocking<T>(storage::Purpose::outcome, std::move(closure));
    bump();
    return outcome;
  }
  template <class T>
  Result<T> read_blocking(storage::Database::Closure<T> closure) {
    return control_->read_blocking<T>(std::move(closure));
  }

  /// Read it before the database is asked, and store it with what was answered.
  [[nodiscard]] std::uint64_t generation() const {
    return generation_.load(std::memory_order_acquire);
  }

 private:
  void bump() { generation_.fetch_add(1, std::memory_order_acq_rel); }

  storage::Database* control_;
  std::atomic<std::uint64_t> generation_{1};
};

}  // namespace postern::accounts
