// The readers of one database file: a few threads, each with its own connection; a read is one
// deferred transaction on a WAL snapshot. Internal to storage; the door is database.hpp.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/job.hpp"

namespace postern::storage {

class Readers {
 public:
  Readers(std::vector<std::unique_ptr<sql::Connection>> connections, std::string file,
          std::size_t queue_limit);
  ~Readers();  ///< answers what is queued
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  /// Calls job.finish at once when the queue is full (Errc::overloaded) or stopping
  /// (Errc::cancelled).
  void submit(Job job);

 private:
  void run(sql::Connection& connection);
  std::optional<Job> next_job();
  Result<void> run_one(const Job& job, sql::Connection& connection);

  std::vector<std::unique_ptr<sql::Connection>> connections_;
  std::string file_;
  std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace postern::storage
