// Opening, changes and fetching: the reading half of messages.hpp.
#include "mailbox/mailbox_rows.hpp"
#include "mailbox/messages.hpp"

namespace postern::mailbox {

namespace {

/// Columns uid, modseq, flags, keywords.
MessageState read_state(const sql::Statement& row) {
  return {static_cast<std::uint32_t>(row.integer(0)), static_cast<std::uint64_t>(row.integer(1)),
          Flags{static_cast<std::uint32_t>(row.integer(2)), split_keywords(row.text(3))}};
}

/// Columns of read_state, then object, internal date, saved date, size.
MessageRow read_row(const sql::Statement& row) {
  MessageRow out;
  out.state = read_state(row);
  out.object = row.id<ObjectId>(4);
  out.internal_date = row.time(5);
  out.saved_date = row.time(6);
  out.size = static_cast<std::uint64_t>(row.integer(7));
  return out;
}

Result<MailboxInfo> selectable_mailbox(sql::TenantScope& scope, MailboxId mailbox) {
  auto info = get_mailbox(scope, mailbox);
  if (info && !info->selectable) return fail(Errc::not_found, "the mailbox can't be selected");
  return info;
}

enum class Rows : std::uint8_t { present, expunged };

// The statements' texts are the cache's keys, so each of the four is written out.
sql::Statement prepare_fetch(sql::TenantScope& scope, Rows rows, FetchDepth depth) {
  if (rows == Rows::present && depth == FetchDepth::state) {
    return scope.prepare(
        "SELECT uid, modseq, flags, keywords, object_id, internal_date, saved_date, size FROM "
        "messages "
        "WHERE tenant_id = :tenant AND mailbox_id = :mailbox AND uid >= :first AND uid <= :last "
        "ORDER BY uid LIMIT :limit");
  }
  if (rows == Rows::present) {
    return scope.prepare(
        "SELECT m.uid, m.modseq, m.flags, m.keywords, m.object_id, m.internal_date, m.saved_date, "
        "m.size, "
        "o.parsed_index FROM messages m "
        "JOIN objects o ON o.tenant_id = :tenant AND o.object_id = m.object_id "
        "WHERE m.tenant_id = :tenant AND m.mailbox_id = :mailbox AND m.uid >= :first AND m.uid <= "
        ":last "
        "ORDER BY m.uid LIMIT :limit");
  }
  if (depth == FetchDepth::state) {
    return scope.prepare(
        "SELECT t.uid, t.modseq, t.flags, t.keywords, t.object_id, t.internal_date, t.saved_date, "
        "t.size "
        "FROM tombstones t JOIN objects o ON o.tenant_id = :tenant AND o.object_id = t.object_id "
        "WHERE t.tenant_id = :tenant AND t.mailbox_id = :mailbox AND t.uid >= :first AND t.uid <= "
        ":last "
        "ORDER BY t.uid LIMIT :limit");
  }
  return scope.prepare(
      "SELECT t.uid, t.modseq, t.flags, t.keywords, t.object_id, t.internal_date, t.saved_date, "
      "t.size, "
      "o.parsed_index FROM tombstones t "
      "JOIN objects o ON o.tenant_id = :tenant AND o.object_id = t.object_id "
      "WHERE t.tenant_id = :tenant AND t.mailbox_id = :mailbox AND t.uid >= :first AND t.uid <= "
      ":last "
      "ORDER BY t.uid LIMIT :limit");
}

std::vector<MessageRow> fetch(sql::TenantScope& scope, MailboxId mailbox,
                              std::span<const UidRange> ranges, Rows rows, FetchDepth depth,
                              std::size_t limit) {
  std::vector<MessageRow> out;
  for (const UidRange& range : ranges) {
    if (out.size() >= limit) break;
    auto row = prepare_fetch(scope, rows, depth);
    row.bind(":mailbox", mailbox)
        .bind(":first", range.first)
        .bind(":last", range.last)
        .bind(":limit", static_cast<std::int64_t>(limit - out.size()));
    while (row.step()) {
      out.push_back(read_row(row));
      out.back().expunged = rows == Rows::expunged;
      if (depth == FetchDepth::index) out.back().index = row.blob(8);
    }
  }
  return out;
}

}  // namespace

Result<OpenedMailbox> open_mailbox(sql::TenantScope& scope, MailboxId mailbox) {
  auto info = selectable_mailbox(scope, mailbox);
  if (!info) return std::unexpected(info.error());
  OpenedMailbox out{std::move(*info), {}};
  out.messages.reserve(out.info.messages);
  auto rows = scope.prepare(
      "SELECT uid, modseq, flags, keywords FROM messages "
      "WHERE tenant_id = :tenant AND mailbox_id = :mailbox ORDER BY uid");
  rows.bind(":mailbox", mailbox);
  while (rows.step()) out.messages.push_back(read_state(rows));
  return out;
}

Result<Changes> changes_since(sql::TenantScope& scope, MailboxId mailbox, std::uint64_t modseq) {
  auto info = selectable_mailbox(scope, mailbox);
  if (!info) return std::unexpected(info.error());
  Changes out{std::move(*info), {}, {}};
  if (out.info.highest_modseq <= modseq) return out;
  auto changed = scope.prepare(
      "SELECT uid, modseq, flags, keywords FROM messages "
      "WHERE tenant_id = :tenant AND mailbox_id = :mailbox AND modseq > :modseq ORDER BY uid");
  changed.bind(":mailbox", mailbox).bind(":modseq", static_cast<std::int64_t>(modseq));
  while (changed.step()) out.changed.push_back(read_state(changed));
  auto vanished = scope.prepare(
      "SELECT uid FROM tombstones "
      "WHERE tenant_id = :tenant AND mailbox_id = :mailbox AND modseq > :modseq ORDER BY uid");
  vanished.bind(":mailbox", mailbox).bind(":modseq", static_cast<std::int64_t>(modseq));
  while (vanished.step()) out.vanished.push_back(static_cast<std::uint32_t>(vanished.integer(0)));
  return out;
}

std::vector<MessageRow> fetch_messages(sql::TenantScope& scope, MailboxId mailbox,
                                       std::span<const UidRange> ranges, FetchDepth depth,
                                       std::size_t limit) {
  return fetch(scope, mailbox, ranges, Rows::present, depth, limit);
}

std::vector<MessageRow> fetch_expunged(sql::TenantScope& scope, MailboxId mailbox,
                                       std::span<const UidRange> ranges, FetchDepth depth,
                                       std::size_t limit) {
  return fetch(scope, mailbox, ranges, Rows::expunged, depth, limit);
}

}  // namespace postern::mailbox
