#include "accounts/audit/walk.hpp"

#include <algorithm>

#include "accounts/audit/rows.hpp"
#include "core/crypto.hpp"

namespace postern::accounts::audit {

namespace {

bool same(std::string_view a, std::string_view b) { return crypto::constant_time_equal(a, b); }

class Walk {
 public:
  Walk(const Chain& chain, TenantId id, Verification& found, const Visit& visit)
      : mac_(chain.chain_mac(id)), id_(id), found_(&found), visit_(&visit) {}

  std::optional<Head> run(sql::Transaction& tx) {
    sql::TenantScope scope(tx, id_);
    const auto head = read_head(scope);
    if (head) begin(*head);
    auto rows = scope.prepare("SELECT " AUDIT_COLUMNS
                              " FROM audit_records WHERE tenant_id = :tenant ORDER BY number");
    bool any = false;
    while (rows.step()) {
      ++found_->records;
      any = true;
      if (head) take(view_row(rows), mac_of_row(rows));
    }
    if (head) end(*head);
    if (head || any) ++found_->chains;
    if (!head && any) add(Problem::head_missing, 0, 0);
    return head;
  }

 private:
  void begin(const Head& head) {
    genuine_ = same(head_mac(mac_, id_, head), head.head_mac);
    if (!genuine_) add(Problem::head_altered, head.next_number, head.next_number);
    first_ = head.first_number;
    next_ = head.next_number;
    expected_ = first_;
    stored_ = computed_ = head.cut_mac;
  }

  void take(const RecordView& view, std::string_view stored) {
    if (view.number < first_ || view.number >= next_) {
      add(Problem::record_unexpected, view.number, view.number);
      return;
    }
    // Across a gap the link is gone: what follows it is taken at its word, the gap is the finding.
    const bool after_gap = view.number != expected_;
    if (after_gap) add(Problem::records_missing, expected_, view.number - 1);
    auto computed = record_mac(mac_, buffer_, stored_, id_, view);
    bool good = after_gap || same(computed, stored);
    if (!good && stored_ != computed_) {
      // Perhaps only the MAC before was edited: then this record still follows the true one.
      auto again = record_mac(mac_, buffer_, computed_, id_, view);
      good = same(again, stored);
      if (good) computed = std::move(again);
    }
    if (!good) add(Problem::record_altered, view.number, view.number);
    if (good && *visit_) (*visit_)(view);
    stored_ = stored;
    computed_ = good ? stored_ : std::move(computed);
    expected_ = view.number + 1;
  }

  void end(const Head& head) {
    if (expected_ < next_) {
      add(Problem::records_missing, expected_, next_ - 1);
    } else if (genuine_ && !same(stored_, head.mac) && !same(computed_, head.mac)) {
      add(Problem::head_contradicts, next_, next_);
    }
  }

  void add(Problem problem, std::int64_t number, std::int64_t last) {
    found_->add({id_, number, last, problem});
  }

  KeyedMac mac_;
  TenantId id_;
  Verification* found_;
  const Visit* visit_;
  std::string buffer_;
  bool genuine_ = false;
  std::int64_t first_ = 1;
  std::int64_t next_ = 1;
  std::int64_t expected_ = 1;
  std::string stored_;    ///< MAC of the record before, as the row has it
  std::string computed_;  ///< the same as it should be
};

}  // namespace

std::optional<Head> walk_chain(sql::Transaction& tx, const Chain& chain, TenantId id,
                               Verification& found, const Visit& visit) {
  return Walk(chain, id, found, visit).run(tx);
}

}  // namespace postern::accounts::audit
