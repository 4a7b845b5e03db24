// MAIL FROM (RFC 5321 §4.1.1.2): opens a transaction once the backend agrees to the sender.
#include <fmt/format.h>

#include "smtp/server/handlers.hpp"

namespace postern::smtp {

Action handle_mail(Conversation& conversation, Mail command) {
  const Limits& limits = conversation.limits();
  const SessionInfo& info = conversation.info();
  if (command.parameters == Parameters::present && info.hello.verb != Hello::Verb::ehlo)
    return conversation.reject({555, {5, 5, 4}, "Parameters need EHLO", {}, Blame::client});
  if (++conversation.connection().mails > limits.messages) {
    return conversation.finish(
        {421, {4, 7, 0}, "Too many messages in one session", "message limit", Blame::client});
  }
  if (command.size > limits.text.message) {  // RFC 1870 §6.1
    return conversation.reject({552,
                                {5, 3, 4},
                                fmt::format("Message larger than {} octets", limits.text.message),
                                {},
                                Blame::client});
  }
  conversation.reset_transaction();
  Envelope& envelope = conversation.transaction().envelope;
  envelope.return_path = std::move(command.return_path);
  envelope.envid = std::move(command.envid);
  envelope.ret = command.ret;
  envelope.body = command.body;
  envelope.charset = command.charset;
  envelope.declared_size = command.size;
  return Action::check_sender;
}

}  // namespace postern::smtp
