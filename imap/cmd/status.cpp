#include <fmt/format.h>

#include <iterator>

#include "imap/cmd/handlers.hpp"
#include "imap/wire/encoder.hpp"

namespace postern::imap {

namespace {
void write_item(std::string& out, StatusItem item, const MailboxStatus& status) {
  auto to = std::back_inserter(out);
  switch (item) {
    case StatusItem::messages: fmt::format_to(to, "MESSAGES {}", status.messages); break;
    case StatusItem::recent: fmt::format_to(to, "RECENT {}", status.recent); break;
    case StatusItem::uidnext: fmt::format_to(to, "UIDNEXT {}", status.uid_next); break;
    case StatusItem::uidvalidity: fmt::format_to(to, "UIDVALIDITY {}", status.uid_validity); break;
    case StatusItem::unseen: fmt::format_to(to, "UNSEEN {}", status.unseen); break;
  }
}
}  // namespace

Task<Outcome> handle_status(Session& session, StatusCommand command) {
  const auto status = co_await session.account().status(command.name);
  if (!status) co_return reply_for(status.error());
  auto& out = session.out();
  out += "* STATUS ";
  append_mailbox(out, command.name);
  char before = '(';
  out += ' ';
  for (const auto item : command.items) {
    out += before;
    write_item(out, item, *status);
    before = ' ';
  }
  out += ")\r\n";
  co_return ok("STATUS completed");
}

}  // namespace postern::imap
