// What is measured of each database file, labelled with the file's name. Internal to storage.
#pragma once

#include <string>

#include "core/metrics.hpp"

namespace postern::storage {

struct DatabaseMetrics {
  explicit DatabaseMetrics(const std::string& file);
  metrics::Gauge queued;
  metrics::Histogram batch_size;
  metrics::Histogram commit_seconds;
  metrics::Counter failed_batches;
  metrics::Counter failed_closures;
  metrics::Counter restarted_batches;
  metrics::Counter refused;
};

/// One set a file name, kept for the life of the process. `path` names the file.
DatabaseMetrics& metrics_of(const std::string& path);

}  // namespace postern::storage
