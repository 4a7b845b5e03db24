#include "accounts/schema.hpp"

#include <array>

namespace postern::accounts {

namespace {

constexpr std::string_view kFirst = R"sql(
CREATE TABLE guards (
  name TEXT NOT NULL PRIMARY KEY,
  revision BIGINT NOT NULL
);
INSERT INTO guards (name, revision) VALUES ('domains', 0);

CREATE TABLE tenants (
  id BLOB NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  status INTEGER NOT NULL,
  shard INTEGER NOT NULL,
  owner_account BLOB,
  wrapped_data_key BLOB NOT NULL,
  revision BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE domains (
  name TEXT NOT NULL PRIMARY KEY,
  reversed_name TEXT NOT NULL UNIQUE,
  id BLOB NOT NULL UNIQUE,
  tenant_id BLOB NOT NULL,
  status INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  revision BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX domains_by_tenant ON domains (tenant_id, name);

CREATE TABLE accounts (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  domain TEXT NOT NULL,
  local_part TEXT NOT NULL,
  display_name TEXT NOT NULL,
  status INTEGER NOT NULL,
  revision BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX accounts_by_address ON accounts (tenant_id, domain, local_part);

CREATE TABLE aliases (
  tenant_id BLOB NOT NULL,
  domain TEXT NOT NULL,
  local_part TEXT NOT NULL,
  target_domain TEXT NOT NULL,
  target_local_part TEXT NOT NULL,
  PRIMARY KEY (tenant_id, domain, local_part, target_domain, target_local_part)
);
CREATE INDEX aliases_by_target ON aliases (tenant_id, target_domain, target_local_part);

CREATE TABLE catch_alls (
  tenant_id BLOB NOT NULL,
  domain TEXT NOT NULL,
  target_domain TEXT NOT NULL,
  target_local_part TEXT NOT NULL,
  PRIMARY KEY (tenant_id, domain)
);
CREATE INDEX catch_alls_by_target ON catch_alls (tenant_id, target_domain, target_local_part);

CREATE TABLE sender_grants (
  tenant_id BLOB NOT NULL,
  account_id BLOB NOT NULL,
  domain TEXT NOT NULL,
  PRIMARY KEY (tenant_id, account_id, domain)
);
CREATE INDEX sender_grants_by_domain ON sender_grants (tenant_id, domain);

CREATE TABLE credentials (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  account_id BLOB NOT NULL,
  kind INTEGER NOT NULL,
  selector TEXT,
  label TEXT NOT NULL,
  hash TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX credentials_by_account ON credentials (tenant_id, account_id, kind, created_at);
CREATE UNIQUE INDEX credentials_by_selector ON credentials (tenant_id, selector);

CREATE TABLE signing_keys (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  domain TEXT NOT NULL,
  selector TEXT NOT NULL,
  algorithm INTEGER NOT NULL,
  wrapped_private_key BLOB NOT NULL,
  public_record TEXT NOT NULL,
  status INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX signing_keys_by_selector ON signing_keys (tenant_id, domain, selector);
)sql";

constexpr std::array<sql::Migration, 1> kMigrations{{{1, "accounts", kFirst}}};

constexpr std::array<std::string_view, 6> kTenantTables{
    "accounts", "aliases", "catch_alls", "sender_grants", "credentials", "signing_keys"};
constexpr std::array<std::string_view, 3> kPlatformTables{"guards", "tenants", "domains"};

}  // namespace

sql::Schema schema() { return {"accounts", kMigrations, kTenantTables, kPlatformTables}; }

}  // namespace postern::accounts
