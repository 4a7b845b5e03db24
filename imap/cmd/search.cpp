// SEARCH and UID SEARCH, with ESEARCH's results (RFC 4731).
#include <fmt/format.h>

#include <iterator>

#include "imap/cmd/handlers.hpp"
#include "imap/search/searcher.hpp"
#include "imap/wire/encoder.hpp"

namespace postern::imap {

namespace {
void write_plain(std::string& out, const std::vector<std::uint32_t>& numbers) {
  out += "* SEARCH";
  for (const auto number : numbers) fmt::format_to(std::back_inserter(out), " {}", number);
  out += "\r\n";
}

void write_extended(Session& session, const std::vector<std::uint32_t>& numbers,
                    std::uint8_t returns, Numbering numbering) {
  auto& out = session.out();
  auto to = std::back_inserter(out);
  out += "* ESEARCH (TAG ";
  append_string(out, session.tag());
  out += numbering == Numbering::uid ? ") UID" : ")";
  if (!numbers.empty()) {
    if ((returns & kReturnMin) != 0) fmt::format_to(to, " MIN {}", numbers.front());
    if ((returns & kReturnMax) != 0) fmt::format_to(to, " MAX {}", numbers.back());
    if ((returns & kReturnAll) != 0) {
      out += " ALL ";
      append_number_set(out, numbers);
    }
  }
  if ((returns & kReturnCount) != 0) fmt::format_to(to, " COUNT {}", numbers.size());
  out += "\r\n";
}
}  // namespace

Task<Outcome> handle_search(Session& session, SearchCommand command) {
  Searcher searcher(session, command.key);
  auto found = co_await searcher.run();
  if (!found) {
    if (found.error().code == Errc::too_large) co_return no("Search reads too much", "LIMIT");
    co_return reply_for(found.error());
  }
  auto numbers = command.numbering == Numbering::uid ? session.view().uids_of(*found) : *found;
  if (command.returns) {
    write_extended(session, numbers, *command.returns, command.numbering);
  } else {
    write_plain(session.out(), numbers);
  }
  co_return ok("SEARCH completed");
}

}  // namespace postern::imap
