// The CAPABILITY list, built from a session's state (RFC 3501 §6.1.1).
#pragma once

#include <string>

namespace postern::imap {

class Session;

/// "IMAP4rev1 LITERAL+ ...": what works in this state, over this connection.
std::string capabilities(Session& session);

}  // namespace postern::imap
