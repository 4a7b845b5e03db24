#include "storage/database_metrics.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

namespace postern::storage {

namespace {
std::string label(const std::string& file) { return fmt::format("file=\"{}\"", file); }
}  // namespace

DatabaseMetrics::DatabaseMetrics(const std::string& file)
    : queued("postern_sql_queued", "Closures waiting to be written", label(file)),
      batch_size("postern_sql_batch_closures", "Closures committed together",
                 {1, 2, 4, 8, 16, 32, 64, 128, 256}, label(file)),
      commit_seconds("postern_sql_commit_seconds", "Time of a batch's COMMIT, with its sync",
                     {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1},
                     label(file)),
      failed_batches("postern_sql_failed_batches_total", "Batches that were lost as a whole",
                     label(file)),
      failed_closures("postern_sql_failed_closures_total", "Closures that failed", label(file)),
      restarted_batches("postern_sql_restarted_batches_total",
                        "Batches begun anew without a closure that failed late", label(file)),
      refused("postern_sql_refused_total", "Writes refused: queue full or disk below its reserve",
              label(file)) {}

DatabaseMetrics& metrics_of(const std::string& path) {
  static std::mutex mutex;
  static auto* sets =
      new std::map<std::string, std::unique_ptr<DatabaseMetrics>>;  // never destroyed
  const auto file = std::filesystem::path(path).filename().string();
  std::scoped_lock lock(mutex);
  auto& set = (*sets)[file];
  if (!set) set = std::make_unique<DatabaseMetrics>(file);
  return *set;
}

}  // namespace postern::storage
