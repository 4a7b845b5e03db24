#include "imap/capability.hpp"

#include "imap/cmd/handlers.hpp"

namespace postern::imap {

Task<Outcome> handle_capability(Session& session, NoArguments) {
  session.out() += "* CAPABILITY " + capabilities(session) + "\r\n";
  co_return ok("CAPABILITY completed");
}

}  // namespace postern::imap
