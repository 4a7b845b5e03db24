// The scheduler's inner values: destinations with their slots, tenants and flows in their turns.
// Private to scheduler*.cpp.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "smtp/queue/scheduler.hpp"

namespace postern::smtp::queue::detail {

/// Auth and alert may use slots that the others may not.
enum class Class : std::uint8_t { urgent = 0, ordinary = 1 };
inline Class class_of(Lane lane) {
  return lane == Lane::auth || lane == Lane::alert ? Class::urgent : Class::ordinary;
}
inline std::size_t index_of(Class c) { return static_cast<std::size_t>(c); }
inline std::size_t index_of(Lane lane) { return static_cast<std::size_t>(lane); }

struct Flow;

/// Slots and manners of one domain.
struct Destination {
  std::string name;
  std::size_t limit = 0;
  std::array<std::size_t, 2> used{};             ///< slots at work, by class
  std::array<std::size_t, 2> active{};           ///< flows in their tenants' turns, by class
  std::array<std::deque<Flow*>, kLanes> parked;  ///< flows that wait for a slot
  std::size_t flows = 0;
  std::uint32_t failures = 0;   ///< in a row
  std::uint32_t successes = 0;  ///< since the limit last changed
  std::optional<Timestamp> rests_until;

  [[nodiscard]] std::size_t used_all() const { return used[0] + used[1]; }
  /// Free slots for a class. One slot is never for ordinary mail; a resting destination takes one
  /// urgent job.
  [[nodiscard]] std::size_t room(Class c) const {
    if (rests_until) return c == Class::urgent && used_all() == 0 ? 1 : 0;
    const std::size_t all = limit > used_all() ? limit - used_all() : 0;
    if (c == Class::urgent) return all;
    const std::size_t ordinary = limit > 1 + used[1] ? limit - 1 - used[1] : 0;
    return std::min(all, ordinary);
  }
};

/// A message to recipients of one flow, not yet started.
struct Waiting {
  MessageId message;
  Transport transport = Transport::remote;
  std::vector<std::uint32_t> recipients;
  std::optional<Timestamp> deadline;
  std::shared_ptr<const QueuedMessage> fresh;
};

struct Flow {
  FlowKey key;
  Destination* destination = nullptr;
  std::deque<Waiting> jobs;
  std::size_t rows = 0;     ///< waiting and in flight
  bool overflowed = false;  ///< the table has more that is due
  bool refill_asked = false;
  enum class Place : std::uint8_t { idle, active, parked } place = Place::idle;
};

/// A tenant's flows that can run, in turns, within one lane.
struct Tenant {
  std::deque<Flow*> active;
  bool in_turn = false;
};

struct LaneState {
  std::map<TenantId, Tenant> tenants;
  std::deque<TenantId> turns;
  ScheduleCursor cursor;
  Timestamp read_again{};  ///< not before this, once all due rows were read
  Timestamp rescan_at{};
};

struct RowKey {
  MessageId message;
  std::uint32_t recipient = 0;
  bool operator==(const RowKey&) const = default;
};
struct RowHash {
  std::size_t operator()(const RowKey& key) const noexcept {
    return std::hash<MessageId>{}(key.message) * 31 + key.recipient;
  }
};

struct InFlight {
  Flow* flow = nullptr;
  MessageId message;
  std::vector<std::uint32_t> recipients;
  bool holds_slot = true;
};

}  // namespace postern::smtp::queue::detail
