// The parsers of the dispatch table: the text after a command's name, to a plain value.
//
// Each takes everything up to the end of the command, beginning with the space before the first
// argument (RFC 3501 §9). A refusal says what was expected, for the BAD reply; input is untrusted.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "imap/parse/command.hpp"
#include "imap/wire/scanner.hpp"

namespace postern::imap {

struct ParseError {
  std::string code;  ///< response code without brackets, mostly empty
  std::string text;
};

using Parsed = std::expected<Command, ParseError>;
using Parser = Parsed (*)(Scanner&);

Parsed parse_no_arguments(Scanner& in);
Parsed parse_id(Scanner& in);
Parsed parse_enable(Scanner& in);
Parsed parse_login(Scanner& in);
Parsed parse_authenticate(Scanner& in);
Parsed parse_mailbox(Scanner& in);
Parsed parse_rename(Scanner& in);
Parsed parse_select(Scanner& in);
Parsed parse_examine(Scanner& in);
Parsed parse_list(Scanner& in);
Parsed parse_lsub(Scanner& in);
Parsed parse_status(Scanner& in);
Parsed parse_append(Scanner& in);  ///< up to and including the message literal's announcement
Parsed parse_expunge(Scanner& in);
Parsed parse_uid_expunge(Scanner& in);
Parsed parse_fetch(Scanner& in);
Parsed parse_uid_fetch(Scanner& in);
Parsed parse_store(Scanner& in);
Parsed parse_uid_store(Scanner& in);
Parsed parse_copy(Scanner& in);
Parsed parse_uid_copy(Scanner& in);
Parsed parse_move(Scanner& in);
Parsed parse_uid_move(Scanner& in);
Parsed parse_search(Scanner& in);
Parsed parse_uid_search(Scanner& in);

// What the parsers share.

std::unexpected<ParseError> bad(std::string text);
/// `(\Seen $Junk)`; \Recent and unknown system flags are refused.
std::expected<Flags, ParseError> parse_flag_list(Scanner& in);
/// STORE's flags: a list, or bare flags to the end.
std::expected<Flags, ParseError> parse_store_flags(Scanner& in);
std::expected<std::vector<FetchItem>, ParseError> parse_fetch_items(Scanner& in);
/// One or more keys to the end, joined by AND.
std::expected<SearchKey, ParseError> parse_search_keys(Scanner& in);

}  // namespace postern::imap
