#include "mailbox/mailbox_tree.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "core/ascii.hpp"
#include "mailbox/account_rows.hpp"
#include "mailbox/mailbox_rows.hpp"
#include "mailbox/messages.hpp"
#include "message/email_address.hpp"

namespace postern::mailbox {

namespace {

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

bool is_subscribed(sql::TenantScope& scope, AccountId account, std::string_view name) {
  auto row = scope.prepare(
      "SELECT 1 FROM mailbox_subscriptions WHERE tenant_id = :tenant AND account_id = :account AND "
      "name = :name");
  row.bind(":account", account).bind_text(":name", name);
  return row.step();
}

void make_parents(sql::TenantScope& scope, AccountId account, std::string_view name,
                  Timestamp now) {
  for (const std::string& parent : parents_of(name)) {
    if (find_mailbox(scope, account, parent)) continue;
    insert_mailbox(scope, account, parent, SpecialUse::none, Selectable::yes, now);
  }
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

void create_account_mailboxes(sql::TenantScope& scope, AccountId account, Timestamp now) {
  insert_account(scope, account);
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
  delete_account_row(scope, account);
}

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

Result<MailboxInfo> find_mailbox(sql::TenantScope& scope, AccountId account,
                                 std::string_view name) {
  auto normal = normalise_mailbox_name(name);
  if (!normal) return fail(Errc::not_found, "no such mailbox");
  auto info = find_by_name(scope, account, *normal);
  if (info) info->subscribed = is_subscribed(scope, account, info->name);
  return info;
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
