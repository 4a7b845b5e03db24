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

// Texts that hold several names (narrowings, scopes, transports): see people/stored.hpp.
constexpr std::string_view kPeopleAndKeys = R"sql(
ALTER TABLE domains ADD COLUMN challenge TEXT NOT NULL DEFAULT '';

CREATE TABLE people (
  id BLOB NOT NULL PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  password_hash TEXT,
  status INTEGER NOT NULL,
  platform_role INTEGER NOT NULL,
  break_glass INTEGER NOT NULL,
  totp_secret BLOB,
  totp_last_step BIGINT NOT NULL,
  recovery_salt BLOB,
  failed_sign_ins INTEGER NOT NULL,
  locked_until BIGINT,
  password_changed_at BIGINT,
  revision BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  last_sign_in_at BIGINT
);
CREATE INDEX people_by_platform_role ON people (platform_role, email);

CREATE TABLE recovery_codes (
  person_id BLOB NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (person_id, digest)
);

CREATE TABLE passkeys (
  credential_id BLOB NOT NULL PRIMARY KEY,
  person_id BLOB NOT NULL,
  public_key BLOB NOT NULL,
  algorithm INTEGER NOT NULL,
  counter BIGINT NOT NULL,
  label TEXT NOT NULL,
  transports TEXT NOT NULL,
  backup INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT
);
CREATE INDEX passkeys_by_person ON passkeys (person_id, created_at);

CREATE TABLE members (
  tenant_id BLOB NOT NULL,
  person_id BLOB NOT NULL,
  role TEXT NOT NULL,
  is_owner INTEGER NOT NULL,
  narrowed_domains TEXT NOT NULL,
  narrowed_accounts TEXT NOT NULL,
  invited_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, person_id)
);
CREATE INDEX members_by_role ON members (tenant_id, role);

CREATE TABLE memberships (
  person_id BLOB NOT NULL,
  tenant_id BLOB NOT NULL,
  PRIMARY KEY (person_id, tenant_id)
);
CREATE INDEX memberships_by_tenant ON memberships (tenant_id);

CREATE TABLE roles (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  name TEXT NOT NULL,
  permissions TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX roles_by_name ON roles (tenant_id, name);

CREATE TABLE web_sessions (
  token_digest BLOB NOT NULL PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  person_id BLOB NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  verified_at BIGINT,
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  factors INTEGER NOT NULL
);
CREATE INDEX web_sessions_by_person ON web_sessions (person_id, id);
CREATE INDEX web_sessions_by_expiry ON web_sessions (expires_at);

CREATE TABLE one_time_tokens (
  digest BLOB NOT NULL PRIMARY KEY,
  kind INTEGER NOT NULL,
  person_id BLOB,
  email TEXT NOT NULL,
  tenant_id BLOB,
  payload TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  attempts_left INTEGER NOT NULL
);
CREATE INDEX one_time_tokens_by_email ON one_time_tokens (email, kind);
CREATE INDEX one_time_tokens_by_person ON one_time_tokens (person_id, kind);
CREATE INDEX one_time_tokens_by_tenant ON one_time_tokens (tenant_id, kind, email);
CREATE INDEX one_time_tokens_by_expiry ON one_time_tokens (expires_at);

CREATE TABLE api_keys (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  label TEXT NOT NULL,
  prefix TEXT NOT NULL,
  scopes TEXT NOT NULL,
  narrowed_domains TEXT NOT NULL,
  narrowed_accounts TEXT NOT NULL,
  addresses TEXT NOT NULL,
  reads_per_minute BIGINT,
  writes_per_minute BIGINT,
  monthly_cap BIGINT,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  last_used_at BIGINT,
  last_used_address TEXT NOT NULL,
  revoked_at BIGINT,
  replaced_by BLOB,
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE api_key_digests (
  digest BLOB NOT NULL PRIMARY KEY,
  tenant_id BLOB NOT NULL,
  key_id BLOB NOT NULL
);
CREATE UNIQUE INDEX api_key_digests_by_key ON api_key_digests (tenant_id, key_id);

CREATE TABLE api_key_usage (
  tenant_id BLOB NOT NULL,
  key_id BLOB NOT NULL,
  month INTEGER NOT NULL,
  reads BIGINT NOT NULL,
  writes BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, key_id, month)
);

CREATE TABLE connections (
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  grantee_person BLOB NOT NULL,
  permissions TEXT NOT NULL,
  reason TEXT NOT NULL,
  granted_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT,
  PRIMARY KEY (tenant_id, id)
);

CREATE TABLE connections_by_person (
  person_id BLOB NOT NULL,
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  PRIMARY KEY (person_id, tenant_id, id)
);
CREATE INDEX connections_by_person_of_tenant ON connections_by_person (tenant_id, id);
)sql";

// `check_at` 0: as soon as possible. `drifted` is 1 while a row of domain_records is adrift.
constexpr std::string_view kRecordsWatched = R"sql(
ALTER TABLE domains ADD COLUMN check_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE domains ADD COLUMN drifted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domains ADD COLUMN drift_told_at BIGINT;
ALTER TABLE domains ADD COLUMN drift_end_told_at BIGINT;
CREATE INDEX domains_by_check ON domains (check_at);

CREATE TABLE domain_records (
  tenant_id BLOB NOT NULL,
  domain TEXT NOT NULL,
  purpose INTEGER NOT NULL,
  name TEXT NOT NULL,
  status INTEGER NOT NULL,
  found TEXT NOT NULL,
  checked_at BIGINT,
  first_ok_at BIGINT,
  last_ok_at BIGINT,
  failing_since BIGINT,
  confirm_after BIGINT,
  drifted_at BIGINT,
  told_at BIGINT,
  PRIMARY KEY (tenant_id, domain, purpose, name)
);
)sql";

constexpr std::string_view kOutboundHosts = R"sql(
CREATE TABLE outbound_hosts (
  tenant_id BLOB NOT NULL,
  host TEXT NOT NULL,
  PRIMARY KEY (tenant_id, host)
);
)sql";

// A connection is given to an address: giving one says nothing about who is there.
constexpr std::string_view kConnectionsByAddress = R"sql(
ALTER TABLE connections ADD COLUMN grantee TEXT NOT NULL DEFAULT '';
UPDATE connections SET grantee =
  COALESCE((SELECT email FROM people WHERE people.id = connections.grantee_person), '');
ALTER TABLE connections DROP COLUMN grantee_person;

CREATE TABLE connections_by_grantee (
  grantee TEXT NOT NULL,
  tenant_id BLOB NOT NULL,
  id BLOB NOT NULL,
  PRIMARY KEY (grantee, tenant_id, id)
);
CREATE INDEX connections_by_grantee_of_tenant ON connections_by_grantee (tenant_id, id);
INSERT INTO connections_by_grantee (grantee, tenant_id, id)
  SELECT grantee, tenant_id, id FROM connections;
DROP TABLE connections_by_person;
)sql";

constexpr std::array<sql::Migration, 5> kMigrations{
    {{1, "accounts", kFirst},
     {2, "people and keys", kPeopleAndKeys},
     {3, "records watched", kRecordsWatched},
     {4, "outbound hosts", kOutboundHosts},
     {5, "connections by address", kConnectionsByAddress}}};

// In the order of the migrations that make them.
constexpr auto kTenantTables = std::to_array<std::string_view>(
    {"accounts", "aliases", "catch_alls", "sender_grants", "credentials", "signing_keys", "members",
     "roles", "api_keys", "api_key_usage", "connections", "domain_records", "outbound_hosts"});
constexpr auto kPlatformTables = std::to_array<std::string_view>(
    {"guards", "tenants", "domains", "people", "recovery_codes", "passkeys", "memberships",
     "web_sessions", "one_time_tokens", "api_key_digests", "connections_by_grantee"});

}  // namespace

sql::Schema schema() { return {"accounts", kMigrations, kTenantTables, kPlatformTables}; }

}  // namespace postern::accounts
