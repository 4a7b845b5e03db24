#include "storage/schema.hpp"

namespace postern::storage {

namespace {

// WITHOUT ROWID: one tree a table, clustered by tenant, so that a body's row costs one leaf a
// commit. The first piece lies in the head's row: most bodies have no other.
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
