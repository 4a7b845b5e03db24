#include "imap/reply.hpp"

namespace postern::imap {

Reply reply_for(const Error& error) {
  switch (error.code) {
    case Errc::not_found: return no("No such mailbox", "NONEXISTENT");
    case Errc::exists: return no("Mailbox already exists", "ALREADYEXISTS");
    case Errc::invalid: return no("The server can't do that with this name", "CANNOT");
    case Errc::denied: return no("Not allowed", "CANNOT");
    case Errc::unsupported: return no("Not supported", "CANNOT");
    case Errc::too_large: return no("A limit would be exceeded", "LIMIT");
    case Errc::overloaded: return no("Too busy, try again later", "LIMIT");
    case Errc::corrupt: return no("Stored data is damaged", "CORRUPTION");
    case Errc::temporary:
    case Errc::io:
    case Errc::timeout:
    case Errc::cancelled: break;
  }
  return no("Temporarily unavailable", "UNAVAILABLE");
}

Reply reply_for_target(const Error& error) {
  if (error.code == Errc::not_found) return no("No such mailbox", "TRYCREATE");
  if (error.code == Errc::too_large) return no("Quota exceeded", "OVERQUOTA");
  return reply_for(error);
}

}  // namespace postern::imap
