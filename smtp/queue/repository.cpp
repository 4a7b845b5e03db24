#include "smtp/queue/repository.hpp"

#include <algorithm>

#include "smtp/queue/rows.hpp"
#include "smtp/queue/schema.hpp"

namespace postern::smtp::queue {

namespace {
DueRow read_due_row(const sql::Statement& row, Lane lane) {
  DueRow due;
  due.lane = lane;
  due.message = row.id<MessageId>(0);
  due.recipient = static_cast<std::uint32_t>(row.integer(1));
  due.tenant = row.id<TenantId>(2);
  due.stream = row.text(3);
  due.destination = row.text(4);
  due.transport = row.integer(5) == 1 ? Transport::local : Transport::remote;
  due.due_at = row.time(6);
  if (!row.is_null(7)) due.deadline = row.time(7);
  return due;
}

// True when the recipient was still live. A held one keeps being held: only its history changes.
bool apply_retry(sql::TenantScope& scope, MessageId message, const Outcome& outcome) {
  auto update = scope.prepare(
      "UPDATE queue_recipients SET attempts = :attempts, last_attempt_at = :at, next_attempt_at = "
      ":next,"
      " reply_code = :code, reply_enhanced = :enhanced, reply_text = :text, remote_mta = :remote,"
      " delay_reported = :reported"
      " WHERE tenant_id = :tenant AND message_id = :message AND recipient = :recipient AND state "
      "IN (0, 4)");
  update.bind(":attempts", outcome.attempts)
      .bind(":at", outcome.at)
      .bind(":code", outcome.reply.code)
      .bind_text(":enhanced", outcome.reply.enhanced.present() ? outcome.reply.enhanced.text() : "")
      .bind_text(":text", outcome.reply.text)
      .bind_text(":remote", outcome.remote_mta)
      .bind(":reported", outcome.delay_reported)
      .bind(":message", message)
      .bind(":recipient", outcome.recipient);
  bind_optional(update, ":next", outcome.next_attempt);
  update.run();
  if (scope.changes() == 0) return false;
  scope.transaction()
      .prepare(
          "UPDATE queue_schedule SET due_at = :due"
          " WHERE message_id = :message AND recipient = :recipient AND due_at <> :never")
      .bind(":due", outcome.next_attempt.value_or(outcome.at))
      .bind(":message", message)
      .bind(":recipient", outcome.recipient)
      .bind(":never", kNever)
      .run();
  return true;
}

bool apply_final(sql::TenantScope& scope, MessageId message, const Outcome& outcome) {
  scope
      .prepare(
          "UPDATE queue_recipients SET state = :state, attempts = :attempts, last_attempt_at = :at,"
          " next_attempt_at = NULL, reply_code = :code, reply_enhanced = :enhanced, reply_text = "
          ":text,"
          " remote_mta = :remote"
          " WHERE tenant_id = :tenant AND message_id = :message AND recipient = :recipient AND "
          "state IN (0, 4)")
      .bind(":state", number(outcome.state))
      .bind(":attempts", outcome.attempts)
      .bind(":at", outcome.at)
      .bind(":code", outcome.reply.code)
      .bind_text(":enhanced", outcome.reply.enhanced.present() ? outcome.reply.enhanced.text() : "")
      .bind_text(":text", outcome.reply.text)
      .bind_text(":remote", outcome.remote_mta)
      .bind(":message", message)
      .bind(":recipient", outcome.recipient)
      .run();
  if (scope.changes() == 0) return false;
  scope.transaction()
      .prepare("DELETE FROM queue_schedule WHERE message_id = :message AND recipient = :recipient")
      .bind(":message", message)
      .bind(":recipient", outcome.recipient)
      .run();
  return true;
}
void finish_message(sql::TenantScope& scope, MessageId message) {
  ObjectId body;
  {
    auto row = scope.prepare(
        "SELECT object_id FROM queue_messages WHERE tenant_id = :tenant AND message_id = :message");
    row.bind(":message", message);
    if (!row.step()) return;
    body = row.id<ObjectId>(0);
  }
  scope.prepare("DELETE FROM queue_recipients WHERE tenant_id = :tenant AND message_id = :message")
      .bind(":message", message)
      .run();
  scope.prepare("DELETE FROM queue_messages WHERE tenant_id = :tenant AND message_id = :message")
      .bind(":message", message)
      .run();
  storage::erase_body(scope, body);
}
}  // namespace

std::vector<DueRow> due_rows(sql::Transaction& tx, Lane lane, const ScheduleCursor& cursor,
                             Timestamp now, std::size_t limit) {
  auto rows = tx.prepare(
      "SELECT message_id, recipient, tenant_id, stream, destination, transport, due_at, deadline "
      "FROM queue_schedule"
      " WHERE lane = :lane AND due_at <= :now AND (due_at, message_id, recipient) > (:due, "
      ":message, :recipient)"
      " ORDER BY due_at, message_id, recipient LIMIT :limit");
  rows.bind(":lane", number(lane))
      .bind(":now", now)
      .bind(":due", cursor.due_at)
      .bind(":message", cursor.message)
      .bind(":recipient", cursor.recipient)
      .bind(":limit", static_cast<std::int64_t>(limit));
  std::vector<DueRow> out;
  while (rows.step()) out.push_back(read_due_row(rows, lane));
  return out;
}

std::vector<DueRow> due_rows_of_flow(sql::Transaction& tx, const FlowKey& flow, Timestamp now,
                                     std::size_t limit) {
  auto rows = tx.prepare(
      "SELECT message_id, recipient, tenant_id, stream, destination, transport, due_at, deadline "
      "FROM queue_schedule"
      " WHERE lane = :lane AND destination = :destination AND tenant_id = :owner AND stream = "
      ":stream"
      " AND due_at <= :now ORDER BY due_at LIMIT :limit");
  rows.bind(":lane", number(flow.lane))
      .bind_text(":destination", flow.destination)
      .bind(":owner", flow.tenant)
      .bind_text(":stream", flow.stream)
      .bind(":now", now)
      .bind(":limit", static_cast<std::int64_t>(limit));
  std::vector<DueRow> out;
  while (rows.step()) out.push_back(read_due_row(rows, flow.lane));
  return out;
}

std::array<std::int64_t, kLanes> depth_by_lane(sql::Transaction& tx) {
  std::array<std::int64_t, kLanes> depth{};
  auto rows = tx.prepare("SELECT lane, COUNT(*) FROM queue_schedule GROUP BY lane");
  while (rows.step()) {
    const auto lane = rows.integer(0);
    if (lane >= 0 && lane < kLanes) depth[static_cast<std::size_t>(lane)] = rows.integer(1);
  }
  return depth;
}

Result<QueuedMessage> load_message(sql::TenantScope& scope, MessageId message,
                                   std::span<const std::uint32_t> recipients) {
  QueuedMessage queued;
  {
    auto row = scope.prepare(kSelectEnvelope);
    row.bind(":message", message);
    if (!row.step()) return fail(Errc::not_found, "no such message in the queue");
    queued.envelope = read_envelope(row, scope.tenant());
  }
  auto rows = scope.prepare(kSelectRecipients);
  rows.bind(":message", message);
  while (rows.step()) {
    auto recipient = read_recipient(rows);
    if (recipients.empty() || std::ranges::find(recipients, recipient.number) != recipients.end()) {
      queued.recipients.push_back(std::move(recipient));
    }
  }
  return queued;
}

bool end_recipients(sql::TenantScope& scope, MessageId message, std::int64_t ended) {
  if (ended == 0) return false;
  scope
      .prepare(
          "UPDATE queue_messages SET live = live - :ended WHERE tenant_id = :tenant AND message_id "
          "= :message")
      .bind(":ended", ended)
      .bind(":message", message)
      .run();
  bool none_left = false;
  {
    auto row = scope.prepare(
        "SELECT live FROM queue_messages WHERE tenant_id = :tenant AND message_id = :message");
    row.bind(":message", message);
    none_left = row.step() && row.integer(0) <= 0;
  }
  if (none_left) finish_message(scope, message);
  return none_left;
}

Result<Recorded> record_outcomes(sql::Transaction& tx, TenantId tenant, MessageId message,
                                 std::span<const Outcome> outcomes) {
  sql::TenantScope scope(tx, tenant);
  Recorded recorded;
  std::int64_t ended = 0;
  for (const auto& outcome : outcomes) {
    const bool retry = outcome.state == State::queued;
    if (retry ? !apply_retry(scope, message, outcome) : !apply_final(scope, message, outcome))
      continue;
    recorded.applied.push_back(outcome.recipient);
    if (!retry) ++ended;
  }
  recorded.message_finished = end_recipients(scope, message, ended);
  return recorded;
}

}  // namespace postern::smtp::queue
