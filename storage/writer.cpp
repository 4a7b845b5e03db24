#include "storage/writer.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sqlite3.h>

#include "core/log.hpp"

namespace postern::storage {

namespace {

using Verb = sql::Connection::Verb;
using SteadyClock = std::chrono::steady_clock;

constexpr int kCutWaitMillis = 100;

int remember_wal_size(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

Writer::Writer(std::unique_ptr<sql::Connection> connection, std::string file,
               std::size_t queue_limit)
    : connection_(std::move(connection)),
      file_(std::move(file)),
      metrics_(metrics_of(file_)),
      queue_(queue_limit) {
  sqlite3_wal_hook(connection_->handle(), remember_wal_size, &wal_pages_);
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "sql-writer");
}

Writer::~Writer() {
  {
    std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Writer::submit(Lane lane, Job job) {
  Errc refusal{};
  {
    std::scoped_lock lock(mutex_);
    if (!stopping_ && queue_.push(lane, job)) {
      metrics_.queued.set(static_cast<std::int64_t>(queue_.size()));
      if (queue_.size() == 1) changed_.notify_all();
      return;
    }
    refusal = stopping_ ? Errc::cancelled : Errc::overloaded;
  }
  metrics_.refused.add();
  job.finish(fail(refusal, refusal == Errc::cancelled ? "the database is closing"
                                                      : "too many writes are waiting"));
}

std::size_t Writer::queued() const {
  std::scoped_lock lock(mutex_);
  return queue_.size();
}

Writer::Pause::Pause(Writer& writer) : writer_(writer) {
  std::unique_lock lock(writer_.mutex_);
  ++writer_.pauses_;
  writer_.changed_.wait(lock, [this] { return !writer_.in_batch_; });
}

Writer::Pause::~Pause() {
  {
    std::scoped_lock lock(writer_.mutex_);
    --writer_.pauses_;
  }
  writer_.changed_.notify_all();
}

void Writer::run() {
  while (wait_for_work()) {
    run_batch();
    checkpoint();
  }
}

/// False when there is nothing left to do, ever.
bool Writer::wait_for_work() {
  std::unique_lock lock(mutex_);
  in_batch_ = false;
  if (pauses_ > 0) changed_.notify_all();
  const auto ready = [this] { return pauses_ == 0 && (queue_.size() > 0 || stopping_); };
  changed_.wait(lock, ready);
  if (busy_ && !stopping_ && queue_.size() < kBatchLimit) {
    changed_.wait_for(lock, kGatherTime, [this] { return pauses_ > 0 || stopping_; });
    changed_.wait(lock, ready);
  }
  in_batch_ = queue_.size() > 0;
  return in_batch_;
}

std::optional<Job> Writer::next_job() {
  std::scoped_lock lock(mutex_);
  auto job = queue_.pop();
  metrics_.queued.set(static_cast<std::int64_t>(queue_.size()));
  return job;
}

void Writer::lose(std::string_view what, int code) {
  const bool full = (code & 0xff) == SQLITE_FULL;
  lost_ = Error{full ? Errc::overloaded : Errc::temporary,
                fmt::format("{}: {} (code {})", what, sqlite3_errstr(code), code)};
}

bool Writer::lost(int code) {
  const int hard = connection_->take_hard_failure();
  if (code == SQLITE_OK && hard == 0 && connection_->in_transaction()) return false;
  const int reason = hard != 0 ? hard : code;
  lose("the batch was lost", reason);
  return true;
}

Result<void> Writer::checked(const Job& job) {
  auto outcome = run_guarded(job, *connection_, file_);
  if (outcome && connection_->owes_constraints()) {
    outcome = fail(Errc::invalid, "the closure leaves foreign keys that point nowhere");
  }
  if (!outcome) metrics_.failed_closures.add();
  return outcome;
}

Result<void> Writer::run_in_savepoint(const Job& job) {
  if (lost(connection_->control(Verb::savepoint))) return {};
  auto outcome = checked(job);
  if (lost(SQLITE_OK)) return outcome;
  if (!outcome && lost(connection_->control(Verb::rollback_to))) return outcome;
  lost(connection_->control(Verb::release));
  return outcome;
}

/// The last closure of `batch`; those before it have run.
void Writer::run_last(std::span<Done> batch) {
  auto& done = batch.back();
  if (in_savepoints_) {
    done.outcome = run_in_savepoint(done.job);
    return;
  }
  const auto changes = connection_->total_changes();
  done.outcome = checked(done.job);
  if (lost(SQLITE_OK) || done.outcome || connection_->total_changes() == changes) return;
  start_anew(batch.first(batch.size() - 1));
}

/// Undoes the whole batch, and runs again what had succeeded.
void Writer::start_anew(std::span<Done> batch) {
  in_savepoints_ = true;
  metrics_.restarted_batches.add();
  connection_->control(Verb::rollback);
  if (lost(connection_->control(Verb::begin_immediate))) return;
  for (auto& done : batch) {
    if (done.outcome) done.outcome = run_in_savepoint(done.job);
    if (lost_) return;
  }
}

/// COMMIT, or ROLLBACK when the batch is lost; whether its closures are on disk.
Result<void> Writer::end_batch() {
  const auto start = SteadyClock::now();
  if (!lost_) {
    const int code = connection_->control(Verb::commit);
    if (code != SQLITE_OK) lose("COMMIT failed", code);
  }
  metrics_.commit_seconds.observe(
      std::chrono::duration<double>(SteadyClock::now() - start).count());
  if (connection_->in_transaction()) connection_->control(Verb::rollback);
  connection_->take_hard_failure();
  if (!lost_) return {};
  metrics_.failed_batches.add();
  log::error("storage.batch_lost", {{"file", file_}, {"why", lost_->message}});
  return std::unexpected(*lost_);
}

void Writer::run_batch() {
  std::vector<Done> batch;
  lost_.reset();
  in_savepoints_ = false;
  const bool begun = !lost(connection_->control(Verb::begin_immediate));
  const auto deadline = SteadyClock::now() + kBatchTime;
  while (batch.size() < kBatchLimit) {
    auto job = next_job();
    if (!job) break;
    batch.emplace_back(std::move(*job), Result<void>{});
    if (begun) run_last(batch);
    if ((begun && lost_) || SteadyClock::now() >= deadline) break;
  }
  const auto written = end_batch();
  metrics_.batch_size.observe(static_cast<double>(batch.size()));
  busy_ = batch.size() > 1;
  for (auto& done : batch) {
    if (!written) done.outcome = std::unexpected(written.error());
    done.job.finish(std::move(done.outcome));
  }
}

void Writer::checkpoint() {
  if (wal_pages_ < checkpointed_) checkpointed_ = 0;  // the log began anew
  if (wal_pages_ - checkpointed_ < kCheckpointPages) return;
  const bool idle = queued() == 0;
  const bool cut = (idle && wal_pages_ >= kTruncatePages) || wal_pages_ >= kForcedTruncatePages;
  const int mode = cut ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  // A truncating checkpoint waits for readers; not for long, the next batch is more important.
  if (cut) sqlite3_busy_timeout(connection_->handle(), kCutWaitMillis);
  int pages = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, mode, &pages, &moved);
  if (cut) sqlite3_busy_timeout(connection_->handle(), sql::kBusyMillis);
  if (code != SQLITE_OK && code != SQLITE_BUSY) {
    log::warn("storage.checkpoint_failed", {{"file", file_}, {"why", sqlite3_errstr(code)}});
  }
  // What could not be moved yet (a reader looks at it) is tried again with the next pages.
  checkpointed_ = wal_pages_;
  if (cut && code == SQLITE_OK) wal_pages_ = checkpointed_ = 0;
}

}  // namespace postern::storage
