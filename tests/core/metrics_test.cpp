#include "core/metrics.hpp"

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

namespace {
using namespace postern::metrics;

Counter accepted("test_accepted_total", "Messages accepted", R"(lane="auth")");
Counter accepted_bulk("test_accepted_total", "ignored: the first help counts", R"(lane="bulk")");
Gauge sessions("test_sessions", "Live sessions,\nby \\ now");
Histogram seconds("test_seconds", "Time taken", {0.1, 1, 10}, R"(op="read")");
Histogram plain("test_bytes", "Sizes", {100});
Counter concurrent("test_concurrent_total", "Counted from many threads");

bool has(const std::string& page, const std::string& lines) {
  return page.find(lines) != std::string::npos;
}
}  // namespace

TEST_CASE("metrics_render_as_prometheus_text") {
  accepted.add();
  accepted.add(2);
  sessions.set(5);
  sessions.add(-7);
  for (const double value : {0.05, 0.1, 0.5, 10.0, 11.0}) seconds.observe(value);
  plain.observe(100);
  const auto page = render();
  CHECK(has(page,
            "# HELP test_accepted_total Messages accepted\n# TYPE test_accepted_total counter\n"
            "test_accepted_total{lane=\"auth\"} 3\ntest_accepted_total{lane=\"bulk\"} 0\n"));
  CHECK(has(page,
            "# HELP test_sessions Live sessions,\\nby \\\\ now\n# TYPE test_sessions "
            "gauge\ntest_sessions -2\n"));
  CHECK(has(page,
            "# TYPE test_seconds histogram\n"
            "test_seconds_bucket{op=\"read\",le=\"0.1\"} 2\n"
            "test_seconds_bucket{op=\"read\",le=\"1\"} 3\n"
            "test_seconds_bucket{op=\"read\",le=\"10\"} 4\n"
            "test_seconds_bucket{op=\"read\",le=\"+Inf\"} 5\n"
            "test_seconds_sum{op=\"read\"} 21.65\n"
            "test_seconds_count{op=\"read\"} 5\n"));
  CHECK(has(
      page,
      "test_bytes_bucket{le=\"100\"} 1\ntest_bytes_bucket{le=\"+Inf\"} 1\ntest_bytes_sum 100\n"));
}

TEST_CASE("metrics_count_from_many_threads") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 10'000; ++i) {
        concurrent.add();
        seconds.observe(0.01);
        if (i % 1'000 == 0) render();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(concurrent.value() == 40'000);
}
