#include "smtp/queue/schema.hpp"

#include <array>

namespace postern::smtp::queue {

namespace {
constexpr std::string_view kTables = R"sql(
CREATE TABLE queue_messages (
  tenant_id BLOB NOT NULL,
  message_id BLOB NOT NULL,
  object_id BLOB NOT NULL,
  size INTEGER NOT NULL,
  return_path TEXT NOT NULL,
  envelope_id TEXT NOT NULL,
  ret INTEGER NOT NULL,
  body_type INTEGER NOT NULL,
  utf8 INTEGER NOT NULL,
  filing INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  stream TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  deadline INTEGER,
  submitter TEXT NOT NULL,
  credential_id BLOB NOT NULL,
  origin TEXT NOT NULL,
  live INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, message_id)
);
CREATE TABLE queue_recipients (
  tenant_id BLOB NOT NULL,
  message_id BLOB NOT NULL,
  recipient INTEGER NOT NULL,
  address TEXT NOT NULL,
  destination TEXT NOT NULL,
  transport INTEGER NOT NULL,
  notify INTEGER NOT NULL,
  original TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at INTEGER,
  last_attempt_at INTEGER,
  reply_code INTEGER NOT NULL,
  reply_enhanced TEXT NOT NULL,
  reply_text TEXT NOT NULL,
  remote_mta TEXT NOT NULL,
  delay_reported INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, message_id, recipient)
);
CREATE TABLE queue_idempotency (
  tenant_id BLOB NOT NULL,
  credential_id BLOB NOT NULL,
  idempotency_key TEXT NOT NULL,
  message_id BLOB NOT NULL,
  fingerprint BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, credential_id, idempotency_key)
);
CREATE INDEX queue_idempotency_age ON queue_idempotency (tenant_id, created_at);
CREATE TABLE queue_schedule (
  message_id BLOB NOT NULL,
  recipient INTEGER NOT NULL,
  tenant_id BLOB NOT NULL,
  lane INTEGER NOT NULL,
  stream TEXT NOT NULL,
  destination TEXT NOT NULL,
  transport INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  deadline INTEGER,
  PRIMARY KEY (message_id, recipient)
);
CREATE INDEX queue_schedule_due ON queue_schedule (lane, due_at, message_id, recipient);
CREATE INDEX queue_schedule_flow ON queue_schedule (lane, destination, tenant_id, stream, due_at);
)sql";

// What lives for a few seconds is clustered by its key: a tree less to write to and to empty.
constexpr std::string_view kClustered = R"sql(
ALTER TABLE queue_messages RENAME TO loose_messages;
CREATE TABLE queue_messages (
  tenant_id BLOB NOT NULL,
  message_id BLOB NOT NULL,
  object_id BLOB NOT NULL,
  size INTEGER NOT NULL,
  return_path TEXT NOT NULL,
  envelope_id TEXT NOT NULL,
  ret INTEGER NOT NULL,
  body_type INTEGER NOT NULL,
  utf8 INTEGER NOT NULL,
  filing INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  stream TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  deadline INTEGER,
  submitter TEXT NOT NULL,
  credential_id BLOB NOT NULL,
  origin TEXT NOT NULL,
  live INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, message_id)
) WITHOUT ROWID;
INSERT INTO queue_messages (tenant_id, message_id, object_id, size, return_path, envelope_id, ret,
    body_type, utf8, filing, lane, stream, created_at, expires_at, deadline, submitter,
    credential_id, origin, live)
  SELECT tenant_id, message_id, object_id, size, return_path, envelope_id, ret, body_type, utf8,
    filing, lane, stream, created_at, expires_at, deadline, submitter, credential_id, origin, live
  FROM loose_messages;
DROP TABLE loose_messages;

ALTER TABLE queue_recipients RENAME TO loose_recipients;
CREATE TABLE queue_recipients (
  tenant_id BLOB NOT NULL,
  message_id BLOB NOT NULL,
  recipient INTEGER NOT NULL,
  address TEXT NOT NULL,
  destination TEXT NOT NULL,
  transport INTEGER NOT NULL,
  notify INTEGER NOT NULL,
  original TEXT NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_at INTEGER,
  last_attempt_at INTEGER,
  reply_code INTEGER NOT NULL,
  reply_enhanced TEXT NOT NULL,
  reply_text TEXT NOT NULL,
  remote_mta TEXT NOT NULL,
  delay_reported INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, message_id, recipient)
) WITHOUT ROWID;
INSERT INTO queue_recipients (tenant_id, message_id, recipient, address, destination, transport,
    notify, original, state, attempts, next_attempt_at, last_attempt_at, reply_code,
    reply_enhanced, reply_text, remote_mta, delay_reported)
  SELECT tenant_id, message_id, recipient, address, destination, transport, notify, original,
    state, attempts, next_attempt_at, last_attempt_at, reply_code, reply_enhanced, reply_text,
    remote_mta, delay_reported
  FROM loose_recipients;
DROP TABLE loose_recipients;

ALTER TABLE queue_schedule RENAME TO loose_schedule;
CREATE TABLE queue_schedule (
  message_id BLOB NOT NULL,
  recipient INTEGER NOT NULL,
  tenant_id BLOB NOT NULL,
  lane INTEGER NOT NULL,
  stream TEXT NOT NULL,
  destination TEXT NOT NULL,
  transport INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  deadline INTEGER,
  PRIMARY KEY (message_id, recipient)
) WITHOUT ROWID;
INSERT INTO queue_schedule (message_id, recipient, tenant_id, lane, stream, destination, transport,
    due_at, deadline)
  SELECT message_id, recipient, tenant_id, lane, stream, destination, transport, due_at, deadline
  FROM loose_schedule;
DROP TABLE loose_schedule;
CREATE INDEX queue_schedule_due ON queue_schedule (lane, due_at, message_id, recipient);
CREATE INDEX queue_schedule_flow ON queue_schedule (lane, destination, tenant_id, stream, due_at);
)sql";

constexpr std::array<sql::Migration, 2> kMigrations{
    {{1, "queue", kTables}, {2, "queue by key", kClustered}}};
constexpr std::array<std::string_view, 3> kTenantTables{"queue_messages", "queue_recipients",
                                                        "queue_idempotency"};
constexpr std::array<std::string_view, 1> kPlatformTables{"queue_schedule"};
}  // namespace

const sql::Schema& queue_schema() {
  static const sql::Schema schema{"queue", kMigrations, kTenantTables, kPlatformTables};
  return schema;
}

}  // namespace postern::smtp::queue
