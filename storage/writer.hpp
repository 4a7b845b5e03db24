// The writer of one database file: a thread that drains the lanes into batches and commits each
// once. Internal to storage; the door is database.hpp.
//
// A batch: BEGIN IMMEDIATE; the closures; COMMIT (synced to disk); then every waiter is told.
// Closures that arrive while the batch runs join it, up to kBatchLimit closures or kBatchTime.
//
// A closure that fails leaves nothing behind. Most failures are found before anything is written;
// the first that isn't starts the batch anew without it, and from there on each closure runs in a
// SAVEPOINT and is rolled back alone. (Savepoints from the start would copy each page that each
// closure touches: a seventh of the writer's time.)
//
// SQLITE_FULL, IOERR, NOMEM and their like, a transaction that SQLite ended on its own, and a
// failed COMMIT lose the batch: all its closures are told Errc::temporary (a full disk:
// Errc::overloaded), whatever each had answered.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "storage/database_metrics.hpp"
#include "storage/job.hpp"
#include "storage/lane_queue.hpp"

namespace postern::storage {

inline constexpr std::size_t kBatchLimit = 256;
inline constexpr std::chrono::milliseconds kBatchTime{10};
/// After a batch of several, the next one waits this long for company: a commit costs as much as a
/// message.
inline constexpr std::chrono::microseconds kGatherTime{500};
inline constexpr int kCheckpointPages =
    1'000;  ///< WAL pages after which a batch is followed by a checkpoint
inline constexpr int kTruncatePages = 8'000;  ///< WAL pages after which the file is cut, when idle
inline constexpr int kForcedTruncatePages = 65'000;  ///< ...or idle or not

class Writer {
 public:
  Writer(std::unique_ptr<sql::Connection> connection, std::string file, std::size_t queue_limit);
  ~Writer();  ///< writes what is queued, checkpoints
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Calls job.finish at once when the queue is full (Errc::overloaded) or stopping
  /// (Errc::cancelled).
  void submit(Lane lane, Job job);
  [[nodiscard]] std::size_t queued() const;

  /// While one lives, no batch runs: for a snapshot of several files at one moment.
  class Pause {
   public:
    explicit Pause(Writer& writer);
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    Writer& writer_;
  };

 private:
  struct Done {
    Job job;
    Result<void> outcome;
  };
  void run();
  bool wait_for_work();
  void run_batch();
  std::optional<Job> next_job();
  void run_last(std::span<Done> batch);
  Result<void> run_in_savepoint(const Job& job);
  void start_anew(std::span<Done> batch);
  Result<void> checked(const Job& job);
  /// True when the transaction is beyond saving; remembers why.
  void lose(std::string_view what, int code);
  bool lost(int code);
  Result<void> end_batch();
  void checkpoint();

  std::unique_ptr<sql::Connection> connection_;
  std::string file_;
  DatabaseMetrics& metrics_;
  std::optional<Error> lost_;   ///< why the current batch is lost
  bool in_savepoints_ = false;  ///< each closure of the current batch
  int wal_pages_ = 0;
  int checkpointed_ = 0;  ///< of them, those that the last checkpoint looked at

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  LaneQueue<Job> queue_;
  int pauses_ = 0;
  bool in_batch_ = false;
  bool busy_ = false;  ///< the last batch had several closures
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace postern::storage
