// Takes delivery events from the outboxes of queue.db and the mail shards, where their causes'
// commits put them, and writes them into their month's file; then the entries go.
//
// A crash between the two repeats them, and an event that is there already changes nothing. What
// can't be written stays for later; what can't be read never will be, and is dropped with an error
// in the log. Owner: Parts. Runs on the first io thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "core/result.hpp"
#include "core/runtime.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "core/worker_pool.hpp"
#include "storage/store.hpp"

namespace postern::server {

/// Entries moved in one commit.
inline constexpr std::size_t kEventBatch = 200;
/// When entries whose file couldn't be written are tried again.
inline constexpr std::chrono::minutes kEventPause{1};

/// One batch of `source`; how many entries it had (fewer than kEventBatch: that was all).
Task<Result<std::size_t>> move_events(storage::Database& source, storage::MonthlyFiles& files,
                                      WorkerPool& workers, const Clock& clock);

class EventMover {
 public:
  /// All outlive the runtime's threads.
  EventMover(Runtime& runtime, storage::Store& store, WorkerPool& workers, const Clock& clock);

  void start();
  void stop();
  /// There is something to move. From any thread; doesn't block.
  void nudge();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace postern::server
