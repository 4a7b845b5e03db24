// Commands as plain values: what a parser makes of a command's text, and a handler acts on.
//
// A parser sees neither session nor storage. Names of mailboxes are UTF-8 in their one spelling.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/time.hpp"
#include "imap/access.hpp"
#include "imap/flags.hpp"
#include "imap/parse/fetch_item.hpp"
#include "imap/parse/search_key.hpp"
#include "imap/wire/sequence_set.hpp"

namespace postern::imap {

/// Whether a command names messages by sequence number or, after UID, by uid.
enum class Numbering : std::uint8_t { sequence, uid };

struct NoArguments {};  ///< CAPABILITY, NOOP, LOGOUT, CHECK, CLOSE, IDLE...

struct IdCommand {
  std::vector<std::pair<std::string, std::string>> fields;
};
struct EnableCommand {
  std::vector<std::string> extensions;
};
struct LoginCommand {
  std::string user;
  std::string password;
};
struct AuthenticateCommand {
  std::string mechanism;                        ///< upper case
  std::optional<std::string> initial_response;  ///< base64 as sent; "=" is empty (RFC 4959)
};
/// CREATE, DELETE, SUBSCRIBE, UNSUBSCRIBE.
struct MailboxCommand {
  std::string name;
};
struct RenameCommand {
  std::string from;
  std::string to;
};
struct SelectCommand {
  std::string name;
  Access access = Access::read_write;
};
struct ListCommand {
  enum class Kind : std::uint8_t { list, lsub };
  Kind kind = Kind::list;
  std::string reference;
  std::string pattern;
};
enum class StatusItem : std::uint8_t { messages, recent, uidnext, uidvalidity, unseen };
struct StatusCommand {
  std::string name;
  std::vector<StatusItem> items;
};
struct AppendCommand {
  std::string name;
  Flags flags;
  std::optional<Timestamp> internal_date;
};
/// EXPUNGE, and UID EXPUNGE (RFC 4315) with its set.
struct ExpungeCommand {
  std::optional<SequenceSet> uids;
};
struct FetchCommand {
  Numbering numbering = Numbering::sequence;
  SequenceSet set;
  std::vector<FetchItem> items;
};
struct StoreCommand {
  Numbering numbering = Numbering::sequence;
  SequenceSet set;
  FlagChange how = FlagChange::replace;
  enum class Reporting : std::uint8_t { flags, silent };
  Reporting reporting = Reporting::flags;
  Flags flags;
};
struct CopyCommand {
  Numbering numbering = Numbering::sequence;
  enum class Kind : std::uint8_t { copy, move };
  Kind kind = Kind::copy;
  SequenceSet set;
  std::string target;
};
struct SearchCommand {
  Numbering numbering = Numbering::sequence;
  std::optional<std::uint8_t> returns;  ///< SearchReturn bits; none: the plain SEARCH response
  SearchKey key;
};

using Command = std::variant<NoArguments, IdCommand, EnableCommand, LoginCommand,
                             AuthenticateCommand, MailboxCommand, RenameCommand, SelectCommand,
                             ListCommand, StatusCommand, AppendCommand, ExpungeCommand,
                             FetchCommand, StoreCommand, CopyCommand, SearchCommand>;

}  // namespace postern::imap
