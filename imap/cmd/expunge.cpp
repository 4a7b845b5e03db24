// EXPUNGE and UID EXPUNGE (RFC 4315).
#include "imap/cmd/handlers.hpp"

namespace postern::imap {

Task<Outcome> handle_expunge(Session& session, ExpungeCommand command) {
  auto& view = session.view();
  if (view.access() == Access::read_only) co_return no("Mailbox is read-only", "READ-ONLY");
  std::optional<std::vector<std::uint32_t>> uids;
  if (command.uids) {
    uids = view.uids_of(
        view.resolve(*command.uids, Numbering::uid).value_or(std::vector<std::uint32_t>{}));
    if (uids->empty()) co_return ok("EXPUNGE completed");
  }
  const auto expunged = co_await session.account().expunge(view.id(), std::move(uids));
  if (!expunged) co_return reply_for(expunged.error());
  view.note_expunged(*expunged);  // told with the updates before the tagged reply
  co_return ok("EXPUNGE completed");
}

}  // namespace postern::imap
