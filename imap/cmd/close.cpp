// CLOSE expunges without a word; UNSELECT (RFC 3691) leaves everything as it is.
#include "core/log.hpp"
#include "imap/cmd/handlers.hpp"

namespace postern::imap {

Task<Outcome> handle_close(Session& session, NoArguments) {
  if (session.view().access() == Access::read_write) {
    const auto expunged = co_await session.account().expunge(session.view().id(), std::nullopt);
    if (!expunged && expunged.error().code != Errc::not_found) {
      log::warn("imap_close_failed", {{"cause", expunged.error().message}});
      co_return reply_for(expunged.error());
    }
  }
  session.deselect();
  co_return ok("CLOSE completed");
}

Task<Outcome> handle_unselect(Session& session, NoArguments) {
  session.deselect();
  co_return ok("UNSELECT completed");
}

}  // namespace postern::imap
