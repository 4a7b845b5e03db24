// Chain's retention (chain.hpp).
#include <fmt/format.h>

#include "accounts/audit/chain.hpp"
#include "accounts/audit/rows.hpp"
#include "core/crypto.hpp"
#include "core/encoding.hpp"

namespace postern::accounts::audit {

namespace {

/// The oldest records, as far as they are old enough and genuine.
Result<Cut> find_cut(sql::TenantScope& scope, KeyedMac& mac, const Head& head, Timestamp oldest,
                     std::size_t limit) {
  auto rows = scope.prepare("SELECT " AUDIT_COLUMNS
                            " FROM audit_records WHERE tenant_id = :tenant AND number >= :first "
                            "ORDER BY number LIMIT :limit");
  rows.bind(":first", head.first_number).bind(":limit", static_cast<std::int64_t>(limit));
  Cut cut;
  cut.last_mac = head.cut_mac;
  cut.last = static_cast<std::uint64_t>(head.first_number - 1);
  std::string buffer;
  while (rows.step()) {
    const auto view = view_row(rows);
    if (from_micros(view.at) >= oldest) break;
    const auto computed = record_mac(mac, buffer, cut.last_mac, scope.tenant(), view);
    if (view.number != static_cast<std::int64_t>(cut.last) + 1 || view.number >= head.next_number ||
        !crypto::constant_time_equal(computed, mac_of_row(rows))) {
      return fail(Errc::corrupt,
                  fmt::format("audit record {} isn't genuine: nothing is cut", cut.last + 1));
    }
    ++cut.count;
    ++cut.last;
    cut.last_at = from_micros(view.at);
    cut.last_mac = computed;
  }
  return cut;
}

Record cut_record(TenantId chain, const Head& before, const Cut& cut, Timestamp now) {
  Record record;
  record.at = now;
  record.action = kCutAction;
  record.target = chain_target(chain);
  record.details = canonical({{"count", cut.count},
                              {"first", before.first_number},
                              {"last", cut.last},
                              {"last_at", to_micros(cut.last_at)},
                              {"last_mac", hex_encode(cut.last_mac)}});
  return record;
}

}  // namespace

Result<Cut> Chain::cut_before(sql::TenantScope& scope, Timestamp oldest, Timestamp now,
                              std::size_t limit) const {
  auto& tx = scope.transaction();
  auto seal = open_seal(tx);
  if (!seal) return std::unexpected(seal.error());
  auto mac = chain_mac(scope.tenant());
  auto found = open_head(scope, mac);
  if (!found) return std::unexpected(found.error());
  if (!*found) return Cut{};
  Head head = **found;
  auto cut = find_cut(scope, mac, head, oldest, limit);
  if (!cut || cut->count == 0) return cut;
  scope
      .prepare(
          "DELETE FROM audit_records WHERE tenant_id = :tenant AND number >= :first "
          "AND number <= :last")
      .bind(":first", head.first_number)
      .bind(":last", static_cast<std::int64_t>(cut->last))
      .run();
  const auto record = cut_record(scope.tenant(), head, *cut, now);
  head.first_number = static_cast<std::int64_t>(cut->last) + 1;
  head.cut_mac = cut->last_mac;
  replace_head(scope, mac, *seal, head);
  auto appended = append_sealed(tx, *seal, scope.tenant(), record);
  if (!appended) return std::unexpected(appended.error());
  seal_again(tx, *seal);
  return cut;
}

}  // namespace postern::accounts::audit
