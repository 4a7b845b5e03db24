#include "accounts/keys/key_meter.hpp"

#include <algorithm>

namespace postern::accounts {

Task<Result<void>> KeyMeter::load(Name name) {
  auto stored =
      co_await registry_->read<KeyUsage>([name](sql::Transaction& tx) -> Result<KeyUsage> {
        sql::TenantScope scope(tx, name.tenant);
        return read_key_usage(scope, name.key, name.month);
      });
  if (!stored) co_return std::unexpected(stored.error());
  std::scoped_lock lock(mutex_);
  // Whoever else loaded it meanwhile read the same: nothing is flushed before it is loaded.
  counts_.try_emplace(name, Count{stored->reads + stored->writes, 0, 0});
  co_return Result<void>{};
}

Task<Result<bool>> KeyMeter::admit(TenantId tenant, ApiKeyId key, std::optional<std::uint64_t> cap,
                                   Use use, Timestamp now) {
  const Name name{tenant, key, month_of(now)};
  for (;;) {
    {
      std::scoped_lock lock(mutex_);
      if (const auto found = counts_.find(name); found != counts_.end()) {
        auto& count = found->second;
        if (cap && count.stored + count.reads + count.writes >= *cap) co_return false;
        ++(use == Use::read ? count.reads : count.writes);
        co_return true;
      }
    }
    auto loaded = co_await load(name);
    if (!loaded) co_return std::unexpected(loaded.error());
  }
}

std::vector<KeyMeter::Batch> KeyMeter::take() {
  std::vector<Batch> batches;
  std::scoped_lock lock(mutex_);
  for (auto& [name, count] : counts_) {
    if (count.reads + count.writes == 0) continue;
    batches.push_back({name, {name.month, count.reads, count.writes}});
    count.stored += count.reads + count.writes;
    count.reads = count.writes = 0;
  }
  // Months that are over aren't asked for again.
  Month newest = 0;
  for (const auto& [name, count] : counts_) newest = std::max(newest, name.month);
  std::erase_if(counts_, [newest](const auto& entry) { return entry.first.month < newest; });
  return batches;
}

void KeyMeter::put_back(const std::vector<Batch>& batches) {
  std::scoped_lock lock(mutex_);
  for (const auto& [name, more] : batches) {
    auto& count = counts_[name];
    const auto taken = more.reads + more.writes;
    count.stored = count.stored > taken ? count.stored - taken : 0;
    count.reads += more.reads;
    count.writes += more.writes;
  }
}

Task<Result<void>> KeyMeter::flush() {
  const auto batches = take();
  if (batches.empty()) co_return Result<void>{};
  auto added = co_await registry_->note<void>([batches](sql::Transaction& tx) -> Result<void> {
    for (const auto& [name, more] : batches) {
      sql::TenantScope scope(tx, name.tenant);
      auto done = add_key_usage(scope, name.key, more);
      // A key that is gone has no months any more.
      if (!done && done.error().code != Errc::not_found) return done;
    }
    return {};
  });
  if (!added) put_back(batches);
  co_return added;
}

}  // namespace postern::accounts
