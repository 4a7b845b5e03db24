// STORE: flags and keywords of messages.
#include "mailbox/account_rows.hpp"
#include "mailbox/mailbox_rows.hpp"
#include "mailbox/message_write.hpp"

namespace postern::mailbox {

namespace {

Flags apply(const Flags& before, StoreMode mode, const Flags& flags) {
  Flags after = mode == StoreMode::replace ? Flags{} : before;
  if (mode == StoreMode::remove) {
    after.remove(flags);
  } else {
    after.add(flags);
  }
  return after;
}

void update_flags(sql::TenantScope& scope, MailboxId mailbox, const MessageState& state) {
  scope
      .prepare(
          "UPDATE messages SET flags = :flags, keywords = :keywords, modseq = :modseq "
          "WHERE tenant_id = :tenant AND mailbox_id = :mailbox AND uid = :uid")
      .bind(":flags", state.flags.system)
      .bind_text(":keywords", join_keywords(state.flags.keywords))
      .bind(":modseq", static_cast<std::int64_t>(state.modseq))
      .bind(":mailbox", mailbox)
      .bind(":uid", state.uid)
      .run();
}

bool too_many_keywords(const Flags& flags) {
  if (flags.keywords.size() > kMaxKeywords) return true;
  for (const std::string& keyword : flags.keywords) {
    if (keyword.empty() || keyword.size() > kMaxKeywordLength || keyword.contains(' ')) return true;
  }
  return false;
}

}  // namespace

Result<StoredFlags> store_flags(sql::TenantScope& scope, MailboxId mailbox,
                                std::span<const UidRange> ranges, StoreMode mode,
                                const Flags& flags, std::optional<std::uint64_t> unchanged_since) {
  if (too_many_keywords(flags)) return fail(Errc::too_large, "too many or too long keywords");
  const auto info = get_mailbox(scope, mailbox);
  if (!info) return std::unexpected(info.error());
  const auto modseq = next_modseq(scope, info->account);
  if (!modseq) return std::unexpected(modseq.error());
  StoredFlags out;
  out.account = info->account;
  CounterChange change;
  for (MessageRow& row : rows_in(scope, mailbox, ranges)) {
    if (unchanged_since && row.state.modseq > *unchanged_since) {
      out.modified.push_back(row.state.uid);
      continue;
    }
    Flags after = apply(row.state.flags, mode, flags);
    if (after == row.state.flags) {
      out.unchanged.push_back(std::move(row.state));
      continue;
    }
    if (too_many_keywords(after)) return fail(Errc::too_large, "too many keywords on one message");
    change.change_flags(row.state.flags, after);
    row.state.flags = std::move(after);
    row.state.modseq = *modseq;
    update_flags(scope, mailbox, row.state);
    out.changed.push_back(std::move(row.state));
  }
  if (out.changed.empty()) return out;
  out.modseq = *modseq;
  change_counters(scope, mailbox, change, *modseq);
  return out;
}

}  // namespace postern::mailbox
