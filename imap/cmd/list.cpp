// LIST and LSUB, with CHILDREN (RFC 3348) and SPECIAL-USE (RFC 6154) attributes.
#include <algorithm>
#include <map>
#include <set>

#include "imap/cmd/handlers.hpp"
#include "imap/wire/encoder.hpp"
#include "imap/wire/mailbox_name.hpp"

namespace postern::imap {

namespace {
std::string_view attribute(SpecialUse use) {
  switch (use) {
    case SpecialUse::none: return {};
    case SpecialUse::all: return "\\All";
    case SpecialUse::archive: return "\\Archive";
    case SpecialUse::drafts: return "\\Drafts";
    case SpecialUse::flagged: return "\\Flagged";
    case SpecialUse::junk: return "\\Junk";
    case SpecialUse::sent: return "\\Sent";
    case SpecialUse::trash: return "\\Trash";
  }
  return {};
}

void write_line(std::string& out, std::string_view response, std::string_view attributes,
                std::string_view name) {
  out += "* ";
  out += response;
  out += " (";
  out += attributes;
  out += ") \"/\" ";
  append_mailbox(out, name);
  out += "\r\n";
}

// INBOX first, then by name.
bool before(const MailboxInfo& a, const MailboxInfo& b) {
  if ((a.name == "INBOX") != (b.name == "INBOX")) return a.name == "INBOX";
  return a.name < b.name;
}

Task<Outcome> list(Session& session, std::string pattern) {
  auto mailboxes = co_await session.account().list();
  if (!mailboxes) co_return reply_for(mailboxes.error());
  std::ranges::sort(*mailboxes, before);
  std::set<std::string, std::less<>> parents;
  for (const auto& mailbox : *mailboxes) {
    for (auto at = mailbox.name.find(kSeparator); at != std::string::npos;
         at = mailbox.name.find(kSeparator, at + 1)) {
      parents.insert(mailbox.name.substr(0, at));
    }
  }
  for (const auto& mailbox : *mailboxes) {
    if (!matches_pattern(pattern, mailbox.name)) continue;
    std::string attributes = mailbox.selectable ? "" : "\\Noselect ";
    attributes += parents.contains(mailbox.name) ? "\\HasChildren" : "\\HasNoChildren";
    if (const auto use = attribute(mailbox.special_use); !use.empty()) {
      attributes += ' ';
      attributes += use;
    }
    write_line(session.out(), "LIST", attributes, mailbox.name);
    auto flushed = co_await session.connection().flush_if_large();
    if (!flushed) co_return std::unexpected(flushed.error());
  }
  co_return ok("LIST completed");
}

Task<Outcome> lsub(Session& session, std::string pattern) {
  auto names = co_await session.account().subscriptions();
  if (!names) co_return reply_for(names.error());
  const std::set<std::string, std::less<>> subscribed(names->begin(), names->end());
  std::map<std::string, std::string_view, std::less<>> lines;
  for (const auto& name : subscribed) {
    if (matches_pattern(pattern, name)) {
      lines.emplace(name, "");
      continue;
    }
    // RFC 3501 §6.3.9: with '%', a level above a subscribed name shows as \Noselect.
    if (!pattern.contains('%')) continue;
    for (auto at = name.find(kSeparator); at != std::string::npos;
         at = name.find(kSeparator, at + 1)) {
      const auto above = name.substr(0, at);
      if (!subscribed.contains(above) && matches_pattern(pattern, above)) {
        lines.emplace(above, "\\Noselect");
      }
    }
  }
  for (const auto& [name, attributes] : lines) {
    write_line(session.out(), "LSUB", attributes, name);
    auto flushed = co_await session.connection().flush_if_large();
    if (!flushed) co_return std::unexpected(flushed.error());
  }
  co_return ok("LSUB completed");
}
}  // namespace

Task<Outcome> handle_list(Session& session, ListCommand command) {
  const bool is_lsub = command.kind == ListCommand::Kind::lsub;
  if (command.pattern.empty() && !is_lsub) {
    // RFC 3501 §6.3.8: asks for the separator and the reference's root, which has no name here.
    write_line(session.out(), "LIST", "\\Noselect", "");
    co_return ok("LIST completed");
  }
  auto pattern = command.reference + command.pattern;
  if (pattern.size() > kMaxMailboxName) co_return no("Pattern too long", "LIMIT");
  Task<Outcome> answer =
      is_lsub ? lsub(session, std::move(pattern)) : list(session, std::move(pattern));
  co_return co_await std::move(answer);
}

}  // namespace postern::imap
