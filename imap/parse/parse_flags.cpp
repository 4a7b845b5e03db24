// Flags in APPEND and STORE.
#include <array>

#include "core/ascii.hpp"
#include "imap/parse/parsers.hpp"
#include "mailbox/types.hpp"

namespace postern::imap {

namespace {
constexpr std::array<std::pair<std::string_view, SystemFlag>, 5> kNames{{
    {"\\Seen", kSeen},
    {"\\Answered", kAnswered},
    {"\\Flagged", kFlagged},
    {"\\Deleted", kDeleted},
    {"\\Draft", kDraft},
}};

std::expected<void, ParseError> add_flag(Scanner& in, Flags& flags) {
  const auto name = in.flag();
  if (!name) return bad("Bad flag");
  if (!name->starts_with('\\')) {
    if (name->size() > mailbox::kMaxKeywordLength) return bad("Keyword too long");
    if (flags.keywords.size() == mailbox::kMaxKeywords) return bad("Too many keywords");
    add_keyword(flags, *name);
    return {};
  }
  for (const auto& [text, flag] : kNames) {
    if (ascii::iequals(text, *name)) {
      flags.system |= flag;
      return {};
    }
  }
  return bad("Unknown system flag");
}
}  // namespace

std::expected<Flags, ParseError> parse_flag_list(Scanner& in) {
  Flags flags;
  if (!in.accept('(')) return bad("Expected a list of flags");
  if (in.accept(')')) return flags;
  do {
    if (auto added = add_flag(in, flags); !added) return std::unexpected(added.error());
  } while (in.space());
  if (!in.accept(')')) return bad("Bad list of flags");
  return flags;
}

std::expected<Flags, ParseError> parse_store_flags(Scanner& in) {
  if (in.peek() == '(') return parse_flag_list(in);
  Flags flags;
  do {
    if (auto added = add_flag(in, flags); !added) return std::unexpected(added.error());
  } while (in.space());
  return flags;
}

}  // namespace postern::imap
