// Commands on messages of the selected mailbox (FETCH's items and SEARCH's keys have their own
// files).
#include "core/ascii.hpp"
#include "imap/parse/parsers.hpp"

namespace postern::imap {

namespace {
std::expected<SequenceSet, ParseError> set_argument(Scanner& in) {
  if (!in.space()) return bad("Expected a sequence set");
  auto set = in.sequence_set();
  if (!set) return bad("Bad sequence set");
  return std::move(*set);
}

Parsed fetch(Scanner& in, Numbering numbering) {
  auto set = set_argument(in);
  if (!set) return std::unexpected(set.error());
  if (!in.space()) return bad("Expected data items");
  auto items = parse_fetch_items(in);
  if (!items) return std::unexpected(items.error());
  if (!in.at_end()) return bad("Nothing expected after the data items");
  return FetchCommand{numbering, std::move(*set), std::move(*items)};
}

Parsed store(Scanner& in, Numbering numbering) {
  auto set = set_argument(in);
  if (!set) return std::unexpected(set.error());
  StoreCommand out{numbering, std::move(*set), {}, {}, {}};
  if (!in.space()) return bad("Expected a data item");
  if (in.accept('+')) {
    out.how = FlagChange::add;
  } else if (in.accept('-')) {
    out.how = FlagChange::remove;
  }
  const auto item = in.word();
  if (ascii::iequals(item, "FLAGS.SILENT")) {
    out.reporting = StoreCommand::Reporting::silent;
  } else if (!ascii::iequals(item, "FLAGS")) {
    return bad("Unknown data item");
  }
  if (!in.space()) return bad("Expected flags");
  auto flags = parse_store_flags(in);
  if (!flags) return std::unexpected(flags.error());
  if (!in.at_end()) return bad("Nothing expected after the flags");
  out.flags = std::move(*flags);
  return out;
}

Parsed copy(Scanner& in, Numbering numbering, CopyCommand::Kind kind) {
  auto set = set_argument(in);
  if (!set) return std::unexpected(set.error());
  if (!in.space()) return bad("Expected a mailbox name");
  auto target = in.mailbox();
  if (!target || !in.at_end()) return bad("Bad mailbox name");
  return CopyCommand{numbering, kind, std::move(*set), std::move(*target)};
}

std::expected<std::uint8_t, ParseError> search_returns(Scanner& in) {
  if (!in.space() || !in.accept('(')) return bad("Expected result options");
  if (in.accept(')')) return kReturnAll;
  std::uint8_t out = 0;
  do {
    const auto option = in.word();
    if (ascii::iequals(option, "MIN")) {
      out |= kReturnMin;
    } else if (ascii::iequals(option, "MAX")) {
      out |= kReturnMax;
    } else if (ascii::iequals(option, "ALL")) {
      out |= kReturnAll;
    } else if (ascii::iequals(option, "COUNT")) {
      out |= kReturnCount;
    } else {
      return bad("Unknown result option");
    }
  } while (in.space());
  if (!in.accept(')')) return bad("Bad result options");
  return out;
}

Parsed search(Scanner& in, Numbering numbering) {
  SearchCommand out{numbering, {}, {}};
  if (!in.space()) return bad("Expected search keys");
  if (in.keyword("RETURN")) {
    const auto returns = search_returns(in);
    if (!returns) return std::unexpected(returns.error());
    out.returns = *returns;
    if (!in.space()) return bad("Expected search keys");
  }
  if (in.keyword("CHARSET")) {
    const auto charset = in.space() ? in.astring() : std::nullopt;
    if (!charset || !in.space()) return bad("Bad charset");
    if (!ascii::iequals(*charset, "UTF-8") && !ascii::iequals(*charset, "US-ASCII")) {
      // The keys aren't read: their strings can't be understood. NO, not BAD (RFC 3501 §6.4.4).
      return std::unexpected(ParseError{"BADCHARSET (US-ASCII UTF-8)", "Charset not supported"});
    }
  }
  auto key = parse_search_keys(in);
  if (!key) return std::unexpected(key.error());
  out.key = std::move(*key);
  return out;
}
}  // namespace

Parsed parse_expunge(Scanner& in) {
  if (!in.at_end()) return bad("No arguments expected");
  return ExpungeCommand{};
}

Parsed parse_uid_expunge(Scanner& in) {
  auto set = set_argument(in);
  if (!set) return std::unexpected(set.error());
  if (!in.at_end()) return bad("Nothing expected after the sequence set");
  return ExpungeCommand{std::move(*set)};
}

Parsed parse_fetch(Scanner& in) { return fetch(in, Numbering::sequence); }
Parsed parse_uid_fetch(Scanner& in) { return fetch(in, Numbering::uid); }
Parsed parse_store(Scanner& in) { return store(in, Numbering::sequence); }
Parsed parse_uid_store(Scanner& in) { return store(in, Numbering::uid); }
Parsed parse_copy(Scanner& in) { return copy(in, Numbering::sequence, CopyCommand::Kind::copy); }
Parsed parse_uid_copy(Scanner& in) { return copy(in, Numbering::uid, CopyCommand::Kind::copy); }
Parsed parse_move(Scanner& in) { return copy(in, Numbering::sequence, CopyCommand::Kind::move); }
Parsed parse_uid_move(Scanner& in) { return copy(in, Numbering::uid, CopyCommand::Kind::move); }
Parsed parse_search(Scanner& in) { return search(in, Numbering::sequence); }
Parsed parse_uid_search(Scanner& in) { return search(in, Numbering::uid); }

}  // namespace postern::imap
