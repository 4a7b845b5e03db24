#include "imap/cmd/handlers.hpp"

namespace postern::imap {

Task<Outcome> handle_logout(Session& session, NoArguments) {
  session.out() += "* BYE Logging out\r\n";
  session.log_out();
  co_return ok("LOGOUT completed");
}

}  // namespace postern::imap
