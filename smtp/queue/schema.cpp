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

constexpr std::array<sql::Migration, 1> kMigrations{{{1, "queue", kTables}}};
constexpr std::array<std::string_view, 3> kTenantTables{"queue_messages", "queue_recipients",
                                                        "queue_idempotency"};
constexpr std::array<std::string_view, 1> kPlatformTables{"queue_schedule"};
}  // namespace

const sql::Schema& queue_schema() {
  static const sql::Schema schema{"queue", kMigrations, kTenantTables, kPlatformTables};
  return schema;
}

}  // namespace postern::smtp::queue
