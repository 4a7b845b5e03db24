// Commands that name a mailbox.
#include <algorithm>
#include <array>

#include "core/ascii.hpp"
#include "imap/parse/parsers.hpp"

namespace postern::imap {

namespace {
std::expected<std::string, ParseError> mailbox_argument(Scanner& in) {
  if (!in.space()) return bad("Expected a mailbox name");
  auto name = in.mailbox();
  if (!name) return bad("Bad mailbox name");
  return std::move(*name);
}

Parsed select(Scanner& in, Access access) {
  auto name = mailbox_argument(in);
  if (!name) return std::unexpected(name.error());
  if (!in.at_end()) return bad("Nothing expected after the mailbox name");
  return SelectCommand{std::move(*name), access};
}

Parsed list(Scanner& in, ListCommand::Kind kind) {
  auto reference = mailbox_argument(in);
  if (!reference) return std::unexpected(reference.error());
  if (!in.space()) return bad("Expected a pattern");
  auto pattern = in.list_mailbox();
  if (!pattern) return bad("Bad pattern");
  if (!in.at_end()) return bad("Nothing expected after the pattern");
  return ListCommand{kind, std::move(*reference), std::move(*pattern)};
}

std::optional<StatusItem> status_item(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, StatusItem>, 5> items{{
      {"MESSAGES", StatusItem::messages},
      {"RECENT", StatusItem::recent},
      {"UIDNEXT", StatusItem::uidnext},
      {"UIDVALIDITY", StatusItem::uidvalidity},
      {"UNSEEN", StatusItem::unseen},
  }};
  for (const auto& [text, item] : items) {
    if (ascii::iequals(text, name)) return item;
  }
  return std::nullopt;
}
}  // namespace

Parsed parse_mailbox(Scanner& in) {
  auto name = mailbox_argument(in);
  if (!name) return std::unexpected(name.error());
  if (!in.at_end()) return bad("Nothing expected after the mailbox name");
  return MailboxCommand{std::move(*name)};
}

Parsed parse_rename(Scanner& in) {
  auto from = mailbox_argument(in);
  if (!from) return std::unexpected(from.error());
  auto to = mailbox_argument(in);
  if (!to) return std::unexpected(to.error());
  if (!in.at_end()) return bad("Nothing expected after the mailbox names");
  return RenameCommand{std::move(*from), std::move(*to)};
}

Parsed parse_select(Scanner& in) { return select(in, Access::read_write); }
Parsed parse_examine(Scanner& in) { return select(in, Access::read_only); }
Parsed parse_list(Scanner& in) { return list(in, ListCommand::Kind::list); }
Parsed parse_lsub(Scanner& in) { return list(in, ListCommand::Kind::lsub); }

Parsed parse_status(Scanner& in) {
  auto name = mailbox_argument(in);
  if (!name) return std::unexpected(name.error());
  if (!in.space() || !in.accept('(')) return bad("Expected a list of status items");
  StatusCommand out{std::move(*name), {}};
  do {
    const auto item = status_item(in.word());
    if (!item) return bad("Unknown status item");
    if (std::ranges::find(out.items, *item) == out.items.end()) out.items.push_back(*item);
  } while (in.space());
  if (!in.accept(')') || !in.at_end()) return bad("Bad list of status items");
  return out;
}

Parsed parse_append(Scanner& in) {
  auto name = mailbox_argument(in);
  if (!name) return std::unexpected(name.error());
  AppendCommand out{std::move(*name), {}, {}};
  if (!in.space()) return bad("Expected a message literal");
  if (in.peek() == '(') {
    auto flags = parse_flag_list(in);
    if (!flags) return std::unexpected(flags.error());
    out.flags = std::move(*flags);
    if (!in.space()) return bad("Expected a space after the flags");
  }
  if (in.peek() == '"') {
    const auto date = in.date_time();
    if (!date) return bad("Bad date-time");
    out.internal_date = *date;
    if (!in.space()) return bad("Expected a space after the date-time");
  }
  const auto spec = find_literal(in.rest());
  if (!spec || spec->length != in.rest().size()) return bad("Expected a message literal");
  return out;
}

}  // namespace postern::imap
