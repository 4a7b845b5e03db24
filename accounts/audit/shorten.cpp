#include "accounts/audit/shorten.hpp"

#include <algorithm>

#include "accounts/audit/retention.hpp"

namespace postern::accounts::audit {

namespace {

constexpr std::uint64_t kStep = 2'000;

struct Step {
  std::uint64_t removed = 0;
  std::uint64_t kept = 0;
};

Result<Step> cut_some(sql::Transaction& tx, const Chain& chain, TenantId id, std::uint64_t keep,
                      Timestamp now) {
  sql::TenantScope scope(tx, id);
  const auto kept = kept_records(scope);
  if (kept <= keep) return Step{0, kept};
  // One more: the cut is a record too.
  const auto limit = std::min(kStep, kept - keep + 1);
  const auto cut = chain.cut_before(scope, Timestamp::max(), now, limit);
  if (!cut) return std::unexpected(cut.error());
  return Step{cut->count, kept_records(scope)};
}

}  // namespace

Task<Result<void>> shorten(Registry& registry, const Chain& chain, TenantId id, std::uint64_t keep,
                           Timestamp now) {
  for (;;) {
    const auto step = co_await registry.note<Step>([&chain, id, keep, now](sql::Transaction& tx) {
      return cut_some(tx, chain, id, keep, now);
    });
    if (!step) co_return std::unexpected(step.error());
    // A cut of one record would add one for ever.
    if (step->kept <= keep || step->removed < 2) co_return Result<void>{};
  }
}

}  // namespace postern::accounts::audit
