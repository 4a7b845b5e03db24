#include "accounts/audit/chain.hpp"

#include <fmt/format.h>

#include "accounts/audit/rows.hpp"
#include "accounts/audit/stream/stream.hpp"
#include "core/crypto.hpp"
#include "core/encoding.hpp"

namespace postern::accounts::audit {

namespace {

constexpr std::string_view kSalt = "postern audit";

std::unexpected<Error> corrupt(std::string_view what, TenantId chain) {
  return fail(Errc::corrupt, fmt::format("{} of the audit chain {} isn't genuine", what,
                                         chain == TenantId{} ? "of the platform" : chain.text()));
}

KeyedMac derive(std::string_view pseudorandom_key, const std::string& info) {
  auto key = crypto::hkdf_expand(pseudorandom_key, info, crypto::kKeySize);
  KeyedMac mac(key);
  crypto::wipe(key);
  return mac;
}

void insert_record(sql::TenantScope& scope, std::int64_t number, const Record& record,
                   std::string_view mac) {
  scope
      .prepare("INSERT INTO audit_records (tenant_id, " AUDIT_COLUMNS
               ") VALUES (:tenant, :number, :id, :at, :action, :outcome, :actor_kind, :actor_id, "
               ":actor, :original_actor, :door, :address, :target, :details, :request_id, :mac)")
      .bind(":number", number)
      .bind(":id", record.id)
      .bind(":at", record.at)
      .bind_text(":action", record.action)
      .bind(":outcome", static_cast<int>(record.outcome))
      .bind(":actor_kind", static_cast<int>(record.actor_kind))
      .bind_text(":actor_id", record.actor_id)
      .bind_text(":actor", record.actor)
      .bind_text(":original_actor", record.original_actor)
      .bind(":door", static_cast<int>(record.door))
      .bind_text(":address", record.address)
      .bind_text(":target", record.target)
      .bind_text(":details", record.details)
      .bind_text(":request_id", record.request_id)
      .bind_blob(":mac", mac)
      .run();
}

Record opened_record(TenantId chain, const Record& first) {
  Record record;
  record.at = first.at;
  record.action = kChainOpened;
  record.target = chain_target(chain);
  record.request_id = first.request_id;
  return record;
}

}  // namespace

Chain::Chain(std::string_view key) : pseudorandom_key_(crypto::hkdf_extract(key, kSalt)) {}
Chain::~Chain() { crypto::wipe(pseudorandom_key_); }

KeyedMac Chain::chain_mac(TenantId chain) const {
  return derive(pseudorandom_key_, fmt::format("chain {}", chain.view()));
}

KeyedMac Chain::seal_key() const { return derive(pseudorandom_key_, "seal"); }

Result<void> Chain::append(sql::Transaction& tx, TenantId chain, const Record& record) const {
  const auto stored = bounded(record);
  if (!stored) return std::unexpected(stored.error());
  auto seal = open_seal(tx);
  if (!seal) return std::unexpected(seal.error());
  auto appended = append_sealed(tx, *seal, chain, *stored);
  if (appended) seal_again(tx, *seal);
  return appended;
}

Result<Seal> Chain::open_seal(sql::Transaction& tx) const {
  auto seal = hold_seal(tx);
  if (!seal) {
    if (listed_chains(tx).empty()) return Seal{};
    return fail(Errc::corrupt, "the seal of the audit chains is gone");
  }
  auto key = seal_key();
  if (!crypto::constant_time_equal(seal_mac(key, *seal), seal->mac)) {
    return fail(Errc::corrupt, "the seal of the audit chains isn't genuine");
  }
  return *seal;
}

void Chain::seal_again(sql::Transaction& tx, Seal& seal) const {
  auto key = seal_key();
  write_seal(tx, key, seal);
}

Result<std::optional<Head>> Chain::open_head(sql::TenantScope& scope, KeyedMac& mac) const {
  const auto chain = scope.tenant();
  auto head = hold_head(scope);
  if (!head) {
    if (is_listed(scope.transaction(), chain)) return corrupt("the (missing) head", chain);
    return std::nullopt;
  }
  if (!crypto::constant_time_equal(head_mac(mac, chain, *head), head->head_mac)) {
    return corrupt("the head", chain);
  }
  if (head->closed != Closed::no) return fail(Errc::denied, "the tenant's audit chain is closed");
  return head;
}

void Chain::replace_head(sql::TenantScope& scope, KeyedMac& mac, Seal& seal, Head& head) const {
  toggle(seal.heads, head.head_mac);
  write_head(scope, mac, head);
  toggle(seal.heads, head.head_mac);
}

Result<void> Chain::append_sealed(sql::Transaction& tx, Seal& seal, TenantId chain,
                                  const Record& record) const {
  sql::TenantScope scope(tx, chain);
  auto mac = chain_mac(chain);
  auto found = open_head(scope, mac);
  if (!found) return std::unexpected(found.error());
  Head head = found->value_or(Head{});
  const bool opens = !found->has_value();
  if (opens) {
    list_chain(tx, chain, record.at);
    insert_head(scope, mac, head);
    toggle(seal.heads, head.head_mac);
  }
  const auto number = head.next_number;
  std::string buffer;
  head.mac =
      record_mac(mac, buffer, head.mac, chain, view_of(record, static_cast<std::uint64_t>(number)));
  try {
    insert_record(scope, number, record, head.mac);
  } catch (const sql::UniqueViolation&) {
    return corrupt(fmt::format("record {}, beyond the head,", number), chain);
  }
  ++head.next_number;
  replace_head(scope, mac, seal, head);
  if (!opens || chain == TenantId{}) return {};
  return append_sealed(tx, seal, TenantId{}, opened_record(chain, record));
}

Result<Closing> Chain::close(sql::Transaction& tx, TenantId chain, const By& by,
                             const WitnessKey* key) const {
  if (chain == TenantId{}) return fail(Errc::invalid, "the platform's audit chain is never closed");
  auto seal = open_seal(tx);
  if (!seal) return std::unexpected(seal.error());
  sql::TenantScope scope(tx, chain);
  auto mac = chain_mac(chain);
  auto found = open_head(scope, mac);
  if (!found) return std::unexpected(found.error());
  if (!*found) return fail(Errc::not_found, "the tenant has no audit chain");
  Head head = **found;
  scope.prepare("DELETE FROM audit_records WHERE tenant_id = :tenant").run();
  const auto removed = static_cast<std::uint64_t>(scope.changes());
  // Its stream, if there is one, ends with it.
  if (auto ended = remove_stream(scope); !ended && ended.error().code != Errc::not_found) {
    return std::unexpected(ended.error());
  }
  Closing closing{
      chain, static_cast<std::uint64_t>(head.next_number - 1), head.mac, removed, by.at, {}, {}};
  if (key != nullptr) sign_closing(closing, *key);
  head.first_number = head.next_number;
  head.cut_mac = head.mac;
  head.closed = Closed::yes;
  replace_head(scope, mac, *seal, head);
  Record record = by;
  record.action = kChainClosed;
  record.target = chain_target(chain);
  record.details = closing_details(closing);
  const auto stored = bounded(record);
  if (!stored) return std::unexpected(stored.error());
  auto appended = append_sealed(tx, *seal, TenantId{}, *stored);
  if (!appended) return std::unexpected(appended.error());
  seal_again(tx, *seal);
  return closing;
}

}  // namespace postern::accounts::audit
