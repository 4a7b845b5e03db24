// BDAT (RFC 3030 §2): exactly `size` octets follow, whatever the answer.
#include "smtp/server/handlers.hpp"

namespace postern::smtp {

Action handle_bdat(Conversation& conversation, Bdat command) {
  const Transaction& transaction = conversation.transaction();
  std::optional<Reply> refusal;
  if (!transaction.open) {
    refusal = Reply{503, {5, 5, 1}, "MAIL first", {}, Blame::client};
  } else if (transaction.envelope.recipients.empty()) {
    refusal = transaction.attempts == 0
                  ? Reply{503, {5, 5, 1}, "RCPT first", {}, Blame::client}
                  : Reply{554, {5, 5, 1}, "No valid recipients", {}, Blame::client};
  }
  // An empty chunk that ends nothing moves nothing forward.
  auto& idle_commands = conversation.connection().idle_commands;
  if (command.size == 0 && command.chunk == Chunk::more &&
      ++idle_commands > conversation.limits().idle_commands) {
    return conversation.finish(
        {421, {4, 7, 0}, "Too many empty chunks", "idle limit", Blame::client});
  }
  return conversation.begin_chunk(command, std::move(refusal));
}

}  // namespace postern::smtp
