#include "storage/outbox.hpp"

namespace postern::storage::outbox {

namespace {

/// Statements that name one entry.
sql::Statement prepare_at(sql::Transaction& tx, std::string_view text, const Place& place) {
  auto statement = tx.prepare(text);
  statement.bind_text(":topic", place.topic).bind(":next_at", place.next_at).bind(":id", place.id);
  return statement;
}

}  // namespace

Place append(sql::Transaction& tx, std::string_view topic, std::string_view payload,
             Timestamp now) {
  Place place{std::string(topic), now, EntryId::make()};
  prepare_at(tx,
             "INSERT INTO outbox (topic, next_at, id, payload, created_at, attempts) "
             "VALUES (:topic, :next_at, :id, :payload, :next_at, 0)",
             place)
      .bind_blob(":payload", payload)
      .run();
  return place;
}

Place append(sql::Transaction& tx, std::string_view topic, std::string_view payload) {
  return append(tx, topic, payload, system_clock().now());
}

std::vector<Entry> due(sql::Transaction& tx, std::string_view topic, Timestamp now,
                       std::size_t limit) {
  std::vector<Entry> entries;
  auto rows = tx.prepare(
      "SELECT next_at, id, payload, created_at, attempts FROM outbox "
      "WHERE topic = :topic AND next_at <= :now ORDER BY next_at, id LIMIT :limit");
  rows.bind_text(":topic", topic).bind(":now", now);
  rows.bind(":limit", static_cast<std::int64_t>(limit));
  while (rows.step()) {
    entries.push_back({{std::string(topic), rows.time(0), rows.id<EntryId>(1)},
                       std::string(rows.blob(2)),
                       rows.time(3),
                       rows.integer(4)});
  }
  return entries;
}

std::vector<Entry> claim_due(sql::Transaction& tx, std::string_view topic, Timestamp now,
                             std::size_t limit, Micros lease) {
  auto entries = due(tx, topic, now, limit);
  for (auto& entry : entries) {
    ++entry.attempts;
    prepare_at(tx,
               "UPDATE outbox SET attempts = attempts + 1, next_at = :until "
               "WHERE topic = :topic AND next_at = :next_at AND id = :id",
               entry.place)
        .bind(":until", now + lease)
        .run();
    entry.place.next_at = now + lease;
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

bool complete(sql::Transaction& tx, const Place& place) {
  prepare_at(tx, "DELETE FROM outbox WHERE topic = :topic AND next_at = :next_at AND id = :id",
             place)
      .run();
  return tx.changes() > 0;
}

std::optional<Place> postpone(sql::Transaction& tx, const Place& place, Timestamp next_at) {
  prepare_at(tx,
             "UPDATE outbox SET next_at = :later "
             "WHERE topic = :topic AND next_at = :next_at AND id = :id",
             place)
      .bind(":later", next_at)
      .run();
  if (tx.changes() == 0) return std::nullopt;
  return Place{place.topic, next_at, place.id};
}

}  // namespace postern::storage::outbox
