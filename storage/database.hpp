// The asynchronous door to one database file: a writer thread that group-commits, and a small pool
// of readers on WAL snapshots.
//
// write(): the closure joins the batch that forms next (urgent lanes first), runs in its
// transaction, and the awaiting coroutine resumes only after the batch's COMMIT is on disk: true
// durability. A closure that returns an error (or throws EngineError) is rolled back alone. After
// SQLITE_FULL, IOERR, NOMEM or a failed COMMIT the whole batch fails with Errc::temporary (a full
// disk: Errc::overloaded). CLOSURES MAY RUN MORE THAN ONCE: they must be repeatable (no moves out
// of captures, no side effects outside the transaction).
//
// Below the disk reserve, writes marked Purpose::intake answer Errc::overloaded; others go on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/lane.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/worker_pool.hpp"
#include "storage/sql/migration.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::storage {

/// Why a write happens: whether it may run when the disk is nearly full.
enum class Purpose : std::uint8_t {
  intake,   ///< new mail, new outbound attempts: refused below the reserve
  outcome,  ///< results, deletions, settings, logins: always
};

class Database {
 public:
  struct Options {
    std::string path;
    std::vector<sql::Schema> schemas;
    std::size_t readers = 2;
    std::size_t queue_limit = 10'000;  ///< closures waiting to be written; beyond: Errc::overloaded
    std::string backup_directory;      ///< for the copy before a migration; empty: beside the file
    /// True while the disk is below its reserve (store.hpp sets it); null: never.
    std::shared_ptr<const std::atomic<bool>> intake_closed;
    std::string vfs;  ///< SQLite's VFS by name, for tests that inject faults; empty: the default
  };
  /// Opens or makes the file, migrates it, starts its threads. Errc::unsupported when a newer
  /// version of the program wrote it; Errc::invalid when the schemas break the engine's rules (a
  /// bug).
  static Result<std::unique_ptr<Database>> open(Options options);
  /// For tools, with or without a server running: reads only (a write answers Errc::denied),
  /// migrates nothing (Errc::unsupported unless the file is of this version).
  static Result<std::unique_ptr<Database>> open_read_only(Options options);
  ~Database();  ///< finishes the queue, checkpoints, closes

  template <class T>
  using Closure = std::function<Result<T>(sql::Transaction&)>;

  template <class T>
  Task<Result<T>> write(Lane lane, Purpose purpose, Closure<T> closure);
  template <class T>
  Task<Result<T>> read(Closure<T> closure);

  /// Blocking twins, for start-up, tests and tools; never from an io thread.
  template <class T>
  Result<T> write_blocking(Purpose purpose, Closure<T> closure);
  template <class T>
  Result<T> read_blocking(Closure<T> closure);

  [[nodiscard]] const std::string& path() const;
  /// An online copy (consistent, while writes go on).
  Result<void> backup_to(const std::string& path);
  /// Closures waiting to be written.
  [[nodiscard]] std::size_t queued_writes() const;

  /// Copies of several files as they all were at one moment: writers pause while every snapshot is
  /// taken (milliseconds), then go on during the copying. `targets` are paths, one a database.
  static Result<void> backup_together(const std::vector<Database*>& databases,
                                      const std::vector<std::string>& targets);

 private:
  // Type-erased forms. `run` does the work (it may be called several times); `finish` is called
  // once, on the database's thread, with success or the batch's error.
  using Run = std::function<Result<void>(sql::Transaction&)>;
  using Finish = std::move_only_function<void(Result<void>)>;
  void submit_write(Lane lane, Purpose purpose, Run run, Finish finish);
  void submit_read(Run run, Finish finish);
  // What every write<T> and read<T> suspends in: compiled once, not once a type.
  Task<Result<void>> write_run(Lane lane, Purpose purpose, Run run);
  Task<Result<void>> read_run(Run run);

  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::storage

#include "storage/database_inl.hpp"
