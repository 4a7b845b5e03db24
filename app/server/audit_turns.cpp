#include "app/server/audit_turns.hpp"

#include <algorithm>

namespace postern::server {

std::vector<TenantId> AuditTurns::begin(std::vector<TenantId> due, Time now) {
  std::erase_if(not_before_, [now](const auto& entry) { return entry.second <= now; });
  std::ranges::rotate(due, std::ranges::upper_bound(due, last_begun_));
  std::vector<TenantId> begun;
  begun.reserve(std::min(due.size(), kStreamsAtOnce));
  for (const auto chain : due) {
    if (turns_.size() >= kStreamsAtOnce) break;
    if (not_before_.contains(chain) || !turns_.try_emplace(chain, Turn{now}).second) continue;
    last_begun_ = chain;
    begun.push_back(chain);
  }
  return begun;
}

bool AuditTurns::goes_on(TenantId chain, Attempt last, Time now) {
  const auto turn = turns_.find(chain);
  if (turn == turns_.end() || last != Attempt::moved) return false;
  return ++turn->second.attempts < kAttemptsOfTurn && now - turn->second.begun < kLongestTurn;
}

void AuditTurns::end(TenantId chain, Attempt last, Time now) {
  turns_.erase(chain);
  if (last == Attempt::not_kept) not_before_[chain] = now + kNotKeptPause;
}

}  // namespace postern::server
