#include "mailbox/account_rows.hpp"

namespace postern::mailbox {

void insert_account(sql::TenantScope& scope, AccountId account) {
  scope
      .prepare(
          "INSERT INTO mail_accounts (tenant_id, account_id, modseq, uidvalidity, byte_count, "
          "message_count) "
          "VALUES (:tenant, :account, 1, 0, 0, 0) ON CONFLICT (tenant_id, account_id) DO NOTHING")
      .bind(":account", account)
      .run();
}

void delete_account_row(sql::TenantScope& scope, AccountId account) {
  scope.prepare("DELETE FROM mail_accounts WHERE tenant_id = :tenant AND account_id = :account")
      .bind(":account", account)
      .run();
}

Result<Usage> usage(sql::TenantScope& scope, AccountId account) {
  auto row = scope.prepare(
      "SELECT byte_count, message_count FROM mail_accounts WHERE tenant_id = :tenant AND "
      "account_id = :account");
  row.bind(":account", account);
  if (!row.step()) return fail(Errc::not_found, "the account has no mailboxes");
  return Usage{static_cast<std::uint64_t>(row.integer(0)),
               static_cast<std::uint64_t>(row.integer(1))};
}

Result<std::uint64_t> next_modseq(sql::TenantScope& scope, AccountId account, std::int64_t bytes,
                                  std::int64_t messages) {
  // Not RETURNING: it makes a temporary table each time.
  scope
      .prepare(
          "UPDATE mail_accounts SET modseq = modseq + 1, byte_count = byte_count + :bytes, "
          "message_count = message_count + :messages "
          "WHERE tenant_id = :tenant AND account_id = :account")
      .bind(":bytes", bytes)
      .bind(":messages", messages)
      .bind(":account", account)
      .run();
  if (scope.changes() == 0) return fail(Errc::not_found, "the account has no mailboxes");
  auto row = scope.prepare(
      "SELECT modseq FROM mail_accounts WHERE tenant_id = :tenant AND account_id = :account");
  row.bind(":account", account);
  if (!row.step()) return fail(Errc::not_found, "the account has no mailboxes");
  return static_cast<std::uint64_t>(row.integer(0));
}

void add_usage(sql::TenantScope& scope, AccountId account, std::int64_t bytes,
               std::int64_t messages) {
  scope
      .prepare(
          "UPDATE mail_accounts SET byte_count = byte_count + :bytes, message_count = "
          "message_count + :messages "
          "WHERE tenant_id = :tenant AND account_id = :account")
      .bind(":bytes", bytes)
      .bind(":messages", messages)
      .bind(":account", account)
      .run();
}

std::uint32_t next_uidvalidity(sql::TenantScope& scope, AccountId account, Timestamp now) {
  // The clock gives a new account values that an earlier one of the same address didn't have.
  constexpr std::int64_t micros_a_second = 1'000'000;
  auto row = scope.prepare(
      "UPDATE mail_accounts SET uidvalidity = CASE WHEN uidvalidity >= :now THEN uidvalidity + 1 "
      "ELSE :now END "
      "WHERE tenant_id = :tenant AND account_id = :account RETURNING uidvalidity");
  row.bind(":now", to_micros(now) / micros_a_second).bind(":account", account);
  return row.step() ? static_cast<std::uint32_t>(row.integer(0)) : 0;
}

}  // namespace postern::mailbox
