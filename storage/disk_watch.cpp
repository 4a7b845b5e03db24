#include "storage/disk_watch.hpp"

#include <pthread.h>
#include <sys/statvfs.h>

#include "core/log.hpp"
#include "core/metrics.hpp"

namespace postern::storage {

namespace {
metrics::Gauge& free_gauge() {
  static metrics::Gauge gauge("postern_disk_free_bytes",
                              "Free space of the data directory's file system");
  return gauge;
}
metrics::Gauge& below_gauge() {
  static metrics::Gauge gauge("postern_disk_below_reserve",
                              "1 while intake is stopped for want of disk space");
  return gauge;
}
}  // namespace

DiskWatch::DiskWatch(Probe probe, std::uint64_t reserve, std::chrono::milliseconds interval)
    : probe_(std::move(probe)), reserve_(reserve), interval_(interval) {
  look();
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "disk-watch");
}

DiskWatch::~DiskWatch() {
  {
    std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void DiskWatch::run() {
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, interval_, [this] { return stopping_; })) look();
}

void DiskWatch::look() {
  const auto free = probe_();
  if (!free) return;
  free_gauge().set(static_cast<std::int64_t>(*free));
  const bool below = *free < reserve_;
  below_gauge().set(below ? 1 : 0);
  if (below_->exchange(below) == below) return;
  if (below) {
    log::error("storage.disk_below_reserve", {{"free", *free}, {"reserve", reserve_}});
  } else {
    log::info("storage.disk_above_reserve", {{"free", *free}, {"reserve", reserve_}});
  }
}

DiskWatch::Probe free_space_of(const std::string& directory) {
  return [directory]() -> std::optional<std::uint64_t> {
    struct statvfs info{};
    if (::statvfs(directory.c_str(), &info) != 0) return std::nullopt;
    return std::uint64_t{info.f_bavail} * info.f_frsize;
  };
}

}  // namespace postern::storage
