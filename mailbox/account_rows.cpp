#include "mailbox/account_rows.hpp"

#include <utility>

#include "mailbox/mailbox_rows.hpp"
#include "mailbox/mailbox_tree.hpp"

namespace postern::mailbox {

void create_account_mailboxes(sql::TenantScope& scope, AccountId account, Timestamp now) {
  scope
      .prepare(
          "INSERT INTO mail_accounts (tenant_id, account_id, modseq, uidvalidity, byte_count, "
          "message_count) "
          "VALUES (:tenant, :account, 1, 0, 0, 0) ON CONFLICT (tenant_id, account_id) DO NOTHING")
      .bind(":account", account)
      .run();
  constexpr std::pair<std::string_view, SpecialUse> kFirst[] = {
      {"INBOX", SpecialUse::none}, {"Drafts", SpecialUse::drafts}, {"Sent", SpecialUse::sent},
      {"Junk", SpecialUse::junk},  {"Trash", SpecialUse::trash},   {"Archive", SpecialUse::archive},
  };
  for (const auto& [name, use] : kFirst) {
    if (find_mailbox(scope, account, name)) continue;
    insert_mailbox(scope, account, name, use, Selectable::yes, now);
    insert_subscription(scope, account, name);
  }
}

void delete_account_mailboxes(sql::TenantScope& scope, AccountId account, Timestamp now) {
  if (!next_modseq(scope, account)) return;
  for (const MailboxInfo& info : list_mailboxes(scope, account)) {
    drop_content(scope, info.id, now);
    delete_mailbox_row(scope, info.id);
  }
  scope
      .prepare(
          "DELETE FROM mailbox_subscriptions WHERE tenant_id = :tenant AND account_id = :account")
      .bind(":account", account)
      .run();
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

Result<std::uint64_t> next_modseq(sql::TenantScope& scope, AccountId account) {
  auto row = scope.prepare(
      "UPDATE mail_accounts SET modseq = modseq + 1 "
      "WHERE tenant_id = :tenant AND account_id = :account RETURNING modseq");
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
