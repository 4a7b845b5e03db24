// Statements held against the database (witness.hpp).
#include "accounts/audit/witness.hpp"
#include "core/crypto.hpp"

namespace postern::accounts::audit {

namespace {

bool same(std::string_view a, std::string_view b) { return crypto::constant_time_equal(a, b); }

class Check {
 public:
  Check(sql::Transaction& tx, const Chain& chain, const PublicKey& key, Timestamp stated,
        WitnessCheck& check)
      : tx_(&tx), chain_(&chain), key_(&key), stated_(stated), check_(&check) {}

  void take(const ChainEnd& end) {
    sql::TenantScope scope(*tx_, end.chain);
    const auto head = read_head(scope);
    auto mac = chain_->chain_mac(end.chain);
    if (!head) {
      add(end, Contradiction::chain_missing);
    } else if (!same(head_mac(mac, end.chain, *head), head->head_mac)) {
      add(end, Contradiction::head_altered);
    } else if (head->closed != Closed::no) {
      take_closed(end, *head);
    } else {
      take_open(scope, end, *head);
    }
  }

 private:
  void take_open(sql::TenantScope& scope, const ChainEnd& end, const Head& head) {
    const auto number = static_cast<std::int64_t>(end.number);
    if (number < head.first_number) {
      // Of the records before the cut the MAC of the last alone is known.
      if (number + 1 == head.first_number && !same(head.cut_mac, end.mac)) {
        add(end, Contradiction::mac_differs);
      } else {
        ++check_->cut;
      }
      return;
    }
    auto row = scope.prepare(
        "SELECT mac FROM audit_records WHERE tenant_id = :tenant AND number = :number");
    row.bind(":number", number);
    if (!row.step()) {
      add(end, Contradiction::record_missing);
    } else if (!same(row.blob(0), end.mac)) {
      add(end, Contradiction::mac_differs);
    } else {
      ++check_->matched;
    }
  }

  void take_closed(const ChainEnd& end, const Head& head) {
    const auto closing = find_closing(end.chain);
    if (!closing) {
      // The closing itself may have been cut from the platform's chain since.
      if (platform_was_cut()) {
        ++check_->closed;
      } else {
        add(end, Contradiction::closing_missing);
      }
    } else if (!closing->signature.empty() && !verify_closing(*closing, *key_)) {
      add(end, Contradiction::closing_unsigned);
    } else if (closing->chain != end.chain || closing->last < end.number ||
               (closing->last == end.number && closing->mac != end.mac) ||
               static_cast<std::int64_t>(closing->last) != head.next_number - 1) {
      add(end, Contradiction::closing_contradicts);
    } else {
      ++check_->closed;
      if (closing->signature.empty()) ++check_->closed_unsigned;
    }
  }

  std::optional<Closing> find_closing(TenantId chain) {
    sql::TenantScope platform(*tx_, TenantId{});
    const auto target = chain_target(chain);
    auto rows = platform.prepare(
        "SELECT details FROM audit_records WHERE tenant_id = :tenant AND target = :target "
        "AND action = :action ORDER BY number DESC LIMIT 1");
    rows.bind_text(":target", target).bind_text(":action", kChainClosed);
    if (!rows.step()) return std::nullopt;
    auto closing = parse_closing(rows.text(0));
    if (!closing) return std::nullopt;
    return std::move(*closing);
  }

  bool platform_was_cut() {
    sql::TenantScope platform(*tx_, TenantId{});
    const auto head = read_head(platform);
    return head && head->first_number > 1;
  }

  void add(const ChainEnd& end, Contradiction contradiction) {
    ++check_->contradictions;
    if (check_->findings.size() < kMaxFindings) {
      check_->findings.push_back({stated_, end.chain, end.number, contradiction});
    }
  }

  sql::Transaction* tx_;
  const Chain* chain_;
  const PublicKey* key_;
  Timestamp stated_;
  WitnessCheck* check_;
};

}  // namespace

void check_against(sql::Transaction& tx, const Chain& chain, const Statement& statement,
                   const PublicKey& key, WitnessCheck& check) {
  Check one(tx, chain, key, statement.heads.at, check);
  for (const auto& end : statement.heads.ends) one.take(end);
}

}  // namespace postern::accounts::audit
