#include "accounts/audit/setback.hpp"

#include <map>
#include <optional>

namespace postern::accounts::audit {

namespace {

using Ends = std::map<TenantId, const ChainEnd*>;

Ends ends_of(const Heads& heads) {
  Ends ends;
  for (const auto& end : heads.ends) ends.emplace(end.chain, &end);
  return ends;
}

std::uint64_t platform_number(const Ends& ends) {
  const auto found = ends.find(TenantId{});
  return found == ends.end() ? 0 : found->second->number;
}

}  // namespace

std::string_view to_string(Setback setback) {
  switch (setback) {
    case Setback::went_back: return "chain went back";
    case Setback::replaced: return "newest record replaced";
    case Setback::vanished: return "chain vanished";
  }
  return "unknown";
}

std::vector<SetbackFinding> compare_heads(const Heads& before, const Heads& now) {
  const auto later = ends_of(now);
  // The end of a chain is a record in the platform's.
  const bool platform_grew = platform_number(later) > platform_number(ends_of(before));
  std::vector<SetbackFinding> findings;
  for (const auto& end : before.ends) {
    const auto found = later.find(end.chain);
    std::optional<Setback> setback;
    if (found == later.end()) {
      if (end.chain == TenantId{} || !platform_grew) setback = Setback::vanished;
    } else if (found->second->number < end.number) {
      setback = Setback::went_back;
    } else if (found->second->number == end.number && found->second->mac != end.mac) {
      setback = Setback::replaced;
    }
    if (setback) findings.push_back({end.chain, end.number, *setback});
  }
  return findings;
}

}  // namespace postern::accounts::audit
