// RFC 2342: one personal namespace, no others.
#include "imap/cmd/handlers.hpp"

namespace postern::imap {

Task<Outcome> handle_namespace(Session& session, NoArguments) {
  session.out() += "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n";
  co_return ok("NAMESPACE completed");
}

}  // namespace postern::imap
