#include "accounts/audit/verify.hpp"

#include <map>
#include <set>

#include "accounts/audit/walk.hpp"
#include "accounts/tenants.hpp"
#include "core/crypto.hpp"

namespace postern::accounts::audit {

namespace {

constexpr std::size_t kTenantsPage = 500;

/// What the platform's chain tells of another.
struct Told {
  int opened = 0;
  std::optional<Closing> closing;
};

class All {
 public:
  All(sql::Transaction& tx, const Chain& chain) : tx_(&tx), chain_(&chain) {}

  Verification run() {
    const auto listed = listed_chains(*tx_);
    listed_.insert(listed.begin(), listed.end());
    const auto platform = walk_chain(*tx_, *chain_, TenantId{}, found_,
                                     [this](const RecordView& record) { hear(record); });
    account_for(TenantId{}, platform);
    // After a cut the oldest tellings are gone, and silence means nothing.
    whole_ = platform && platform->first_number == 1;
    for (const auto id : everything()) check(id);
    check_seal();
    return std::move(found_);
  }

 private:
  void hear(const RecordView& record) {
    if (record.action == kResumed) add(TenantId{}, record.number, Problem::resumed);
    const auto id = chain_of_target(record.target);
    if (!id) return;
    if (record.action == kChainOpened) {
      if (++told_[*id].opened > 1) add(*id, 0, Problem::chain_reopened);
    } else if (record.action == kChainClosed) {
      if (auto closing = parse_closing(record.details)) told_[*id].closing = std::move(*closing);
    }
  }

  std::set<TenantId> everything() {
    std::set<TenantId> ids = listed_;
    for (const auto& [id, told] : told_) ids.insert(id);
    std::string after;
    for (;;) {
      const auto page = list_tenants(*tx_, after, kTenantsPage);
      for (const auto& tenant : page) ids.insert(tenant.id);
      if (page.size() < kTenantsPage) break;
      after = page.back().name;
    }
    ids.erase(TenantId{});
    return ids;
  }

  void check(TenantId id) {
    const auto head = walk_chain(*tx_, *chain_, id, found_, [&](const RecordView& record) {
      if (record.action == kResumed) add(id, record.number, Problem::resumed);
    });
    account_for(id, head);
    const auto told = told_.contains(id) ? told_[id] : Told{};
    if (!head) return;
    if (whole_ && told.opened == 0) add(id, 0, Problem::chain_unannounced);
    check_closing(id, *head, told);
  }

  /// The head's share of the seal, and whether the chain is known as it should be.
  void account_for(TenantId id, const std::optional<Head>& head) {
    if (head) {
      toggle(heads_, head->head_mac);
      if (!listed_.contains(id)) add(id, 0, Problem::chain_unlisted);
    } else if (listed_.contains(id) || told_.contains(id)) {
      add(id, 0, Problem::chain_missing);
    }
  }

  void check_closing(TenantId id, const Head& head, const Told& told) {
    // An edited head may hold any number.
    const auto next = static_cast<std::uint64_t>(head.next_number);
    const auto last = static_cast<std::int64_t>(next - 1);
    if (head.closed == Closed::no) {
      if (told.closing) add(id, last, Problem::closing_contradicts);
    } else if (told.closing) {
      if (told.closing->last != next - 1 || told.closing->mac != head.mac) {
        add(id, last, Problem::closing_contradicts);
      }
    } else if (whole_) {
      add(id, last, Problem::closing_missing);
    }
  }

  void check_seal() {
    const auto seal = read_seal(*tx_);
    if (!seal) {
      if (found_.chains > 0) add(TenantId{}, 0, Problem::seal_altered);
      return;
    }
    auto key = chain_->seal_key();
    if (!crypto::constant_time_equal(seal_mac(key, *seal), seal->mac)) {
      add(TenantId{}, 0, Problem::seal_altered);
    } else if (!crypto::constant_time_equal(seal->heads, heads_)) {
      add(TenantId{}, 0, Problem::heads_disagree);
    }
  }

  void add(TenantId id, std::int64_t number, Problem problem) {
    found_.add({id, number, number, problem});
  }

  sql::Transaction* tx_;
  const Chain* chain_;
  Verification found_;
  std::set<TenantId> listed_;
  std::map<TenantId, Told> told_;
  bool whole_ = false;
  std::string heads_ = no_mac();
};

}  // namespace

std::string_view to_string(Problem problem) {
  switch (problem) {
    case Problem::record_altered: return "record altered";
    case Problem::records_missing: return "records missing";
    case Problem::record_unexpected: return "record outside the chain";
    case Problem::head_altered: return "head altered";
    case Problem::head_missing: return "head missing";
    case Problem::head_contradicts: return "head doesn't belong to the newest record";
    case Problem::chain_missing: return "chain missing";
    case Problem::chain_unannounced: return "chain's opening isn't in the platform's chain";
    case Problem::chain_reopened: return "chain was removed and opened again";
    case Problem::chain_unlisted: return "chain isn't in the list of chains";
    case Problem::closing_missing: return "chain's closing isn't in the platform's chain";
    case Problem::closing_contradicts: return "chain's closing contradicts its head";
    case Problem::seal_altered: return "seal altered";
    case Problem::heads_disagree: return "a chain was put back to an earlier state, or removed";
    case Problem::resumed: return "resumed by an operator after a finding";
  }
  return "unknown";
}

void Verification::add(Finding finding) {
  ++problems;
  if (findings.size() < kMaxFindings) findings.push_back(finding);
}

Verification verify_chain(sql::Transaction& tx, const Chain& chain, TenantId id) {
  Verification found;
  walk_chain(tx, chain, id, found, [&](const RecordView& record) {
    if (record.action == kResumed) found.add({id, record.number, record.number, Problem::resumed});
  });
  return found;
}

Verification verify_all(sql::Transaction& tx, const Chain& chain) { return All(tx, chain).run(); }

}  // namespace postern::accounts::audit
