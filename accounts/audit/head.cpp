#include "accounts/audit/head.hpp"

#include "accounts/audit/encoder.hpp"

namespace postern::accounts::audit {

namespace {

void bind_head(sql::Statement& statement, const Head& head) {
  statement.bind(":next", head.next_number)
      .bind_blob(":mac", head.mac)
      .bind(":first", head.first_number)
      .bind_blob(":cut", head.cut_mac)
      .bind(":closed", static_cast<std::int64_t>(head.closed))
      .bind_blob(":head_mac", head.head_mac);
}

}  // namespace

std::string no_mac() { return std::string(kMacSize, '\0'); }

std::string head_mac(KeyedMac& key, TenantId chain, const Head& head) {
  std::string buffer;
  Encoder(buffer, "postern audit head 1")
      .id(chain)
      .number(head.next_number)
      .text(head.mac)
      .number(head.first_number)
      .text(head.cut_mac)
      .number(static_cast<std::int64_t>(head.closed));
  return key.compute(buffer);
}

std::string seal_mac(KeyedMac& key, const Seal& seal) {
  std::string buffer;
  Encoder(buffer, "postern audit seal 1").number(seal.sequence).text(seal.heads);
  return key.compute(buffer);
}

void toggle(std::string& heads, std::string_view mac) {
  for (std::size_t i = 0; i < heads.size() && i < mac.size(); ++i) {
    heads[i] = static_cast<char>(heads[i] ^ mac[i]);
  }
}

std::optional<Head> read_head(sql::TenantScope& scope) {
  auto row = scope.prepare(
      "SELECT next_number, mac, first_number, cut_mac, closed, head_mac FROM audit_heads "
      "WHERE tenant_id = :tenant");
  if (!row.step()) return std::nullopt;
  Head head;
  head.next_number = row.integer(0);
  head.mac = row.blob(1);
  head.first_number = row.integer(2);
  head.cut_mac = row.blob(3);
  head.closed = static_cast<Closed>(row.integer(4));
  head.head_mac = row.blob(5);
  return head;
}

std::optional<Seal> read_seal(sql::Transaction& tx) {
  auto row = tx.prepare("SELECT sequence, heads, mac FROM audit_seal WHERE id = 1");
  if (!row.step()) return std::nullopt;
  return Seal{row.integer(0), std::string(row.blob(1)), std::string(row.blob(2))};
}

std::optional<Head> hold_head(sql::TenantScope& scope) {
  scope.prepare("UPDATE audit_heads SET closed = closed WHERE tenant_id = :tenant").run();
  return read_head(scope);
}

std::optional<Seal> hold_seal(sql::Transaction& tx) {
  tx.prepare("UPDATE audit_seal SET sequence = sequence WHERE id = 1").run();
  return read_seal(tx);
}

void insert_head(sql::TenantScope& scope, KeyedMac& key, Head& head) {
  head.head_mac = head_mac(key, scope.tenant(), head);
  auto insert = scope.prepare(
      "INSERT INTO audit_heads (tenant_id, next_number, mac, first_number, cut_mac, closed, "
      "head_mac) VALUES (:tenant, :next, :mac, :first, :cut, :closed, :head_mac)");
  bind_head(insert, head);
  insert.run();
}

void write_head(sql::TenantScope& scope, KeyedMac& key, Head& head) {
  head.head_mac = head_mac(key, scope.tenant(), head);
  auto update = scope.prepare(
      "UPDATE audit_heads SET next_number = :next, mac = :mac, first_number = :first, "
      "cut_mac = :cut, closed = :closed, head_mac = :head_mac WHERE tenant_id = :tenant");
  bind_head(update, head);
  update.run();
}

void write_seal(sql::Transaction& tx, KeyedMac& key, Seal& seal) {
  const bool first = seal.sequence == 0;
  ++seal.sequence;
  seal.mac = seal_mac(key, seal);
  auto write = first ? tx.prepare(
                           "INSERT INTO audit_seal (id, sequence, heads, mac) "
                           "VALUES (1, :sequence, :heads, :mac)")
                     : tx.prepare(
                           "UPDATE audit_seal SET sequence = :sequence, heads = :heads, "
                           "mac = :mac WHERE id = 1");
  write.bind(":sequence", seal.sequence)
      .bind_blob(":heads", seal.heads)
      .bind_blob(":mac", seal.mac)
      .run();
}

bool is_listed(sql::Transaction& tx, TenantId chain) {
  auto row = tx.prepare("SELECT opened_at FROM audit_chains WHERE id = :id");
  return row.bind(":id", chain).step();
}

void list_chain(sql::Transaction& tx, TenantId chain, Timestamp now) {
  tx.prepare("INSERT INTO audit_chains (id, opened_at) VALUES (:id, :now)")
      .bind(":id", chain)
      .bind(":now", now)
      .run();
}

std::vector<TenantId> listed_chains(sql::Transaction& tx) {
  std::vector<TenantId> chains;
  auto rows = tx.prepare("SELECT id FROM audit_chains ORDER BY id");
  while (rows.step()) chains.push_back(rows.id<TenantId>(0));
  return chains;
}

}  // namespace postern::accounts::audit
