#include "storage/schema.hpp"

namespace postern::storage {

namespace {

// The first piece lies in the head's row: most bodies have no other. `bodies` has a rowid, since
// SQLite keeps up to a page of a row in the leaf there, and less than a quarter of one in a table
// clustered by its key: what is more goes to pages of its own, half empty. A tenant's rows come in
// order, so the key's tree costs one leaf a tenant and commit.
constexpr sql::Migration kBodyMigrations[] = {
    {1, "bodies", R"sql(
CREATE TABLE bodies (
  tenant_id   BLOB    NOT NULL,
  object_id   BLOB    NOT NULL,
  size        INTEGER NOT NULL,
  head_size   INTEGER NOT NULL,
  first_piece BLOB    NOT NULL,
  PRIMARY KEY (tenant_id, object_id)
) WITHOUT ROWID;
CREATE TABLE body_pieces (
  tenant_id BLOB    NOT NULL,
  object_id BLOB    NOT NULL,
  number    INTEGER NOT NULL,
  sealed    BLOB    NOT NULL,
  PRIMARY KEY (tenant_id, object_id, number)
) WITHOUT ROWID;
)sql"},
    {2, "bodies in leaves", R"sql(
ALTER TABLE bodies RENAME TO clustered_bodies;
CREATE TABLE bodies (
  tenant_id   BLOB    NOT NULL,
  object_id   BLOB    NOT NULL,
  size        INTEGER NOT NULL,
  head_size   INTEGER NOT NULL,
  first_piece BLOB    NOT NULL,
  PRIMARY KEY (tenant_id, object_id)
);
INSERT INTO bodies (tenant_id, object_id, size, head_size, first_piece)
  SELECT tenant_id, object_id, size, head_size, first_piece FROM clustered_bodies;
DROP TABLE clustered_bodies;
)sql"},
};
constexpr std::string_view kBodyTables[] = {"bodies", "body_pieces"};

constexpr sql::Migration kOutboxMigrations[] = {
    {1, "outbox", R"sql(
CREATE TABLE outbox (
  id         BLOB    NOT NULL PRIMARY KEY,
  topic      TEXT    NOT NULL,
  payload    BLOB    NOT NULL,
  created_at INTEGER NOT NULL,
  attempts   INTEGER NOT NULL,
  next_at    INTEGER NOT NULL
);
CREATE INDEX outbox_due ON outbox (topic, next_at, id);
)sql"},
    {2, "outbox by due time", R"sql(
ALTER TABLE outbox RENAME TO unordered_outbox;
CREATE TABLE outbox (
  topic      TEXT    NOT NULL,
  next_at    INTEGER NOT NULL,
  id         BLOB    NOT NULL,
  payload    BLOB    NOT NULL,
  created_at INTEGER NOT NULL,
  attempts   INTEGER NOT NULL,
  PRIMARY KEY (topic, next_at, id)
) WITHOUT ROWID;
INSERT INTO outbox (topic, next_at, id, payload, created_at, attempts)
  SELECT topic, next_at, id, payload, created_at, attempts FROM unordered_outbox;
DROP TABLE unordered_outbox;
)sql"},
};
constexpr std::string_view kOutboxTables[] = {"outbox"};

constexpr sql::Migration kMetaMigrations[] = {
    {1, "store_meta", R"sql(
CREATE TABLE store_meta (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
)sql"},
};
constexpr std::string_view kMetaTables[] = {"store_meta"};

}  // namespace

sql::Schema body_schema() { return {"storage.bodies", kBodyMigrations, kBodyTables, {}}; }
sql::Schema outbox_schema() { return {"storage.outbox", kOutboxMigrations, {}, kOutboxTables}; }
sql::Schema meta_schema() { return {"storage.meta", kMetaMigrations, {}, kMetaTables}; }

}  // namespace postern::storage
