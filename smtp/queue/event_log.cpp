#include "smtp/queue/event_log.hpp"

#include <array>

#include "storage/database.hpp"

namespace postern::smtp::queue {

namespace {

constexpr std::string_view kTables = R"sql(
CREATE TABLE delivery_events (
  tenant_id BLOB NOT NULL,
  message_id BLOB NOT NULL,
  event_id BLOB NOT NULL,
  kind INTEGER NOT NULL,
  bounce INTEGER NOT NULL,
  at INTEGER NOT NULL,
  recipient INTEGER NOT NULL,
  address TEXT NOT NULL,
  destination TEXT NOT NULL,
  stream TEXT NOT NULL,
  lane INTEGER NOT NULL,
  return_path TEXT NOT NULL,
  reply_code INTEGER NOT NULL,
  reply_enhanced TEXT NOT NULL,
  reply_text TEXT NOT NULL,
  remote_mta TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at INTEGER,
  age INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, message_id, event_id)
) WITHOUT ROWID;
CREATE TABLE event_messages (
  message_id BLOB NOT NULL PRIMARY KEY,
  tenant_id BLOB NOT NULL
) WITHOUT ROWID;
)sql";

constexpr std::array<sql::Migration, 1> kMigrations{{{1, "delivery_events", kTables}}};
constexpr std::array<std::string_view, 1> kTenantTables{"delivery_events"};
constexpr std::array<std::string_view, 1> kPlatformTables{"event_messages"};

// A message's id holds when it was made; its first event may be older by what clocks differ.
constexpr std::chrono::days kClockSlack{1};

template <class Enum>
Enum enumerator(const sql::Statement& row, int column, Enum last) {
  const auto value = row.integer(column);
  if (value < 0 || value > static_cast<std::int64_t>(last)) return Enum{};
  return static_cast<Enum>(value);
}

DeliveryEvent read_event(const sql::Statement& row, TenantId tenant, MessageId message) {
  DeliveryEvent event;
  event.tenant = tenant;
  event.message = message;
  event.id = row.id<EventId>(0);
  event.kind = enumerator(row, 1, kLastEventKind);
  event.bounce = enumerator(row, 2, BounceClass::other);
  event.at = row.time(3);
  event.recipient = static_cast<std::uint32_t>(row.integer(4));
  event.address = row.text(5);
  event.destination = row.text(6);
  event.stream = row.text(7);
  event.lane = enumerator(row, 8, Lane::bulk);
  event.return_path = row.text(9);
  event.reply.code = static_cast<int>(row.integer(10));
  event.reply.enhanced = parse_enhanced_code(row.text(11)).value_or(EnhancedCode{});
  event.reply.text = row.text(12);
  event.remote_mta = row.text(13);
  event.attempts = static_cast<std::uint32_t>(row.integer(14));
  if (!row.is_null(15)) event.next_attempt = row.time(15);
  event.age = Micros{row.integer(16)};
  return event;
}

void insert_event(sql::TenantScope& scope, const DeliveryEvent& event) {
  auto insert = scope.prepare(
      "INSERT INTO delivery_events (tenant_id, message_id, event_id, kind, bounce, at, recipient,"
      " address, destination, stream, lane, return_path, reply_code, reply_enhanced, reply_text,"
      " remote_mta, attempts, next_attempt_at, age)"
      " VALUES (:tenant, :message, :event, :kind, :bounce, :at, :recipient, :address, :destination,"
      " :stream, :lane, :return_path, :code, :enhanced, :text, :remote_mta, :attempts, :next, :age)"
      " ON CONFLICT (tenant_id, message_id, event_id) DO NOTHING");
  insert.bind(":message", event.message)
      .bind(":event", event.id)
      .bind(":kind", static_cast<int>(event.kind))
      .bind(":bounce", static_cast<int>(event.bounce))
      .bind(":at", event.at)
      .bind(":recipient", event.recipient)
      .bind_text(":address", event.address)
      .bind_text(":destination", event.destination)
      .bind_text(":stream", event.stream)
      .bind(":lane", static_cast<int>(event.lane))
      .bind_text(":return_path", event.return_path)
      .bind(":code", event.reply.code)
      .bind_text(":enhanced", event.reply.enhanced.present() ? event.reply.enhanced.text() : "")
      .bind_text(":text", event.reply.text)
      .bind_text(":remote_mta", event.remote_mta)
      .bind(":attempts", event.attempts)
      .bind(":age", std::int64_t{event.age.count()});
  if (event.next_attempt) {
    insert.bind(":next", *event.next_attempt);
  } else {
    insert.bind_null(":next");
  }
  insert.run();
}

storage::Month first_month(MessageId message) {
  std::int64_t millis = 0;  // RFC 9562 §5.7
  for (std::size_t i = 0; i < 6; ++i) millis = millis << 8 | message.value.bytes[i];
  return storage::month_of(Timestamp{std::chrono::milliseconds{millis}} - Micros{kClockSlack});
}

/// One month's part of a timeline, taken in one snapshot.
struct Part {
  std::optional<TenantId> tenant;
  std::vector<DeliveryEvent> events;
};
Result<Part> read_part(storage::Database& month, MessageId message, EventId after,
                       std::size_t limit) {
  return month.read_blocking<Part>([=](sql::Transaction& tx) -> Result<Part> {
    Part part;
    part.tenant = event_tenant(tx, message);
    if (!part.tenant) return part;
    sql::TenantScope scope(tx, *part.tenant);
    part.events = events_of(scope, message, after, limit);
    return part;
  });
}

}  // namespace

const sql::Schema& event_schema() {
  static const sql::Schema schema{"events", kMigrations, kTenantTables, kPlatformTables};
  return schema;
}

void record_events(sql::Transaction& tx, std::span<const DeliveryEvent> events) {
  MessageId known;  // to be in event_messages: a message's events come one after another
  for (const auto& event : events) {
    sql::TenantScope scope(tx, event.tenant);
    insert_event(scope, event);
    if (scope.changes() == 0 || event.message == known) continue;
    known = event.message;
    tx.prepare(
          "INSERT INTO event_messages (message_id, tenant_id) VALUES (:message, :owner)"
          " ON CONFLICT (message_id) DO NOTHING")
        .bind(":message", event.message)
        .bind(":owner", event.tenant)
        .run();
  }
}

std::vector<DeliveryEvent> events_of(sql::TenantScope& scope, MessageId message, EventId after,
                                     std::size_t limit) {
  auto rows = scope.prepare(
      "SELECT event_id, kind, bounce, at, recipient, address, destination, stream, lane,"
      " return_path, reply_code, reply_enhanced, reply_text, remote_mta, attempts,"
      " next_attempt_at, age FROM delivery_events"
      " WHERE tenant_id = :tenant AND message_id = :message AND event_id > :after"
      " ORDER BY event_id LIMIT :limit");
  rows.bind(":message", message).bind(":after", after);
  rows.bind(":limit", static_cast<std::int64_t>(limit));
  std::vector<DeliveryEvent> events;
  while (rows.step()) events.push_back(read_event(rows, scope.tenant(), message));
  return events;
}

std::optional<TenantId> event_tenant(sql::Transaction& tx, MessageId message) {
  auto row = tx.prepare("SELECT tenant_id FROM event_messages WHERE message_id = :message");
  row.bind(":message", message);
  if (!row.step()) return std::nullopt;
  return row.id<TenantId>(0);
}

Result<Timeline> read_timeline(storage::MonthlyFiles& files, MessageId message,
                               std::optional<EventId> after, std::size_t limit) {
  Timeline timeline;
  bool known = false;
  const auto first = first_month(message);
  for (const auto month : files.months()) {
    if (month < first) continue;
    const auto file = files.find(month);
    if (!file && file.error().code == Errc::not_found) continue;  // dropped meanwhile
    if (!file) return std::unexpected(file.error());
    const auto room = limit - timeline.events.size();
    auto part = read_part(**file, message, after.value_or(EventId{}), room + 1);
    if (!part) return std::unexpected(part.error());
    if (!part->tenant) continue;
    known = true;
    timeline.tenant = *part->tenant;
    for (auto& event : part->events) timeline.events.push_back(std::move(event));
    if (timeline.events.size() > limit) {
      timeline.events.resize(limit);
      timeline.next = timeline.events.back().id;
      break;
    }
  }
  if (!known) return fail(Errc::not_found, "no such message, or its events are no longer kept");
  return timeline;
}

}  // namespace postern::smtp::queue
