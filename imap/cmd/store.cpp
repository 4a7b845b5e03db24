#include <algorithm>

#include "imap/cmd/handlers.hpp"

namespace postern::imap {

namespace {
constexpr std::size_t kStoreBatch = 1000;  // messages a write, so that others get their turn

// Takes the new flags into the view; true when all of the batch still existed.
bool take_result(MailboxView& view, const std::vector<Message>& stored, const StoreCommand& command,
                 std::size_t asked) {
  for (const auto& message : stored) {
    auto tell = MailboxView::Tell::yes;
    const auto sequence = view.sequence_of(message.uid);
    if (command.reporting == StoreCommand::Reporting::silent && sequence) {
      // RFC 3501 §6.4.6: silence only about what the client can work out itself.
      const auto expected = apply_flags(view.flags_at(*sequence), command.how, command.flags);
      if (expected == message.flags) tell = MailboxView::Tell::no;
    }
    view.apply_own(message, tell);
  }
  return stored.size() == asked;
}
}  // namespace

Task<Outcome> handle_store(Session& session, StoreCommand command) {
  auto& view = session.view();
  if (view.access() == Access::read_only) co_return no("Mailbox is read-only", "READ-ONLY");
  const auto sequences = view.resolve(command.set, command.numbering);
  if (!sequences) co_return bad_reply("No such message");
  const auto uids = view.uids_of(*sequences);
  bool all_there = true;
  for (std::size_t i = 0; i < uids.size(); i += kStoreBatch) {
    const auto first = uids.begin() + static_cast<std::ptrdiff_t>(i);
    const auto count = std::min(kStoreBatch, uids.size() - i);
    std::vector<std::uint32_t> batch(first, first + static_cast<std::ptrdiff_t>(count));
    auto stored = co_await session.account().store_flags(view.id(), std::move(batch), command.how,
                                                         command.flags);
    if (!stored) co_return reply_for(stored.error());
    if (!take_result(view, *stored, command, count)) all_there = false;
  }
  // RFC 3501 §6.4.8: uids that don't exist are no error.
  if (!all_there && command.numbering == Numbering::sequence) {
    co_return no("Some of the messages no longer exist", "EXPUNGEISSUED");
  }
  co_return ok("STORE completed");
}

}  // namespace postern::imap
