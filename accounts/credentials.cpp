#include "accounts/credentials.hpp"

#include <fmt/format.h>

#include "accounts/account.hpp"

namespace postern::accounts {

namespace {

#define CREDENTIAL_COLUMNS \
  "id, account_id, kind, selector, label, hash, created_at, last_used_at, revoked_at"

constexpr std::chrono::hours kRevokedKept{24 * 90};  ///< how long a revoked row is still listed

std::optional<Timestamp> optional_time(const sql::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.time(column);
}

Credential read_credential(const sql::Statement& row) {
  Credential credential;
  credential.id = row.id<CredentialId>(0);
  credential.account = row.id<AccountId>(1);
  credential.kind = static_cast<CredentialKind>(row.integer(2));
  if (!row.is_null(3)) credential.selector = row.text(3);
  credential.label = row.text(4);
  credential.hash = row.text(5);
  credential.created = row.time(6);
  credential.last_used = optional_time(row, 7);
  credential.revoked = optional_time(row, 8);
  return credential;
}

void insert_credential(sql::TenantScope& scope, const Credential& credential) {
  auto insert = scope.prepare(
      "INSERT INTO credentials (tenant_id, id, account_id, kind, selector, label, hash, "
      "created_at) "
      "VALUES (:tenant, :id, :account, :kind, :selector, :label, :hash, :created)");
  insert.bind(":id", credential.id)
      .bind(":account", credential.account)
      .bind(":kind", static_cast<int>(credential.kind))
      .bind_text(":label", credential.label)
      .bind_text(":hash", credential.hash)
      .bind(":created", credential.created);
  if (credential.selector.empty()) {
    insert.bind_null(":selector");
  } else {
    insert.bind_text(":selector", credential.selector);
  }
  insert.run();
}

Result<void> make_room(sql::TenantScope& scope, const NewAppPassword& fresh) {
  scope
      .prepare(
          "DELETE FROM credentials WHERE tenant_id = :tenant AND account_id = :account "
          "AND revoked_at < :before")
      .bind(":account", fresh.account)
      .bind(":before", fresh.created - kRevokedKept)
      .run();
  auto count = scope.prepare(
      "SELECT COUNT(id) FROM credentials WHERE tenant_id = :tenant "
      "AND account_id = :account AND kind = 1 AND revoked_at IS NULL");
  count.bind(":account", fresh.account);
  if (count.step() && count.integer(0) >= static_cast<std::int64_t>(kMaxAppPasswords)) {
    return fail(
        Errc::too_large,
        fmt::format("an account has at most {} app passwords: revoke one first", kMaxAppPasswords));
  }
  return {};
}

Result<void> demand_revoked(const sql::TenantScope& scope) {
  if (scope.changes() == 0)
    return fail(Errc::not_found, "no such password, or it is revoked already");
  return {};
}

}  // namespace

Result<Credential> set_password(sql::TenantScope& scope, AccountId account, CredentialId id,
                                std::string_view hash, Timestamp now) {
  if (auto held = hold_account(scope, account); !held)
    return std::unexpected(std::move(held.error()));
  scope
      .prepare(
          "DELETE FROM credentials WHERE tenant_id = :tenant AND account_id = :account AND kind = "
          "0")
      .bind(":account", account)
      .run();
  Credential credential;
  credential.id = id;
  credential.account = account;
  credential.hash = hash;
  credential.created = now;
  insert_credential(scope, credential);
  return credential;
}

Result<Credential> add_app_password(sql::TenantScope& scope, const NewAppPassword& fresh) {
  auto label = parse_label(fresh.label);
  if (!label) return std::unexpected(std::move(label.error()));
  if (auto held = hold_account(scope, fresh.account); !held)
    return std::unexpected(std::move(held.error()));
  if (auto room = make_room(scope, fresh); !room) return std::unexpected(std::move(room.error()));
  Credential credential{fresh.id,       fresh.account, CredentialKind::app_password,
                        fresh.selector, *label,        fresh.hash,
                        fresh.created,  std::nullopt,  std::nullopt};
  try {
    insert_credential(scope, credential);
  } catch (const sql::UniqueViolation&) {
    return fail(Errc::exists, "that selector is taken: make another app password");
  }
  return credential;
}

std::vector<Credential> list_credentials(sql::TenantScope& scope, AccountId account,
                                         std::size_t limit) {
  auto rows = scope.prepare("SELECT " CREDENTIAL_COLUMNS
                            " FROM credentials WHERE tenant_id = :tenant AND account_id = :account "
                            "ORDER BY created_at DESC, id DESC LIMIT :limit");
  rows.bind(":account", account).bind(":limit", static_cast<std::int64_t>(limit));
  std::vector<Credential> credentials;
  while (rows.step()) credentials.push_back(read_credential(rows));
  return credentials;
}

Result<void> revoke_credential(sql::TenantScope& scope, AccountId account, CredentialId id,
                               Timestamp now) {
  scope
      .prepare(
          "UPDATE credentials SET revoked_at = :now WHERE tenant_id = :tenant AND id = :id "
          "AND account_id = :account AND revoked_at IS NULL")
      .bind(":now", now)
      .bind(":id", id)
      .bind(":account", account)
      .run();
  return demand_revoked(scope);
}

std::optional<Credential> find_password(sql::TenantScope& scope, AccountId account) {
  auto row = scope.prepare("SELECT " CREDENTIAL_COLUMNS
                           " FROM credentials WHERE tenant_id = :tenant AND account_id = :account "
                           "AND kind = 0 AND revoked_at IS NULL");
  row.bind(":account", account);
  if (!row.step()) return std::nullopt;
  return read_credential(row);
}

std::optional<Credential> find_app_password(sql::TenantScope& scope, AccountId account,
                                            std::string_view selector) {
  auto row = scope.prepare("SELECT " CREDENTIAL_COLUMNS
                           " FROM credentials WHERE tenant_id = :tenant AND selector = :selector "
                           "AND account_id = :account AND revoked_at IS NULL");
  row.bind_text(":selector", selector).bind(":account", account);
  if (!row.step()) return std::nullopt;
  return read_credential(row);
}

std::optional<Credential> find_credential(sql::TenantScope& scope, CredentialId id) {
  auto row = scope.prepare("SELECT " CREDENTIAL_COLUMNS
                           " FROM credentials WHERE tenant_id = :tenant AND id = :id");
  row.bind(":id", id);
  if (!row.step()) return std::nullopt;
  return read_credential(row);
}

Result<void> replace_hash(sql::TenantScope& scope, CredentialId id, std::string_view old_hash,
                          std::string_view new_hash) {
  scope
      .prepare(
          "UPDATE credentials SET hash = :new WHERE tenant_id = :tenant AND id = :id AND hash = "
          ":old")
      .bind_text(":new", new_hash)
      .bind(":id", id)
      .bind_text(":old", old_hash)
      .run();
  if (scope.changes() == 0) return fail(Errc::not_found, "the password was changed meanwhile");
  return {};
}

Result<void> note_use(sql::TenantScope& scope, CredentialId id, Timestamp now) {
  scope.prepare("UPDATE credentials SET last_used_at = :now WHERE tenant_id = :tenant AND id = :id")
      .bind(":now", now)
      .bind(":id", id)
      .run();
  return {};
}

#undef CREDENTIAL_COLUMNS

}  // namespace postern::accounts
