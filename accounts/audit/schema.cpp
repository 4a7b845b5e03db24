#include "accounts/audit/schema.hpp"

#include <array>

namespace postern::accounts::audit {

namespace {

constexpr std::string_view kFirst = R"sql(
CREATE TABLE audit_records (
  tenant_id BLOB NOT NULL,
  number BIGINT NOT NULL,
  id BLOB NOT NULL,
  at BIGINT NOT NULL,
  action TEXT NOT NULL,
  outcome INTEGER NOT NULL,
  actor_kind INTEGER NOT NULL,
  actor_id TEXT NOT NULL,
  actor TEXT NOT NULL,
  original_actor TEXT NOT NULL,
  door INTEGER NOT NULL,
  address TEXT NOT NULL,
  target TEXT NOT NULL,
  details TEXT NOT NULL,
  request_id TEXT NOT NULL,
  mac BLOB NOT NULL,
  PRIMARY KEY (tenant_id, number)
);
CREATE INDEX audit_records_by_time ON audit_records (tenant_id, at, number);
CREATE INDEX audit_records_by_target ON audit_records (tenant_id, target, number);

CREATE TABLE audit_heads (
  tenant_id BLOB NOT NULL PRIMARY KEY,
  next_number BIGINT NOT NULL,
  mac BLOB NOT NULL,
  first_number BIGINT NOT NULL,
  cut_mac BLOB NOT NULL,
  closed INTEGER NOT NULL,
  head_mac BLOB NOT NULL
);

CREATE TABLE audit_chains (
  id BLOB NOT NULL PRIMARY KEY,
  opened_at BIGINT NOT NULL
);

CREATE TABLE audit_seal (
  id INTEGER NOT NULL PRIMARY KEY,
  sequence BIGINT NOT NULL,
  heads BLOB NOT NULL,
  mac BLOB NOT NULL
);

CREATE TABLE audit_keys (
  id INTEGER NOT NULL PRIMARY KEY,
  wrapped BLOB NOT NULL,
  created_at BIGINT NOT NULL
);
)sql";

constexpr std::string_view kStreams = R"sql(
CREATE TABLE audit_streams (
  tenant_id BLOB NOT NULL PRIMARY KEY,
  revision BLOB NOT NULL,
  origin TEXT NOT NULL,
  sealed BLOB NOT NULL,
  cursor BIGINT NOT NULL,
  delivered BIGINT NOT NULL,
  skipped BIGINT NOT NULL,
  delivered_at BIGINT,
  failures BIGINT NOT NULL,
  failing_since BIGINT,
  retry_at BIGINT,
  last_error TEXT NOT NULL,
  changed_at BIGINT NOT NULL
);

CREATE TABLE audit_stream_list (
  id BLOB NOT NULL PRIMARY KEY
);
)sql";

constexpr std::array<sql::Migration, 2> kMigrations{
    {{1, "audit", kFirst}, {2, "audit streams", kStreams}}};

constexpr std::array<std::string_view, 3> kTenantTables{"audit_records", "audit_heads",
                                                        "audit_streams"};
constexpr std::array<std::string_view, 4> kPlatformTables{"audit_chains", "audit_seal",
                                                          "audit_keys", "audit_stream_list"};

}  // namespace

sql::Schema schema() { return {"audit", kMigrations, kTenantTables, kPlatformTables}; }

}  // namespace postern::accounts::audit
