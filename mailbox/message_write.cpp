// Append, copy, move, expunge: what makes and removes messages.
#include "mailbox/message_write.hpp"

#include <algorithm>
#include <limits>

#include "mailbox/account_rows.hpp"
#include "mailbox/mailbox_rows.hpp"
#include "mailbox/objects.hpp"

namespace postern::mailbox {

namespace {

Result<MailboxInfo> writable_mailbox(sql::TenantScope& scope, MailboxId mailbox) {
  auto info = get_mailbox(scope, mailbox);
  if (info && !info->selectable) return fail(Errc::not_found, "the mailbox can't hold messages");
  return info;
}

void bury(sql::TenantScope& scope, MailboxId mailbox, const MessageRow& row, std::uint64_t modseq,
          Timestamp now) {
  scope
      .prepare(
          "DELETE FROM messages WHERE tenant_id = :tenant AND mailbox_id = :mailbox AND uid = :uid")
      .bind(":mailbox", mailbox)
      .bind(":uid", row.state.uid)
      .run();
  scope
      .prepare(
          "INSERT INTO tombstones (tenant_id, mailbox_id, uid, object_id, flags, keywords, modseq, "
          "internal_date, saved_date, size, expunged_at) VALUES (:tenant, :mailbox, :uid, :object, "
          ":flags, "
          ":keywords, :modseq, :internal, :saved, :size, :now)")
      .bind(":mailbox", mailbox)
      .bind(":uid", row.state.uid)
      .bind(":object", row.object)
      .bind(":flags", row.state.flags.system)
      .bind_text(":keywords", join_keywords(row.state.flags.keywords))
      .bind(":modseq", static_cast<std::int64_t>(modseq))
      .bind(":internal", row.internal_date)
      .bind(":saved", row.saved_date)
      .bind(":size", static_cast<std::int64_t>(row.size))
      .bind(":now", now)
      .run();
}

/// Tombstones instead of messages; references are dropped, counters and quota follow.
void remove_messages(sql::TenantScope& scope, const MailboxInfo& mailbox,
                     const std::vector<MessageRow>& rows, std::uint64_t modseq, Timestamp now) {
  CounterChange change;
  for (const MessageRow& row : rows) {
    bury(scope, mailbox.id, row, modseq, now);
    drop_references(scope, row.object, 1, now);
    change.remove_message(row.state.flags, row.size);
  }
  change_counters(scope, mailbox.id, change, modseq);
  add_usage(scope, mailbox.account, change.bytes, change.messages);
}

struct CopyPlan {
  MailboxInfo source, target;
  std::vector<MessageRow> rows;
  std::uint64_t modseq = 0;
  std::uint64_t bytes = 0;
};

Result<CopyPlan> plan_copy(sql::TenantScope& scope, MailboxId source,
                           std::span<const UidRange> ranges, MailboxId target) {
  const auto owner = get_mailbox(scope, source);
  if (!owner) return std::unexpected(owner.error());
  const auto modseq = next_modseq(scope, owner->account);
  if (!modseq) return std::unexpected(modseq.error());
  auto from = writable_mailbox(scope, source);
  if (!from) return std::unexpected(from.error());
  auto to = writable_mailbox(scope, target);
  if (!to) return std::unexpected(to.error());
  if (from->account != to->account)
    return fail(Errc::denied, "the mailboxes belong to two accounts");
  CopyPlan plan{std::move(*from), std::move(*to), rows_in(scope, source, ranges), *modseq, 0};
  for (const MessageRow& row : plan.rows) plan.bytes += row.size;
  return plan;
}

/// Copies into the target; the source's rows stay.
Result<CopiedMessages> apply_copy(sql::TenantScope& scope, const CopyPlan& plan, Timestamp now) {
  CopiedMessages out;
  out.account = plan.source.account;
  out.source = plan.source.id;
  out.target = plan.target.id;
  out.target_uidvalidity = plan.target.uidvalidity;
  if (plan.rows.empty()) return out;
  out.modseq = plan.modseq;
  const auto first = take_uids(scope, plan.target.id, static_cast<std::uint32_t>(plan.rows.size()));
  if (!first) return std::unexpected(first.error());
  CounterChange change;
  std::uint32_t uid = *first;
  for (MessageRow row : plan.rows) {
    out.source_uids.push_back(row.state.uid);
    out.target_uids.push_back(uid);
    row.state.uid = uid++;
    row.state.modseq = plan.modseq;
    row.saved_date = now;
    change.add_message(row.state.flags, row.size);
    insert_message(scope, plan.target.id, row);
    add_references(scope, row.object, 1);
  }
  change_counters(scope, plan.target.id, change, plan.modseq);
  add_usage(scope, plan.source.account, change.bytes, change.messages);
  return out;
}

}  // namespace

std::vector<MessageRow> rows_in(sql::TenantScope& scope, MailboxId mailbox,
                                std::span<const UidRange> ranges) {
  auto rows = fetch_messages(scope, mailbox, ranges, FetchDepth::state,
                             std::numeric_limits<std::int32_t>::max());
  // Ranges may overlap.
  const auto uid = [](const MessageRow& row) { return row.state.uid; };
  std::ranges::sort(rows, {}, uid);
  const auto tail = std::ranges::unique(rows, {}, uid);
  rows.erase(tail.begin(), tail.end());
  return rows;
}

Result<void> check_quota(sql::TenantScope& scope, AccountId account, QuotaLimit quota,
                         std::uint64_t bytes) {
  if (!quota) return {};
  const auto used = usage(scope, account);
  if (!used) return std::unexpected(used.error());
  if (used->bytes > *quota || bytes > *quota - used->bytes) {
    return fail(Errc::too_large, "the account is over its quota");
  }
  return {};
}

Result<Placed> place_message(sql::TenantScope& scope, const MailboxInfo& mailbox, MessageRow row,
                             std::uint64_t modseq) {
  CounterChange change;
  change.add_message(row.state.flags, row.size);
  const auto uid = take_uid(scope, mailbox, change, modseq);
  if (!uid) return std::unexpected(uid.error());
  row.state.uid = *uid;
  row.state.modseq = modseq;
  insert_message(scope, mailbox.id, row);
  return Placed{mailbox.account, mailbox.id, mailbox.uidvalidity, *uid, modseq};
}

Result<Placed> append_message(sql::TenantScope& scope, MailboxId mailbox, const NewMessage& message,
                              QuotaLimit quota, Timestamp now) {
  const auto owner = get_mailbox(scope, mailbox);
  if (!owner) return std::unexpected(owner.error());
  const auto modseq = next_modseq(scope, owner->account);
  if (!modseq) return std::unexpected(modseq.error());
  const auto info = writable_mailbox(scope, mailbox);
  if (!info) return std::unexpected(info.error());
  if (auto room = check_quota(scope, info->account, quota, message.body.size); !room) {
    return std::unexpected(room.error());
  }
  put_object(scope, message.body, message.index);
  MessageRow row;
  row.state.flags = message.flags;
  row.object = message.body.object;
  row.internal_date = message.internal_date;
  row.saved_date = now;
  row.size = message.body.size;
  auto placed = place_message(scope, *info, std::move(row), *modseq);
  if (placed) add_usage(scope, info->account, static_cast<std::int64_t>(message.body.size), 1);
  return placed;
}

Result<CopiedMessages> copy_messages(sql::TenantScope& scope, MailboxId source,
                                     std::span<const UidRange> ranges, MailboxId target,
                                     QuotaLimit quota, Timestamp now) {
  const auto plan = plan_copy(scope, source, ranges, target);
  if (!plan) return std::unexpected(plan.error());
  if (auto room = check_quota(scope, plan->source.account, quota, plan->bytes); !room) {
    return std::unexpected(room.error());
  }
  return apply_copy(scope, *plan, now);
}

Result<CopiedMessages> move_messages(sql::TenantScope& scope, MailboxId source,
                                     std::span<const UidRange> ranges, MailboxId target,
                                     Timestamp now) {
  const auto plan = plan_copy(scope, source, ranges, target);
  if (!plan) return std::unexpected(plan.error());
  auto moved = apply_copy(scope, *plan, now);
  if (moved && !plan->rows.empty())
    remove_messages(scope, plan->source, plan->rows, plan->modseq, now);
  return moved;
}

Result<Expunged> expunge_messages(sql::TenantScope& scope, MailboxId mailbox,
                                  std::span<const UidRange> ranges, Timestamp now) {
  const auto owner = get_mailbox(scope, mailbox);
  if (!owner) return std::unexpected(owner.error());
  const auto modseq = next_modseq(scope, owner->account);
  if (!modseq) return std::unexpected(modseq.error());
  Expunged out;
  out.account = owner->account;
  // The counter says so without looking: EXPUNGE on CLOSE is common and usually has nothing to do.
  const auto info = get_mailbox(scope, mailbox);
  if (!info || info->deleted == 0) return out;
  auto rows = rows_in(scope, mailbox, ranges);
  std::erase_if(rows, [](const MessageRow& row) { return !row.state.flags.has(kDeleted); });
  if (rows.empty()) return out;
  remove_messages(scope, *info, rows, *modseq, now);
  for (const MessageRow& row : rows) out.uids.push_back(row.state.uid);
  out.modseq = *modseq;
  return out;
}

}  // namespace postern::mailbox
