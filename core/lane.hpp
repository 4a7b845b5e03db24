// A message's lane travels with it everywhere: SQL queue, signing, destination slots.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern {

/// In order of urgency. A lane is never stuck behind a later one.
enum class Lane : std::uint8_t { auth, alert, transactional, bulk };

inline constexpr int kLanes = 4;

constexpr std::string_view to_string(Lane lane) {
  switch (lane) {
    case Lane::auth: return "auth";
    case Lane::alert: return "alert";
    case Lane::transactional: return "transactional";
    case Lane::bulk: return "bulk";
  }
  return "bulk";
}

constexpr std::optional<Lane> parse_lane(std::string_view text) {
  for (const Lane lane : {Lane::auth, Lane::alert, Lane::transactional, Lane::bulk}) {
    if (to_string(lane) == text) return lane;
  }
  return std::nullopt;
}

}  // namespace postern
