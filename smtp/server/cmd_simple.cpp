// RSET, NOOP, QUIT, HELP, VRFY, EXPN (RFC 5321 §4.1.1.5 to §4.1.1.10): commands of one answer.
#include <string>

#include "smtp/server/dispatch.hpp"
#include "smtp/server/handlers.hpp"

namespace postern::smtp {

Action handle_rset(Conversation& conversation, Rset) {
  conversation.reset_transaction();
  return conversation.answer({250, {2, 0, 0}, "Reset"});
}

Action handle_noop(Conversation& conversation, Noop) {
  return conversation.answer({250, {2, 0, 0}, "Ok"});
}

Action handle_quit(Conversation& conversation, Quit) {
  return conversation.finish({221, {2, 0, 0}, "Bye"});
}

Action handle_help(Conversation& conversation, Help) {
  std::string text = "Commands:";
  for (const VerbEntry& verb : verbs()) text.append(" ").append(verb.name);
  return conversation.answer({214, {2, 0, 0}, std::move(text)});
}

// Says nothing about who exists (RFC 5321 §7.3).
Action handle_vrfy(Conversation& conversation, Vrfy) {
  return conversation.answer({252, {2, 5, 0}, "Send mail and see"});
}

Action handle_expn(Conversation& conversation, Expn) {
  return conversation.reject({502, {5, 5, 1}, "Lists are not expanded here", {}, Blame::client});
}

}  // namespace postern::smtp
