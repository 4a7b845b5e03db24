// Counters, gauges and histograms, rendered as Prometheus text (exposition format 0.0.4).
//
// A metric is made once (a static in the file that owns it), registers itself, and lives as long as
// the process. Updating one is a relaxed atomic add: safe from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::metrics {

/// `labels` (the caller escapes its values): rendered label text without braces, e.g.
/// `lane="auth"`; empty for none.
class Counter {
 public:
  Counter(std::string name, std::string help, std::string labels = {});
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  Gauge(std::string name, std::string help, std::string labels = {});
  void set(std::int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

class Histogram {
 public:
  /// `bounds`: upper bounds in the unit of the name (seconds, bytes), ascending; +Inf is implied.
  Histogram(std::string name, std::string help, std::vector<double> bounds,
            std::string labels = {});
  void observe(double value);

 private:
  void render_to(std::string& out, const std::string& name, const std::string& labels) const;

  std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> buckets_;
  std::atomic<double> sum_{0};
};

/// All registered metrics in the order of their names, HELP and TYPE once a name.
std::string render();

}  // namespace postern::metrics
