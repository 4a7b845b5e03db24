// Watches the free space of a directory's file system: a thread that looks each second.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace postern::storage {

class DiskWatch {
 public:
  /// Free bytes, or nullopt when they can't be told (the last answer stands then).
  using Probe = std::function<std::optional<std::uint64_t>()>;
  /// Looks once before it returns, then every `interval`.
  DiskWatch(Probe probe, std::uint64_t reserve, std::chrono::milliseconds interval);
  ~DiskWatch();
  DiskWatch(const DiskWatch&) = delete;
  DiskWatch& operator=(const DiskWatch&) = delete;

  /// True while free space is below the reserve; lives on after the watch, unchanged.
  [[nodiscard]] std::shared_ptr<const std::atomic<bool>> below() const { return below_; }

 private:
  void run();
  void look();
  Probe probe_;
  std::uint64_t reserve_;
  std::chrono::milliseconds interval_;
  std::shared_ptr<std::atomic<bool>> below_ = std::make_shared<std::atomic<bool>>(false);
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

/// What statvfs() says an unprivileged user may still take.
DiskWatch::Probe free_space_of(const std::string& directory);

}  // namespace postern::storage
