// RCPT TO (RFC 5321 §4.1.1.3): one more recipient, if the backend takes mail for it.
#include "smtp/server/handlers.hpp"

namespace postern::smtp {

namespace {

// RCPT commands a transaction beyond those that can be accepted: a client without LIMITS learns the
// bound by trying, a flood gets no further.
constexpr std::size_t kAttemptsPerRecipient = 4;

}  // namespace

Action handle_rcpt(Conversation& conversation, Rcpt command) {
  Transaction& transaction = conversation.transaction();
  const Limits& limits = conversation.limits();
  if (!transaction.open || transaction.transfer != Transaction::Transfer::none)
    return conversation.reject({503, {5, 5, 1}, "MAIL first", {}, Blame::client});
  if (command.parameters == Parameters::present &&
      conversation.info().hello.verb != Hello::Verb::ehlo)
    return conversation.reject({555, {5, 5, 4}, "Parameters need EHLO", {}, Blame::client});
  if (++transaction.attempts > limits.recipients * kAttemptsPerRecipient) {
    return conversation.finish(
        {421, {4, 7, 0}, "Too many recipients", "recipient limit", Blame::client});
  }
  // RFC 5321 §4.5.3.1.10: those accepted stay accepted.
  if (transaction.envelope.recipients.size() >= limits.recipients)
    return conversation.answer({452, {4, 5, 3}, "Too many recipients", {}, Blame::client});
  if (transaction.envelope.charset == Charset::ascii && !command.recipient.path.is_ascii()) {
    return conversation.reject(
        {553, {5, 6, 7}, "Non-ASCII recipient without SMTPUTF8", {}, Blame::client});
  }
  transaction.candidate = std::move(command.recipient);
  return Action::check_recipient;
}

}  // namespace postern::smtp
