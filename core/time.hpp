// Wall-clock time as the program stores and passes it: microseconds since 1970 UTC.
#pragma once

#include <chrono>
#include <cstdint>

namespace postern {

using Micros = std::chrono::microseconds;
using Timestamp = std::chrono::sys_time<Micros>;

/// Where "now" comes from. Code that schedules takes a `Clock&`, so that tests own time.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Timestamp now() const = 0;
};

/// The system's clock. One object for the whole process.
Clock& system_clock();

[[nodiscard]] inline std::int64_t to_micros(Timestamp t) { return t.time_since_epoch().count(); }
[[nodiscard]] inline Timestamp from_micros(std::int64_t us) { return Timestamp{Micros{us}}; }

}  // namespace postern
