#include "smtp/queue/repository.hpp"
#include "smtp/queue/rows.hpp"

namespace postern::smtp::queue {

namespace {
Result<void> check(const NewMessage& message) {
  if (message.recipients.empty()) return fail(Errc::invalid, "a message without recipients");
  if (message.recipients.size() > kMaxRecipients)
    return fail(Errc::too_large, "too many recipients");
  if (!message.body) return fail(Errc::invalid, "a message without a body");
  if (!message.idempotency) return {};
  const auto size = message.idempotency->key.size();
  if (size == 0 || size > kMaxIdempotencyKey)
    return fail(Errc::invalid, "an idempotency key has 1 to 255 bytes");
  return {};
}

// Claims the key for this message. When it is taken: what it was taken for.
Result<std::optional<MessageId>> claim_key(sql::TenantScope& scope, const NewMessage& message) {
  const auto& envelope = message.envelope;
  scope.prepare("DELETE FROM queue_idempotency WHERE tenant_id = :tenant AND created_at < :oldest")
      .bind(":oldest", envelope.created_at - kIdempotencyTime)
      .run();
  scope
      .prepare(
          "INSERT INTO queue_idempotency (tenant_id, credential_id, idempotency_key, message_id, "
          "fingerprint, created_at)"
          " VALUES (:tenant, :credential, :key, :message, :fingerprint, :created)"
          " ON CONFLICT (tenant_id, credential_id, idempotency_key) DO NOTHING")
      .bind(":credential", envelope.credential)
      .bind_text(":key", message.idempotency->key)
      .bind(":message", envelope.id)
      .bind_blob(":fingerprint", message.idempotency->fingerprint)
      .bind(":created", envelope.created_at)
      .run();
  if (scope.changes() > 0) return std::nullopt;
  auto row = scope.prepare(
      "SELECT message_id, fingerprint FROM queue_idempotency"
      " WHERE tenant_id = :tenant AND credential_id = :credential AND idempotency_key = :key");
  row.bind(":credential", envelope.credential).bind_text(":key", message.idempotency->key);
  if (!row.step()) return fail(Errc::temporary, "an idempotency key came and went");
  if (row.blob(1) != message.idempotency->fingerprint) {
    return fail(Errc::exists, "the idempotency key was used for another message");
  }
  return row.id<MessageId>(0);
}

void insert_message(sql::TenantScope& scope, const NewMessage& message) {
  const auto& envelope = message.envelope;
  auto insert = scope.prepare(
      "INSERT INTO queue_messages (tenant_id, message_id, object_id, size, return_path, "
      "envelope_id, ret, body_type,"
      " utf8, filing, lane, stream, created_at, expires_at, deadline, submitter, credential_id, "
      "origin, "
      "live)"
      " VALUES (:tenant, :message, :object, :size, :return_path, :envelope_id, :ret, :body_type, "
      ":utf8, :filing, :lane, :stream,"
      " :created, :expires, :deadline, :submitter, :credential, :origin, :live)");
  insert.bind(":message", envelope.id)
      .bind(":object", message.body->object)
      .bind(":size", static_cast<std::int64_t>(message.body->size))
      .bind_text(":return_path", envelope.return_path)
      .bind_text(":envelope_id", envelope.envelope_id)
      .bind(":ret", number(envelope.ret))
      .bind(":body_type", number(envelope.body_type))
      .bind(":utf8", number(envelope.utf8))
      .bind(":filing", number(envelope.filing))
      .bind(":lane", number(envelope.lane))
      .bind_text(":stream", envelope.stream)
      .bind(":created", envelope.created_at)
      .bind(":expires", envelope.expires_at)
      .bind_text(":submitter", envelope.submitter)
      .bind(":credential", envelope.credential)
      .bind_text(":origin", envelope.origin)
      .bind(":live", static_cast<std::int64_t>(message.recipients.size()));
  bind_optional(insert, ":deadline", envelope.deadline);
  insert.run();
}

void insert_recipient(sql::TenantScope& scope, const Envelope& envelope,
                      const NewRecipient& recipient, std::uint32_t index) {
  const auto destination = destination_of(recipient.address);
  scope
      .prepare(
          "INSERT INTO queue_recipients (tenant_id, message_id, recipient, address, destination, "
          "transport, notify,"
          " original, state, attempts, next_attempt_at, last_attempt_at, reply_code, "
          "reply_enhanced, reply_text,"
          " remote_mta, delay_reported)"
          " VALUES (:tenant, :message, :recipient, :address, :destination, :transport, :notify, "
          ":original, 0, 0, :due,"
          " NULL, 0, '', '', '', 0)")
      .bind(":message", envelope.id)
      .bind(":recipient", index)
      .bind_text(":address", recipient.address)
      .bind_text(":destination", destination)
      .bind(":transport", number(recipient.transport))
      .bind(":notify", int{recipient.notify.bits})
      .bind_text(":original", recipient.original)
      .bind(":due", envelope.created_at)
      .run();
  auto schedule = scope.transaction().prepare(
      "INSERT INTO queue_schedule (message_id, recipient, tenant_id, lane, stream, destination, "
      "transport, due_at,"
      " deadline)"
      " VALUES (:message, :recipient, :owner, :lane, :stream, :destination, :transport, :due, "
      ":deadline)");
  schedule.bind(":message", envelope.id)
      .bind(":recipient", index)
      .bind(":owner", envelope.tenant)
      .bind(":lane", number(envelope.lane))
      .bind_text(":stream", envelope.stream)
      .bind_text(":destination", destination)
      .bind(":transport", number(recipient.transport))
      .bind(":due", envelope.created_at);
  bind_optional(schedule, ":deadline", envelope.deadline);
  schedule.run();
}
}  // namespace

Result<Enqueued> enqueue(sql::Transaction& tx, const NewMessage& message, EventSink* events) {
  if (auto ok = check(message); !ok) return std::unexpected(ok.error());
  sql::TenantScope scope(tx, message.envelope.tenant);
  if (message.idempotency) {
    const auto taken = claim_key(scope, message);
    if (!taken) return std::unexpected(taken.error());
    if (taken->has_value()) return Enqueued{**taken, Acceptance::repeat};
  }
  storage::put_body(scope, *message.body);
  insert_message(scope, message);
  std::uint32_t index = 0;
  for (const auto& recipient : message.recipients)
    insert_recipient(scope, message.envelope, recipient, index++);
  if (events != nullptr) {
    const auto accepted = accepted_event(message.envelope);
    events->append(tx, {&accepted, 1});
  }
  return Enqueued{message.envelope.id, Acceptance::fresh};
}

QueuedMessage as_queued(const NewMessage& message) {
  QueuedMessage queued;
  queued.envelope = message.envelope;
  if (message.body) {
    // A staged body would hold its file open while the message waits for its turn.
    if (!message.body->staged) queued.body = message.body;
    queued.envelope.body = message.body->object;
    queued.envelope.size = message.body->size;
  }
  std::uint32_t index = 0;
  for (const auto& one : message.recipients) {
    Recipient recipient;
    recipient.number = index++;
    recipient.address = one.address;
    recipient.destination = destination_of(one.address);
    recipient.transport = one.transport;
    recipient.notify = one.notify;
    recipient.original = one.original;
    recipient.next_attempt = message.envelope.created_at;
    queued.recipients.push_back(std::move(recipient));
  }
  return queued;
}

}  // namespace postern::smtp::queue
