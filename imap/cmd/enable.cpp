// RFC 5161. Nothing that this server offers needs enabling yet; unknown names are ignored (§3.1).
#include "imap/cmd/handlers.hpp"

namespace postern::imap {

Task<Outcome> handle_enable(Session& session, EnableCommand) {
  session.out() += "* ENABLED\r\n";
  co_return ok("ENABLE completed");
}

}  // namespace postern::imap
