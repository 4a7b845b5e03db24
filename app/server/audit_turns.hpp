// Whose turn it is among the audit streams, and for how long: so that a receiver that is slow, or a
// chain that can't go on, keeps nobody else waiting and asks nobody the same thing again and again.
//
// No I/O, and no clock of its own: times are given, and never decrease. Owner: AuditStreams; used
// from its thread. A turn that began must end.
#pragma once

#include <chrono>
#include <map>
#include <vector>

#include "app/server/audit_delivery.hpp"
#include "core/id.hpp"

namespace postern::server {

inline constexpr std::size_t kStreamsAtOnce = 16;
inline constexpr int kAttemptsOfTurn = 50;
/// No attempt begins after so much of a turn; the last one takes its own time beside (20 s at
/// most).
inline constexpr std::chrono::seconds kLongestTurn{10};
/// After Attempt::not_kept, of which the stream itself knows nothing.
inline constexpr std::chrono::seconds kNotKeptPause{30};

class AuditTurns {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Those of `due` (in order) whose turn begins now; who was passed over comes first the next
  /// time.
  std::vector<TenantId> begin(std::vector<TenantId> due, Time now);
  /// Whether the turn goes on after an attempt.
  bool goes_on(TenantId chain, Attempt last, Time now);
  void end(TenantId chain, Attempt last, Time now);

 private:
  struct Turn {
    Time begun;
    int attempts = 0;
  };
  std::map<TenantId, Turn> turns_;
  std::map<TenantId, Time> not_before_;
  TenantId last_begun_;
};

}  // namespace postern::server
