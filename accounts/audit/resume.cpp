// Chain's way on after tampering or damage was found (chain.hpp).
#include <algorithm>
#include <limits>

#include "accounts/audit/chain.hpp"
#include "accounts/audit/stream/stream.hpp"
#include "core/crypto.hpp"
#include "core/encoding.hpp"

namespace postern::accounts::audit {

namespace {

/// A number that only a forger writes, and that nothing can follow.
constexpr std::int64_t kLastNumber = std::numeric_limits<std::int64_t>::max();

struct Newest {
  std::int64_t number = 0;
  std::string mac = no_mac();
};

Newest newest_record(sql::TenantScope& scope) {
  auto row = scope.prepare(
      "SELECT number, mac FROM audit_records WHERE tenant_id = :tenant "
      "ORDER BY number DESC LIMIT 1");
  if (!row.step()) return {};
  return {row.integer(0), std::string(row.blob(1))};
}

}  // namespace

Seal Chain::remake_seal(sql::Transaction& tx) const {
  const auto found = hold_seal(tx);
  auto seal = found.value_or(Seal{});
  if (found && (seal.sequence <= 0 || seal.sequence == kLastNumber)) seal.sequence = 1;
  seal.heads = no_mac();
  for (const auto chain : listed_chains(tx)) {
    sql::TenantScope scope(tx, chain);
    if (const auto head = read_head(scope)) toggle(seal.heads, head->head_mac);
  }
  return seal;
}

Result<void> Chain::resume(sql::Transaction& tx, TenantId chain, const By& by) const {
  // Held first, whatever it says: every change of a chain waits here.
  hold_seal(tx);
  sql::TenantScope scope(tx, chain);
  auto mac = chain_mac(chain);
  auto found = hold_head(scope);
  if (!found && !is_listed(tx, chain)) return fail(Errc::not_found, "there is no such audit chain");
  const auto newest = newest_record(scope);
  if (newest.number == kLastNumber) {
    return fail(Errc::corrupt, "remove the audit record that has the last possible number first");
  }
  Head head = found.value_or(Head{});
  boost::json::object details{{"found_next", head.next_number},
                              {"found_mac", hex_encode(head.mac)},
                              {"newest", newest.number}};
  const bool genuine =
      found && crypto::constant_time_equal(head_mac(mac, chain, head), head.head_mac);
  details["head"] = !found ? "missing" : genuine ? "genuine" : "false";
  if (!found) insert_head(scope, mac, head);
  // A genuine head that is ahead of the records shows how many are missing; it isn't wound back.
  if (!genuine || newest.number >= head.next_number) {
    head.next_number = newest.number + 1;
    head.mac = newest.mac;
  }
  if (head.first_number < 1 || head.first_number > head.next_number) {
    head.first_number = head.next_number;
    head.cut_mac = head.mac;
  }
  if (genuine && head.closed != Closed::no) return fail(Errc::denied, "the audit chain is closed");
  head.closed = Closed::no;
  write_head(scope, mac, head);
  const auto last = std::max<std::int64_t>(0, head.next_number - 1);
  wind_back_stream(scope, static_cast<std::uint64_t>(last), by.at);
  auto seal = remake_seal(tx);
  Record record = by;
  record.action = kResumed;
  record.target = chain_target(chain);
  record.details = canonical(details);
  const auto stored = bounded(record);
  if (!stored) return std::unexpected(stored.error());
  auto appended = append_sealed(tx, seal, chain, *stored);
  if (appended) seal_again(tx, seal);
  return appended;
}

}  // namespace postern::accounts::audit
