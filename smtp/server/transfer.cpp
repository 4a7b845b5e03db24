// The part of a conversation in which a message's octets arrive: DATA and BDAT.
//
// A message that is refused on its way is read to its true end first, then answered; its sink is
// dropped at once. One fault anywhere loses the whole message.
#include <fmt/format.h>

#include <algorithm>

#include "core/log.hpp"
#include "smtp/server/conversation.hpp"
#include "smtp/server/server_metrics.hpp"

namespace postern::smtp {

namespace {

constexpr std::size_t kFirstReservation = 16384;

Reply fault_reply(Fault fault, const TextLimits& limits) {
  switch (fault) {
    case Fault::bare_cr:
      return {550, {5, 6, 11}, "Bare CR in message: lines end with CRLF", {}, Blame::client};
    case Fault::bare_lf:
      return {550, {5, 6, 11}, "Bare LF in message: lines end with CRLF", {}, Blame::client};
    case Fault::nul: return {554, {5, 6, 0}, "NUL in message", {}, Blame::client};
    case Fault::line_too_long:
      return {554,
              {5, 6, 0},
              fmt::format("Line longer than {} octets", limits.line),
              {},
              Blame::client};
    case Fault::header_too_large:
      return {552,
              {5, 3, 4},
              fmt::format("Header larger than {} octets", limits.header),
              {},
              Blame::client};
    case Fault::too_many_fields:
      return {554,
              {5, 6, 0},
              fmt::format("More than {} header fields", limits.fields),
              {},
              Blame::client};
    case Fault::message_too_large:
    case Fault::none: break;
  }
  return {552,
          {5, 3, 4},
          fmt::format("Message larger than {} octets", limits.message),
          {},
          Blame::client};
}

Reply no_memory() {
  return {452,
          {4, 3, 1},
          "Busy receiving other messages, try again",
          "byte budget spent",
          Blame::server};
}

}  // namespace

Action Conversation::begin_transfer(Transaction::Transfer transfer) {
  transaction_.transfer = transfer;
  transaction_.text = TextDecoder(limits().text);
  transaction_.memory = ByteBudget::Reservation(config_->budget);
  const auto declared = std::min<std::uint64_t>(envelope().declared_size, limits().set_aside);
  const auto first =
      std::min(limits().set_aside, std::max<std::size_t>(kFirstReservation, declared));
  if (!transaction_.memory.grow_to(first)) {
    message_begun(refuse(no_memory()));
    return Action::again;
  }
  return Action::begin_message;
}

void Conversation::message_begun(Outcome<std::unique_ptr<MessageSink>> outcome) {
  const bool chunks = transaction_.transfer == Transaction::Transfer::chunks;
  mode_ = chunks ? Mode::chunk : Mode::command;
  if (!outcome) {
    reset_transaction();
    if (chunks) {
      chunk_.refusal = std::move(outcome.error());
    } else {
      reject(std::move(outcome.error()));
    }
    return;
  }
  transaction_.sink = std::move(*outcome);
  if (chunks) return;
  mode_ = Mode::data;
  answer({354, {}, "Send the message, end with CRLF.CRLF"});
}

Action Conversation::begin_chunk(const Bdat& bdat, std::optional<Reply> refusal) {
  chunk_ = {bdat.size, bdat.size, bdat.chunk, std::move(refusal)};
  mode_ = Mode::chunk;
  if (chunk_.refusal || transaction_.transfer == Transaction::Transfer::chunks)
    return Action::again;
  return begin_transfer(Transaction::Transfer::chunks);
}

void Conversation::fail(Reply reply) {
  if (transaction_.failure) return;
  transaction_.failure = std::move(reply);
  transaction_.sink.reset();
  transaction_.memory = {};
}

// The gravest fault is the answer, even when a lesser one (or the sink) had refused before.
bool Conversation::note_fault() {
  const Fault fault = transaction_.text.fault();
  if (fault == Fault::none) return false;
  fail({});
  transaction_.failure = fault_reply(fault, limits().text);
  return true;
}

Action Conversation::absorb(std::string_view text) {
  if (note_fault() || transaction_.failure || text.empty()) return Action::again;
  const auto wanted = std::min<std::uint64_t>(transaction_.text.size(), limits().set_aside);
  if (!transaction_.memory.grow_to(static_cast<std::size_t>(wanted))) {
    fail(no_memory());
    return Action::again;
  }
  piece_ = text;
  return Action::append;
}

void Conversation::appended(Outcome<> outcome) {
  piece_ = {};
  if (!outcome) fail(std::move(outcome.error()));
}

Action Conversation::data_step() {
  if (transaction_.ended) return complete();
  if (input_.empty()) return Action::need_input;
  const auto piece = transaction_.text.next_data(input_.pending());
  input_.consume(piece.consumed);
  transaction_.ended = piece.end;
  return absorb(piece.text);
}

Action Conversation::chunk_step() {
  if (chunk_.left == 0) return chunk_done();
  if (input_.empty()) return Action::need_input;
  const auto pending = input_.pending();
  const auto part =
      pending.first(static_cast<std::size_t>(std::min<std::uint64_t>(chunk_.left, pending.size())));
  chunk_.left -= part.size();
  input_.consume(part.size());
  if (chunk_.refusal) return Action::again;
  return absorb(transaction_.text.next_chunk(part).text);
}

Action Conversation::chunk_done() {
  mode_ = Mode::command;
  const ChunkState chunk = std::exchange(chunk_, {});
  if (chunk.refusal) return reject(*chunk.refusal);
  if (chunk.chunk == Chunk::last) transaction_.text.finish();
  if (note_fault() || transaction_.failure || chunk.chunk == Chunk::last) return complete();
  return answer({250, {2, 0, 0}, fmt::format("{} octets received", chunk.size)});
}

// The message's end, or a failed chunk's: what has no failure yet is the backend's to decide.
Action Conversation::complete() {
  mode_ = Mode::command;
  if (!transaction_.failure) return Action::commit;
  set_message_refused(std::move(*transaction_.failure));
  return Action::again;
}

void Conversation::set_message_refused(Reply reply) {
  server_metrics::message(server_metrics::Outcome::refused, 0);
  log::info("smtp.message_refused", {{"session", info_.id},
                                     {"code", reply.code},
                                     {"text", reply.text},
                                     {"cause", reply.cause},
                                     {"size", transaction_.text.size()}});
  reset_transaction();
  // Counted like any refusal, but never turned into 421: the client has to learn of its message.
  if (reply.permanent()) ++connection_.errors;
  answer(reply);
}

void Conversation::committed(Reply reply) {
  if (!reply.positive()) {
    set_message_refused(std::move(reply));
    return;
  }
  server_metrics::message(server_metrics::Outcome::accepted, transaction_.text.size());
  reset_transaction();
  ++connection_.accepted;
  connection_.errors = connection_.idle_commands = 0;
  answer(reply);
}

}  // namespace postern::smtp
