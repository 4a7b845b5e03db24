#include "mailbox/mailbox_rows.hpp"

#include "mailbox/account_rows.hpp"
#include "mailbox/mailbox_tree.hpp"
#include "mailbox/objects.hpp"

namespace postern::mailbox {

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

void delete_mailbox_row(sql::TenantScope& scope, MailboxId mailbox) {
  scope.prepare("DELETE FROM mailboxes WHERE tenant_id = :tenant AND mailbox_id = :mailbox")
      .bind(":mailbox", mailbox)
      .run();
}

void insert_subscription(sql::TenantScope& scope, AccountId account, std::string_view name) {
  scope
      .prepare(
          "INSERT INTO mailbox_subscriptions (tenant_id, account_id, name) VALUES (:tenant, "
          ":account, :name) "
          "ON CONFLICT (tenant_id, account_id, name) DO NOTHING")
      .bind(":account", account)
      .bind_text(":name", name)
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

Result<std::uint32_t> take_uid(sql::TenantScope& scope, MailboxId mailbox,
                               const CounterChange& change, std::uint64_t modseq) {
  auto row = scope.prepare(
      "UPDATE mailboxes SET uidnext = uidnext + 1, message_count = message_count + :messages, "
      "unseen_count = unseen_count + :unseen, deleted_count = deleted_count + :deleted, "
      "byte_count = byte_count + :bytes, highest_modseq = :modseq "
      "WHERE tenant_id = :tenant AND mailbox_id = :mailbox AND uidnext < 4294967295 RETURNING "
      "uidnext");
  row.bind(":messages", change.messages)
      .bind(":unseen", change.unseen)
      .bind(":deleted", change.deleted)
      .bind(":bytes", change.bytes)
      .bind(":modseq", static_cast<std::int64_t>(modseq))
      .bind(":mailbox", mailbox);
  if (!row.step()) return fail(Errc::too_large, "the mailbox has no UIDs left");
  return static_cast<std::uint32_t>(row.integer(0)) - 1;
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
