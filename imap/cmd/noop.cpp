// NOOP and CHECK: the news they ask for is sent by the session (flag kAsksForNews of the table).
#include "imap/cmd/handlers.hpp"

namespace postern::imap {

Task<Outcome> handle_noop(Session&, NoArguments) { co_return ok("NOOP completed"); }

// Everything is durable when it is answered, so there is nothing to checkpoint (RFC 3501 §6.4.1).
Task<Outcome> handle_check(Session&, NoArguments) { co_return ok("CHECK completed"); }

}  // namespace postern::imap
