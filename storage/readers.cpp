#include "storage/readers.hpp"

#include <pthread.h>

namespace postern::storage {

using Verb = sql::Connection::Verb;

Readers::Readers(std::vector<std::unique_ptr<sql::Connection>> connections, std::string file,
                 std::size_t queue_limit)
    : connections_(std::move(connections)), file_(std::move(file)), limit_(queue_limit) {
  for (auto& connection : connections_) {
    threads_.emplace_back([this, own = connection.get()] { run(*own); });
    pthread_setname_np(threads_.back().native_handle(), "sql-reader");
  }
}

Readers::~Readers() {
  {
    std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void Readers::submit(Job job) {
  Errc refusal{};
  {
    std::scoped_lock lock(mutex_);
    if (!stopping_ && queue_.size() < limit_) {
      queue_.push_back(std::move(job));
      changed_.notify_one();
      return;
    }
    refusal = stopping_ ? Errc::cancelled : Errc::overloaded;
  }
  job.finish(fail(refusal, refusal == Errc::cancelled ? "the database is closing"
                                                      : "too many reads are waiting"));
}

std::optional<Job> Readers::next_job() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !queue_.empty() || stopping_; });
  if (queue_.empty()) return std::nullopt;
  auto job = std::move(queue_.front());
  queue_.pop_front();
  return job;
}

void Readers::run(sql::Connection& connection) {
  while (auto job = next_job()) {
    auto outcome = run_one(*job, connection);
    job->finish(std::move(outcome));
  }
}

Result<void> Readers::run_one(const Job& job, sql::Connection& connection) {
  if (const int code = connection.control(Verb::begin); code != 0) {
    return fail(to_errc(code), connection.last_error());
  }
  auto outcome = run_guarded(job, connection, file_);
  // Nothing was written: ending it either way only gives the snapshot back.
  if (connection.in_transaction()) connection.control(Verb::rollback);
  connection.take_hard_failure();
  return outcome;
}

}  // namespace postern::storage
