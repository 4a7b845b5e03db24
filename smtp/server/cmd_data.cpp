// DATA (RFC 5321 §4.1.1.4): the backend begins a message, 354, then transfer.cpp.
#include "smtp/server/handlers.hpp"

namespace postern::smtp {

Action handle_data(Conversation& conversation, Data) {
  const Transaction& transaction = conversation.transaction();
  if (!transaction.open)
    return conversation.reject({503, {5, 5, 1}, "MAIL first", {}, Blame::client});
  // RFC 3030 §2: never both in one transaction.
  if (transaction.transfer != Transaction::Transfer::none)
    return conversation.reject({503, {5, 5, 1}, "DATA after BDAT", {}, Blame::client});
  if (transaction.envelope.recipients.empty()) {
    if (transaction.attempts == 0)
      return conversation.reject({503, {5, 5, 1}, "RCPT first", {}, Blame::client});
    // A pipelining client couldn't know: its refused recipients were the errors, this isn't
    // another.
    return conversation.answer({554, {5, 5, 1}, "No valid recipients", {}, Blame::client});
  }
  return conversation.begin_transfer(Transaction::Transfer::data);
}

}  // namespace postern::smtp
