#include "mailbox/mailbox_rows.hpp"

#include "mailbox/account_rows.hpp"
#include "mailbox/objects.hpp"

namespace postern::mailbox {

namespace {

/// The columns that every SELECT below gives, in order.
MailboxInfo read_info(const sql::Statement& row) {
  MailboxInfo info;
  info.id = row.id<MailboxId>(0);
  info.account = row.id<AccountId>(1);
  info.name = row.text(2);
  info.special_use = static_cast<SpecialUse>(row.integer(3));
  info.selectable = row.integer(4) != 0;
  info.uidvalidity = static_cast<std::uint32_t>(row.integer(5));
  info.uidnext = static_cast<std::uint32_t>(row.integer(6));
  info.highest_modseq = static_cast<std::uint64_t>(row.integer(7));
  info.messages = static_cast<std::uint32_t>(row.integer(8));
  info.unseen = static_cast<std::uint32_t>(row.integer(9));
  info.deleted = static_cast<std::uint32_t>(row.integer(10));
  info.bytes = static_cast<std::uint64_t>(row.integer(11));
  return info;
}

}  // namespace

std::vector<MailboxInfo> list_range(sql::TenantScope& scope, AccountId account,
                                    std::string_view low, std::string_view high) {
  auto rows = scope.prepare(
      "SELECT mailbox_id, account_id, name, special_use, selectable, uidvalidity, uidnext, "
      "highest_modseq, "
      "message_count, unseen_count, deleted_count, byte_count FROM mailboxes "
      "WHERE tenant_id = :tenant AND account_id = :account AND name >= :low AND name < :high ORDER "
      "BY name");
  rows.bind(":account", account).bind_text(":low", low).bind_text(":high", high);
  std::vector<MailboxInfo> out;
  while (rows.step()) out.push_back(read_info(rows));
  return out;
}

std::vector<MailboxInfo> list_below(sql::TenantScope& scope, AccountId account,
                                    std::string_view name) {
  const std::string base(name);
  // '0' follows '/'.
  return list_range(scope, account, base + kSeparator, base + static_cast<char>(kSeparator + 1));
}

Result<MailboxInfo> find_by_name(sql::TenantScope& scope, AccountId account,
                                 std::string_view name) {
  auto row = scope.prepare(
      "SELECT mailbox_id, account_id, name, special_use, selectable, uidvalidity, uidnext, "
      "highest_modseq, message_count, unseen_count, deleted_count, byte_count FROM mailboxes "
      "WHERE tenant_id = :tenant AND account_id = :account AND name = :name");
  row.bind(":account", account).bind_text(":name", name);
  if (!row.step()) return fail(Errc::not_found, "no such mailbox");
  return read_info(row);
}

Result<MailboxInfo> get_mailbox(sql::TenantScope& scope, MailboxId mailbox) {
  auto row = scope.prepare(
      "SELECT mailbox_id, account_id, name, special_use, selectable, uidvalidity, uidnext, "
      "highest_modseq, "
      "message_count, unseen_count, deleted_count, byte_count FROM mailboxes "
      "WHERE tenant_id = :tenant AND mailbox_id = :mailbox");
  row.bind(":mailbox", mailbox);
  if (!row.step()) return fail(Errc::not_found, "no such mailbox");
  return read_info(row);
}

Result<MailboxInfo> find_special(sql::TenantScope& scope, AccountId account, SpecialUse use) {
  if (use == SpecialUse::none) return find_by_name(scope, account, kInbox);
  auto row = scope.prepare(
      "SELECT mailbox_id, account_id, name, special_use, selectable, uidvalidity, uidnext, "
      "highest_modseq, "
      "message_count, unseen_count, deleted_count, byte_count FROM mailboxes "
      "WHERE tenant_id = :tenant AND account_id = :account AND special_use = :use AND selectable = "
      "1 "
      "ORDER BY name LIMIT 1");
  row.bind(":account", account).bind(":use", static_cast<int>(use));
  if (!row.step()) return fail(Errc::not_found, "no mailbox of this use");
  return read_info(row);
}

std::int64_t count_mailboxes(sql::TenantScope& scope, AccountId account) {
  auto row = scope.prepare(
      "SELECT COUNT(*) FROM mailboxes WHERE tenant_id = :tenant AND account_id = :account");
  row.bind(":account", account);
  return row.step() ? row.integer(0) : 0;
}

MailboxId insert_mailbox(sql::TenantScope& scope, AccountId account, std::string_view name,
                         SpecialUse use, Selectable selectable, Timestamp now) {
  const MailboxId id = MailboxId::make();
  const std::uint32_t uidvalidity = next_uidvalidity(scope, account, now);
  scope
      .prepare(
          "INSERT INTO mailboxes (tenant_id, mailbox_id, account_id, name, special_use, "
          "selectable, uidvalidity, "
          "uidnext, highest_modseq, message_count, unseen_count, deleted_count, byte_count) "
          "VALUES (:tenant, :mailbox, :account, :name, :use, :selectable, :uidvalidity, 1, 1, 0, "
          "0, 0, 0)")
      .bind(":mailbox", id)
      .bind(":account", account)
      .bind_text(":name", name)
      .bind(":use", static_cast<int>(use))
      .bind(":selectable", selectable == Selectable::yes)
      .bind(":uidvalidity", uidvalidity)
      .run();
  return id;
}

void set_name(sql::TenantScope& scope, MailboxId mailbox, std::string_view name,
              std::uint64_t modseq) {
  scope
      .prepare(
          "UPDATE mailboxes SET name = :name, highest_modseq = :modseq "
          "WHERE tenant_id = :tenant AND mailbox_id = :mailbox")
      .bind_text(":name", name)
      .bind(":modseq", static_cast<std::int64_t>(modseq))
      .bind(":mailbox", mailbox)
      .run();
}

void set_selectable(sql::TenantScope& scope, const MailboxInfo& info, Selectable selectable,
                    SpecialUse use, Timestamp now) {
  scope
      .prepare(
          "UPDATE mailboxes SET selectable = :selectable, special_use = :use, uidvalidity = "
          ":uidvalidity, "
          "uidnext = 1 WHERE tenant_id = :tenant AND mailbox_id = :mailbox")
      .bind(":selectable", selectable == Selectable::yes)
      .bind(":use", static_cast<int>(use))
      .bind(":uidvalidity", next_uidvalidity(scope, info.account, now))
      .bind(":mailbox", info.id)
      .run();
}

void delete_mailbox_row(sql::TenantScope& scope, MailboxId mailbox) {
  scope.prepare("DELETE FROM mailboxes WHERE tenant_id = :tenant AND mailbox_id = :mailbox")
      .bind(":mailbox", mailbox)
      .run();
}

void drop_content(sql::TenantScope& scope, MailboxId mailbox, Timestamp now) {
  const auto info = get_mailbox(scope, mailbox);
  if (!info) return;
  std::vector<std::pair<ObjectId, std::int64_t>> objects;
  {
    auto rows = scope.prepare(
        "SELECT object_id, COUNT(*) FROM messages WHERE tenant_id = :tenant AND mailbox_id = "
        ":mailbox "
        "GROUP BY object_id");
    rows.bind(":mailbox", mailbox);
    while (rows.step()) objects.emplace_back(rows.id<ObjectId>(0), rows.integer(1));
  }
  for (const auto& [object, count] : objects) drop_references(scope, object, count, now);
  scope.prepare("DELETE FROM messages WHERE tenant_id = :tenant AND mailbox_id = :mailbox")
      .bind(":mailbox", mailbox)
      .run();
  scope.prepare("DELETE FROM tombstones WHERE tenant_id = :tenant AND mailbox_id = :mailbox")
      .bind(":mailbox", mailbox)
      .run();
  scope
      .prepare(
          "UPDATE mailboxes SET message_count = 0, unseen_count = 0, deleted_count = 0, byte_count "
          "= 0 "
          "WHERE tenant_id = :tenant AND mailbox_id = :mailbox")
      .bind(":mailbox", mailbox)
      .run();
  add_usage(scope, info->account, -static_cast<std::int64_t>(info->bytes),
            -static_cast<std::int64_t>(info->messages));
}

void CounterChange::add_message(const Flags& flags, std::uint64_t size) {
  messages += 1;
  unseen += flags.has(kSeen) ? 0 : 1;
  deleted += flags.has(kDeleted) ? 1 : 0;
  bytes += static_cast<std::int64_t>(size);
}

void CounterChange::remove_message(const Flags& flags, std::uint64_t size) {
  messages -= 1;
  unseen -= flags.has(kSeen) ? 0 : 1;
  deleted -= flags.has(kDeleted) ? 1 : 0;
  bytes -= static_cast<std::int64_t>(size);
}

void CounterChange::change_flags(const Flags& before, const Flags& after) {
  unseen += (before.has(kSeen) ? 1 : 0) - (after.has(kSeen) ? 1 : 0);
  deleted += (after.has(kDeleted) ? 1 : 0) - (before.has(kDeleted) ? 1 : 0);
}

void change_counters(sql::TenantScope& scope, MailboxId mailbox, const CounterChange& change,
                     std::uint64_t modseq) {
  scope
      .prepare(
          "UPDATE mailboxes SET message_count = message_count + :messages, unseen_count = "
          "unseen_count + :unseen, "
          "deleted_count = deleted_count + :deleted, byte_count = byte_count + :bytes, "
          "highest_modseq = :modseq "
          "WHERE tenant_id = :tenant AND mailbox_id = :mailbox")
      .bind(":messages", change.messages)
      .bind(":unseen", change.unseen)
      .bind(":deleted", change.deleted)
      .bind(":bytes", change.bytes)
      .bind(":modseq", static_cast<std::int64_t>(modseq))
      .bind(":mailbox", mailbox)
      .run();
}

Result<std::uint32_t> take_uids(sql::TenantScope& scope, MailboxId mailbox, std::uint32_t count) {
  auto row = scope.prepare(
      "UPDATE mailboxes SET uidnext = uidnext + :count WHERE tenant_id = :tenant AND mailbox_id = "
      ":mailbox "
      "AND uidnext + :count <= 4294967295 RETURNING uidnext");
  row.bind(":count", count).bind(":mailbox", mailbox);
  if (!row.step()) return fail(Errc::too_large, "the mailbox has no UIDs left");
  return static_cast<std::uint32_t>(row.integer(0)) - count;
}

Result<std::uint32_t> take_uid(sql::TenantScope& scope, const MailboxInfo& mailbox,
                               const CounterChange& change, std::uint64_t modseq) {
  const std::uint32_t uid = mailbox.uidnext;
  if (uid == UINT32_MAX) return fail(Errc::too_large, "the mailbox has no UIDs left");
  scope
      .prepare(
          "UPDATE mailboxes SET uidnext = :next, message_count = message_count + :messages, "
          "unseen_count = unseen_count + :unseen, deleted_count = deleted_count + :deleted, "
          "byte_count = byte_count + :bytes, highest_modseq = :modseq "
          "WHERE tenant_id = :tenant AND mailbox_id = :mailbox")
      .bind(":next", static_cast<std::int64_t>(uid) + 1)
      .bind(":messages", change.messages)
      .bind(":unseen", change.unseen)
      .bind(":deleted", change.deleted)
      .bind(":bytes", change.bytes)
      .bind(":modseq", static_cast<std::int64_t>(modseq))
      .bind(":mailbox", mailbox.id)
      .run();
  return uid;
}

void insert_message(sql::TenantScope& scope, MailboxId mailbox, const MessageRow& row) {
  scope
      .prepare(
          "INSERT INTO messages (tenant_id, mailbox_id, uid, object_id, flags, keywords, modseq, "
          "internal_date, "
          "saved_date, size) VALUES (:tenant, :mailbox, :uid, :object, :flags, :keywords, :modseq, "
          ":internal, "
          ":saved, :size)")
      .bind(":mailbox", mailbox)
      .bind(":uid", row.state.uid)
      .bind(":object", row.object)
      .bind(":flags", row.state.flags.system)
      .bind_text(":keywords", join_keywords(row.state.flags.keywords))
      .bind(":modseq", static_cast<std::int64_t>(row.state.modseq))
      .bind(":internal", row.internal_date)
      .bind(":saved", row.saved_date)
      .bind(":size", static_cast<std::int64_t>(row.size))
      .run();
}

}  // namespace postern::mailbox
