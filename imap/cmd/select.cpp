// SELECT and EXAMINE.
#include <fmt/format.h>

#include <iterator>

#include "imap/cmd/handlers.hpp"
#include "imap/wire/encoder.hpp"

namespace postern::imap {

namespace {
void describe(Session& session, const MailboxView& view) {
  auto& out = session.out();
  auto to = std::back_inserter(out);
  const auto keywords = view.keywords();
  out += "* FLAGS ";
  append_flags(out, Flags{kAllSystemFlags, keywords}, Recent::no);
  fmt::format_to(to, "\r\n* {} EXISTS\r\n* {} RECENT\r\n", view.exists(), view.recent());
  if (const auto unseen = view.first_unseen()) {
    fmt::format_to(to, "* OK [UNSEEN {}] First unseen message\r\n", *unseen);
  }
  out += "* OK [PERMANENTFLAGS ";
  if (view.access() == Access::read_write) {
    auto permanent = Flags{kAllSystemFlags, keywords};
    permanent.keywords.emplace_back("\\*");
    append_flags(out, permanent, Recent::no);
  } else {
    out += "()";
  }
  out += "] Flags that can be changed\r\n";
  fmt::format_to(to, "* OK [UIDNEXT {}] Predicted next UID\r\n", view.uid_next());
  fmt::format_to(to, "* OK [UIDVALIDITY {}] UIDs valid\r\n", view.uid_validity());
}
}  // namespace

Task<Outcome> handle_select(Session& session, SelectCommand command) {
  // RFC 3501 §6.3.1: whatever comes of it, the mailbox selected before no longer is.
  session.deselect();
  auto snapshot = co_await session.account().open(command.name, command.access);
  if (!snapshot) co_return reply_for(snapshot.error());
  MailboxView view(std::move(*snapshot), std::move(command.name), command.access);
  describe(session, view);
  session.select(std::move(view));
  const bool writable = command.access == Access::read_write;
  co_return writable ? ok("SELECT completed", "READ-WRITE") : ok("EXAMINE completed", "READ-ONLY");
}

}  // namespace postern::imap
