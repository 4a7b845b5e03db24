// A clock that moves only when the test says so. Safe to read from any thread.
#pragma once

#include <atomic>

#include "core/time.hpp"

namespace postern::test {

class FakeClock final : public Clock {
 public:
  /// Starts at 2026-01-01T00:00:00Z unless told otherwise.
  explicit FakeClock(Timestamp start = Timestamp{std::chrono::sys_days{std::chrono::year{2026} /
                                                                       std::chrono::January / 1}})
      : micros_(to_micros(start)) {}

  [[nodiscard]] Timestamp now() const override { return from_micros(micros_.load()); }
  void set(Timestamp t) { micros_.store(to_micros(t)); }
  void advance(Micros by) { micros_.fetch_add(by.count()); }

 private:
  std::atomic<std::int64_t> micros_;
};

}  // namespace postern::test
