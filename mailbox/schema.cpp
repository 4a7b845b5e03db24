#include "mailbox/schema.hpp"

namespace postern::mailbox {

namespace {

// WITHOUT ROWID clusters a table by its key, tenant first (an engine without it leaves the words
// out). Names are compared byte by byte. Flags are the bits of types.hpp; keywords are sorted,
// space between.
constexpr sql::Migration kMigrations[] = {
    {1, "mailboxes and messages", R"sql(
CREATE TABLE mail_accounts (
  tenant_id   BLOB    NOT NULL,
  account_id  BLOB    NOT NULL,
  modseq      INTEGER NOT NULL,
  uidvalidity INTEGER NOT NULL,
  byte_count  INTEGER NOT NULL,
  message_count INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, account_id)
) WITHOUT ROWID;

CREATE TABLE mailboxes (
  tenant_id      BLOB    NOT NULL,
  mailbox_id     BLOB    NOT NULL,
  account_id     BLOB    NOT NULL,
  name           TEXT    NOT NULL,
  special_use    INTEGER NOT NULL,
  selectable     INTEGER NOT NULL,
  uidvalidity    INTEGER NOT NULL,
  uidnext        INTEGER NOT NULL,
  highest_modseq INTEGER NOT NULL,
  message_count  INTEGER NOT NULL,
  unseen_count   INTEGER NOT NULL,
  deleted_count  INTEGER NOT NULL,
  byte_count     INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, mailbox_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX mailboxes_by_name ON mailboxes (tenant_id, account_id, name);

CREATE TABLE mailbox_subscriptions (
  tenant_id  BLOB NOT NULL,
  account_id BLOB NOT NULL,
  name       TEXT NOT NULL,
  PRIMARY KEY (tenant_id, account_id, name)
) WITHOUT ROWID;

CREATE TABLE messages (
  tenant_id     BLOB    NOT NULL,
  mailbox_id    BLOB    NOT NULL,
  uid           INTEGER NOT NULL,
  object_id     BLOB    NOT NULL,
  flags         INTEGER NOT NULL,
  keywords      TEXT    NOT NULL,
  modseq        INTEGER NOT NULL,
  internal_date INTEGER NOT NULL,
  saved_date    INTEGER NOT NULL,
  size          INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, mailbox_id, uid)
) WITHOUT ROWID;
CREATE INDEX messages_by_modseq ON messages (tenant_id, mailbox_id, modseq);

CREATE TABLE tombstones (
  tenant_id     BLOB    NOT NULL,
  mailbox_id    BLOB    NOT NULL,
  uid           INTEGER NOT NULL,
  object_id     BLOB    NOT NULL,
  flags         INTEGER NOT NULL,
  keywords      TEXT    NOT NULL,
  modseq        INTEGER NOT NULL,
  internal_date INTEGER NOT NULL,
  saved_date    INTEGER NOT NULL,
  size          INTEGER NOT NULL,
  expunged_at   INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, mailbox_id, uid)
) WITHOUT ROWID;
CREATE INDEX tombstones_by_modseq ON tombstones (tenant_id, mailbox_id, modseq);

CREATE TABLE objects (
  tenant_id    BLOB    NOT NULL,
  object_id    BLOB    NOT NULL,
  reference_count INTEGER NOT NULL,
  size         INTEGER NOT NULL,
  dead_since   INTEGER,
  parsed_index BLOB    NOT NULL,
  PRIMARY KEY (tenant_id, object_id)
) WITHOUT ROWID;
CREATE INDEX objects_dead ON objects (tenant_id, dead_since) WHERE dead_since IS NOT NULL;

CREATE TABLE applied_deliveries (
  tenant_id   BLOB    NOT NULL,
  delivery_id BLOB    NOT NULL,
  account_id  BLOB    NOT NULL,
  mailbox_id  BLOB    NOT NULL,
  uidvalidity INTEGER NOT NULL,
  uid         INTEGER NOT NULL,
  modseq      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, delivery_id)
) WITHOUT ROWID;
)sql"},
};

constexpr std::string_view kTenantTables[] = {
    "mail_accounts", "mailboxes", "mailbox_subscriptions", "messages",
    "tombstones",    "objects",   "applied_deliveries"};

}  // namespace

sql::Schema mail_schema() { return {"mailbox", kMigrations, kTenantTables, {}}; }

}  // namespace postern::mailbox
