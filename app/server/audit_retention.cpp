#include "app/server/audit_retention.hpp"

#include "accounts/audit/retention.hpp"
#include "core/log.hpp"

namespace postern::server {

namespace audit = accounts::audit;

namespace {

constexpr std::chrono::days kWorthACut{1};
constexpr std::size_t kStep = 2'000;  // records cut in one transaction

using Chains = std::vector<TenantId>;

Task<Result<Chains>> due_chains(accounts::Registry& registry, Timestamp oldest) {
  co_return co_await registry.read<Chains>([oldest](sql::Transaction& tx) -> Result<Chains> {
    return audit::chains_older_than(tx, oldest - kWorthACut);
  });
}

Task<Result<audit::Cut>> cut_step(accounts::Registry& registry, const audit::Chain& chain,
                                  TenantId id, Timestamp oldest, Timestamp now) {
  co_return co_await registry.note<audit::Cut>([&chain, id, oldest, now](sql::Transaction& tx) {
    sql::TenantScope scope(tx, id);
    return chain.cut_before(scope, oldest, now, kStep);
  });
}

Task<void> cut_chain(accounts::Registry& registry, const audit::Chain& chain, TenantId id,
                     Timestamp oldest, Timestamp now) {
  const auto name = audit::chain_name(id);
  std::uint64_t count = 0;
  for (;;) {
    const auto cut = co_await cut_step(registry, chain, id, oldest, now);
    // Errc::denied: closed meanwhile, with the tenant.
    if (!cut && cut.error().code != Errc::denied) {
      log::error("audit_not_cut", {{"chain", name}, {"error", cut.error().message}});
    }
    if (!cut) break;
    count += cut->count;
    if (cut->count < kStep) break;
  }
  if (count > 0) log::info("audit_cut", {{"chain", name}, {"records", count}});
}

}  // namespace

Task<void> cut_audit_chains(accounts::Registry& registry, const audit::Chain& chain, Timestamp now,
                            Micros retention) {
  const auto oldest = now - retention;
  const auto due = co_await due_chains(registry, oldest);
  if (!due) {
    log::warn("audit_not_cut", {{"error", due.error().message}});
    co_return;
  }
  for (const auto id : *due) co_await cut_chain(registry, chain, id, oldest, now);
}

}  // namespace postern::server
