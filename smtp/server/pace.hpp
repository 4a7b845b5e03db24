// How long a client may take for the next octets of a message: idle time, whole time, least rate.
//
// A client that dribbles one octet a minute passes every idle limit; the rate stops it. Only time
// spent waiting for the client counts, never our own disk.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "smtp/server/config.hpp"

namespace postern::smtp {

/// What is left for the next read, after `waited` so far and `octets` received. Zero: time is up.
inline std::chrono::milliseconds time_for_data(const Limits& limits,
                                               std::chrono::milliseconds waited,
                                               std::uint64_t octets) {
  using std::chrono::milliseconds;
  const auto earned = octets / std::max<std::uint64_t>(limits.data_rate, 1) * 1000;
  const auto cap = static_cast<std::uint64_t>(limits.data_total.count());
  const milliseconds paced =
      limits.data_grace + milliseconds(static_cast<std::int64_t>(std::min(earned, cap)));
  const milliseconds left = std::min(limits.data_total, paced) - waited;
  return std::max(milliseconds(0), std::min(limits.data_idle, left));
}

}  // namespace postern::smtp
