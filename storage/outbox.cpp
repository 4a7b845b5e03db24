#include "storage/outbox.hpp"

namespace postern::storage::outbox {

EntryId append(sql::Transaction& tx, std::string_view topic, std::string_view payload,
               Timestamp now) {
  const auto id = EntryId::make();
  auto insert = tx.prepare(
      "INSERT INTO outbox (id, topic, payload, created_at, attempts, next_at) "
      "VALUES (:id, :topic, :payload, :now, 0, :now)");
  insert.bind(":id", id)
      .bind_text(":topic", topic)
      .bind_blob(":payload", payload)
      .bind(":now", now);
  insert.run();
  return id;
}

EntryId append(sql::Transaction& tx, std::string_view topic, std::string_view payload) {
  return append(tx, topic, payload, system_clock().now());
}

std::vector<Entry> due(sql::Transaction& tx, std::string_view topic, Timestamp now,
                       std::size_t limit) {
  std::vector<Entry> entries;
  auto rows = tx.prepare(
      "SELECT id, payload, created_at, attempts FROM outbox "
      "WHERE topic = :topic AND next_at <= :now ORDER BY next_at, id LIMIT :limit");
  rows.bind_text(":topic", topic).bind(":now", now);
  rows.bind(":limit", static_cast<std::int64_t>(limit));
  while (rows.step()) {
    entries.push_back(
        {rows.id<EntryId>(0), std::string(rows.blob(1)), rows.time(2), rows.integer(3)});
  }
  return entries;
}

std::vector<Entry> claim_due(sql::Transaction& tx, std::string_view topic, Timestamp now,
                             std::size_t limit, Micros lease) {
  auto entries = due(tx, topic, now, limit);
  auto lease_it =
      tx.prepare("UPDATE outbox SET attempts = attempts + 1, next_at = :until WHERE id = :id");
  for (auto& entry : entries) {
    ++entry.attempts;
    lease_it.bind(":until", now + lease).bind(":id", entry.id);
    lease_it.run();
  }
  return entries;
}

std::optional<Timestamp> next_due(sql::Transaction& tx, std::string_view topic) {
  auto next =
      tx.prepare("SELECT next_at FROM outbox WHERE topic = :topic ORDER BY next_at LIMIT 1");
  next.bind_text(":topic", topic);
  if (!next.step()) return std::nullopt;
  return next.time(0);
}

void complete(sql::Transaction& tx, EntryId id) {
  auto remove = tx.prepare("DELETE FROM outbox WHERE id = :id");
  remove.bind(":id", id);
  remove.run();
}

void postpone(sql::Transaction& tx, EntryId id, Timestamp next_at) {
  auto update = tx.prepare("UPDATE outbox SET next_at = :next_at WHERE id = :id");
  update.bind(":next_at", next_at).bind(":id", id);
  update.run();
}

}  // namespace postern::storage::outbox
