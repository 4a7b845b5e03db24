#include "mailbox/mailbox_tree.hpp"

#include <algorithm>
#include <set>

#include "core/ascii.hpp"
#include "mailbox/account_rows.hpp"
#include "mailbox/mailbox_rows.hpp"
#include "mailbox/messages.hpp"
#include "message/email_address.hpp"

namespace postern::mailbox {

namespace {

constexpr std::string_view kInbox = "INBOX";

std::vector<std::string_view> levels_of(std::string_view name) {
  std::vector<std::string_view> levels;
  for (std::size_t begin = 0; begin <= name.size();) {
    const auto end = std::min(name.find(kSeparator, begin), name.size());
    levels.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return levels;
}

/// "a/b/c" gives "a" and "a/b".
std::vector<std::string> parents_of(std::string_view name) {
  std::vector<std::string> parents;
  for (auto at = name.find(kSeparator); at != std::string_view::npos;
       at = name.find(kSeparator, at + 1)) {
    parents.emplace_back(name.substr(0, at));
  }
  return parents;
}

bool is_below(std::string_view name, std::string_view above) {
  return name.size() > above.size() && name.starts_with(above) && name[above.size()] == kSeparator;
}

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

/// Names in [low, high), byte order.
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

/// `name` is normalised; whether it is subscribed stays open.
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

bool is_subscribed(sql::TenantScope& scope, AccountId account, std::string_view name) {
  auto row = scope.prepare(
      "SELECT 1 FROM mailbox_subscriptions WHERE tenant_id = :tenant AND account_id = :account AND "
      "name = :name");
  row.bind(":account", account).bind_text(":name", name);
  return row.step();
}

std::int64_t count_mailboxes(sql::TenantScope& scope, AccountId account) {
  auto row = scope.prepare(
      "SELECT COUNT(*) FROM mailboxes WHERE tenant_id = :tenant AND account_id = :account");
  row.bind(":account", account);
  return row.step() ? row.integer(0) : 0;
}

void make_parents(sql::TenantScope& scope, AccountId account, std::string_view name,
                  Timestamp now) {
  for (const std::string& parent : parents_of(name)) {
    if (find_mailbox(scope, account, parent)) continue;
    insert_mailbox(scope, account, parent, SpecialUse::none, Selectable::yes, now);
  }
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

/// Makes a \NoSelect name a mailbox, with a UIDVALIDITY that no client knows, or the reverse.
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

/// RFC 3501 §6.3.5: the content of INBOX moves to a new mailbox; INBOX and what is below it stay.
Result<std::vector<MailboxInfo>> rename_inbox(sql::TenantScope& scope, const MailboxInfo& inbox,
                                              std::string_view to, Timestamp now) {
  make_parents(scope, inbox.account, to, now);
  const MailboxId target =
      insert_mailbox(scope, inbox.account, to, SpecialUse::none, Selectable::yes, now);
  const UidRange everything[] = {UidRange{}};
  if (auto moved = move_messages(scope, inbox.id, everything, target, now); !moved) {
    return std::unexpected(moved.error());
  }
  std::vector<MailboxInfo> changed;
  for (const MailboxId id : {inbox.id, target}) {
    if (auto info = get_mailbox(scope, id)) changed.push_back(std::move(*info));
  }
  return changed;
}

}  // namespace

Result<std::string> normalise_mailbox_name(std::string_view name) {
  if (name.ends_with(kSeparator)) name.remove_suffix(1);
  if (name.size() > kMaxMailboxName) return fail(Errc::too_large, "the mailbox name is too long");
  if (!message::is_utf8(name)) return fail(Errc::invalid, "the mailbox name is not valid UTF-8");
  const bool bad = std::ranges::any_of(name, [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '%' || c == '*';
  });
  if (bad) return fail(Errc::invalid, "a character is not allowed in a mailbox name");
  const auto levels = levels_of(name);
  if (levels.size() > kMaxMailboxDepth)
    return fail(Errc::too_large, "the mailbox name has too many levels");
  if (std::ranges::any_of(levels, &std::string_view::empty)) {
    return fail(Errc::invalid, "a level of the mailbox name is empty");
  }
  std::string out(name);
  if (ascii::iequals(levels.front(), kInbox)) out.replace(0, kInbox.size(), kInbox);
  return out;
}

std::vector<MailboxInfo> list_mailboxes(sql::TenantScope& scope, AccountId account) {
  // No UTF-8 text is as high as 0xFF.
  std::vector<MailboxInfo> out = list_range(scope, account, "", "\xff");
  const auto names = list_subscriptions(scope, account);
  const std::set<std::string_view> subscribed(names.begin(), names.end());
  for (MailboxInfo& info : out) info.subscribed = subscribed.contains(info.name);
  return out;
}

std::vector<std::string> list_subscriptions(sql::TenantScope& scope, AccountId account) {
  auto rows = scope.prepare(
      "SELECT name FROM mailbox_subscriptions WHERE tenant_id = :tenant AND account_id = :account "
      "ORDER BY name");
  rows.bind(":account", account);
  std::vector<std::string> out;
  while (rows.step()) out.emplace_back(rows.text(0));
  return out;
}

std::vector<MailboxInfo> list_below(sql::TenantScope& scope, AccountId account,
                                    std::string_view name) {
  const std::string base(name);
  // '0' follows '/'.
  return list_range(scope, account, base + kSeparator, base + static_cast<char>(kSeparator + 1));
}

Result<MailboxInfo> find_mailbox(sql::TenantScope& scope, AccountId account,
                                 std::string_view name) {
  auto normal = normalise_mailbox_name(name);
  if (!normal) return fail(Errc::not_found, "no such mailbox");
  auto info = find_by_name(scope, account, *normal);
  if (info) info->subscribed = is_subscribed(scope, account, info->name);
  return info;
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

Result<MailboxInfo> create_mailbox(sql::TenantScope& scope, AccountId account,
                                   std::string_view name, SpecialUse use, Timestamp now) {
  const auto normal = normalise_mailbox_name(name);
  if (!normal) return std::unexpected(normal.error());
  if (auto modseq = next_modseq(scope, account); !modseq) return std::unexpected(modseq.error());
  if (const auto present = find_mailbox(scope, account, *normal)) {
    if (present->selectable) return fail(Errc::exists, "the mailbox exists");
    set_selectable(scope, *present, Selectable::yes, use, now);
    return get_mailbox(scope, present->id);
  }
  const auto needed = static_cast<std::int64_t>(levels_of(*normal).size());
  if (count_mailboxes(scope, account) + needed > static_cast<std::int64_t>(kMaxMailboxes)) {
    return fail(Errc::too_large, "the account has too many mailboxes");
  }
  make_parents(scope, account, *normal, now);
  return get_mailbox(scope, insert_mailbox(scope, account, *normal, use, Selectable::yes, now));
}

Result<std::vector<MailboxInfo>> rename_mailbox(sql::TenantScope& scope, AccountId account,
                                                std::string_view from, std::string_view to,
                                                Timestamp now) {
  const auto target = normalise_mailbox_name(to);
  if (!target) return std::unexpected(target.error());
  const auto modseq = next_modseq(scope, account);
  if (!modseq) return std::unexpected(modseq.error());
  const auto source = find_mailbox(scope, account, from);
  if (!source) return std::unexpected(source.error());
  if (find_mailbox(scope, account, *target)) return fail(Errc::exists, "the mailbox exists");
  if (source->name == kInbox) return rename_inbox(scope, *source, *target, now);
  if (is_below(*target, source->name))
    return fail(Errc::invalid, "a mailbox can't move below itself");
  const auto below = list_below(scope, account, source->name);
  for (const MailboxInfo& info : below) {
    // The longest name must still be one.
    const auto moved = normalise_mailbox_name(*target + info.name.substr(source->name.size()));
    if (!moved) return std::unexpected(moved.error());
    if (find_mailbox(scope, account, *moved)) return fail(Errc::exists, "the mailbox exists");
  }
  make_parents(scope, account, *target, now);
  std::vector<MailboxInfo> changed{*source};
  changed.insert(changed.end(), below.begin(), below.end());
  for (MailboxInfo& info : changed) {
    info.name = *target + info.name.substr(source->name.size());
    info.highest_modseq = *modseq;
    set_name(scope, info.id, info.name, *modseq);
  }
  return changed;
}

Result<MailboxInfo> delete_mailbox(sql::TenantScope& scope, AccountId account,
                                   std::string_view name, Timestamp now) {
  if (auto modseq = next_modseq(scope, account); !modseq) return std::unexpected(modseq.error());
  const auto info = find_mailbox(scope, account, name);
  if (!info) return info;
  if (info->name == kInbox) return fail(Errc::denied, "INBOX can't be deleted");
  const bool has_levels = !list_below(scope, account, info->name).empty();
  if (!info->selectable && has_levels)
    return fail(Errc::denied, "the mailbox has mailboxes below it");
  drop_content(scope, info->id, now);
  if (has_levels) {
    set_selectable(scope, *info, Selectable::no, SpecialUse::none, now);
  } else {
    delete_mailbox_row(scope, info->id);
  }
  return info;
}

Result<void> subscribe(sql::TenantScope& scope, AccountId account, std::string_view name) {
  const auto normal = normalise_mailbox_name(name);
  if (!normal) return std::unexpected(normal.error());
  if (list_subscriptions(scope, account).size() >= kMaxMailboxes) {
    return fail(Errc::too_large, "the account has too many subscriptions");
  }
  insert_subscription(scope, account, *normal);
  return {};
}

Result<void> unsubscribe(sql::TenantScope& scope, AccountId account, std::string_view name) {
  const auto normal = normalise_mailbox_name(name);
  if (!normal) return std::unexpected(normal.error());
  scope
      .prepare(
          "DELETE FROM mailbox_subscriptions WHERE tenant_id = :tenant AND account_id = :account "
          "AND name = :name")
      .bind(":account", account)
      .bind_text(":name", *normal)
      .run();
  return {};
}

}  // namespace postern::mailbox
