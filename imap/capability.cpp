#include "imap/capability.hpp"

#include <fmt/format.h>

#include "imap/session.hpp"

namespace postern::imap {

std::string capabilities(Session& session) {
  std::string out = "IMAP4rev1 SASL-IR ID ENABLE ";
  out += session.options().literal_plus == LiteralPlus::any_size ? "LITERAL+" : "LITERAL-";
  if (session.state() == State::not_authenticated) {
    if (session.can_start_tls()) out += " STARTTLS";
    out += session.plaintext_refused() ? " LOGINDISABLED" : " AUTH=PLAIN AUTH=LOGIN";
    return out;
  }
  out += " IDLE UIDPLUS MOVE NAMESPACE SPECIAL-USE UNSELECT CHILDREN ESEARCH";
  out += fmt::format(" APPENDLIMIT={}", session.options().limits.append);
  return out;
}

}  // namespace postern::imap
