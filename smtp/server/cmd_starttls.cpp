// STARTTLS (RFC 3207). Whatever was sent along with it was sent in the clear and is never run:
// a client has to wait for the 220 (RFC 3207 §4).
#include "smtp/server/handlers.hpp"

namespace postern::smtp {

Action handle_starttls(Conversation& conversation, StartTls) {
  if (conversation.info().tls.active())
    return conversation.reject({503, {5, 5, 1}, "TLS is active", {}, Blame::client});
  if (!conversation.config().tls)
    return conversation.reject({502, {5, 5, 1}, "TLS is not available", {}, Blame::client});
  if (!conversation.input().empty()) {
    conversation.input().wipe();
    return conversation.finish(
        {421, {4, 7, 0}, "Input after STARTTLS", "injected before the handshake", Blame::client});
  }
  conversation.answer({220, {2, 0, 0}, "Ready to start TLS"});
  return Action::start_tls;
}

}  // namespace postern::smtp
