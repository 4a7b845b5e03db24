// FETCH and UID FETCH, in bounded batches.
#include <algorithm>
#include <unordered_map>

#include "imap/cmd/handlers.hpp"
#include "imap/fetch/responder.hpp"

namespace postern::imap {

namespace {
// RFC 3501 §6.4.5: BODY[...] sets \Seen; the responses then say so.
Task<Result<void>> mark_seen(Session& session, std::vector<std::uint32_t> sequences) {
  auto& view = session.view();
  std::erase_if(sequences, [&](auto n) { return (view.system_flags_at(n) & kSeen) != 0; });
  if (sequences.empty() || view.access() == Access::read_only) co_return Result<void>{};
  Flags seen;
  seen.system = kSeen;
  auto stored = co_await session.account().store_flags(view.id(), view.uids_of(sequences),
                                                       FlagChange::add, std::move(seen));
  if (!stored) co_return std::unexpected(stored.error());
  for (const auto& message : *stored) view.apply_own(message, MailboxView::Tell::yes);
  co_return Result<void>{};
}

/// In order of severity.
enum class Fetched : std::uint8_t { all, some_gone, some_unreadable };

/// How far a batch came, or the reply that ends the command.
using BatchResult = std::expected<Fetched, Reply>;

Task<Result<BatchResult>> fetch_batch(Session& session, FetchResponder& responder, FetchNeeds needs,
                                      std::vector<std::uint32_t> batch) {
  const auto failed = [](const Error& error) {
    return Result<BatchResult>(std::in_place, std::unexpect, reply_for(error));
  };
  auto& view = session.view();
  std::unordered_map<std::uint32_t, MessageData> found;
  if (needs.dates || needs.index) {
    auto data = co_await session.account().fetch(view.id(), view.uids_of(batch),
                                                 needs.index ? Detail::index : Detail::dates);
    if (!data) co_return failed(data.error());
    for (auto& one : *data) found.emplace(one.uid, std::move(one));
  }
  if (needs.seen) {
    const auto marked = co_await mark_seen(session, batch);
    if (!marked) co_return failed(marked.error());
  }
  auto answer = Fetched::all;
  for (const auto sequence : batch) {
    const auto data = found.find(view.uid_at(sequence));
    const bool needed = needs.dates || needs.index;
    if (needed && (data == found.end() || (needs.index && !data->second.index))) {
      answer = std::max(answer, Fetched::some_gone);
      continue;
    }
    const auto done = co_await responder.respond(sequence, needed ? &data->second : nullptr);
    if (!done) co_return std::unexpected(done.error());
    if (!*done) answer = Fetched::some_unreadable;
  }
  co_return Result<BatchResult>(std::in_place, answer);
}
}  // namespace

Task<Outcome> handle_fetch(Session& session, FetchCommand command) {
  const auto sequences = session.view().resolve(command.set, command.numbering);
  if (!sequences) co_return bad_reply("No such message");
  const auto needs = needs_of(command.items);
  FetchResponder responder(session, command);
  auto worst = Fetched::all;
  for (std::size_t i = 0; i < sequences->size(); i += kFetchBatch) {
    const auto first = sequences->begin() + static_cast<std::ptrdiff_t>(i);
    const auto count = std::min(kFetchBatch, sequences->size() - i);
    std::vector<std::uint32_t> batch(first, first + static_cast<std::ptrdiff_t>(count));
    auto fetched = co_await fetch_batch(session, responder, needs, std::move(batch));
    if (!fetched) co_return std::unexpected(fetched.error());
    if (!*fetched) co_return std::move(fetched->error());
    worst = std::max(worst, **fetched);
  }
  if (worst == Fetched::some_unreadable) {
    co_return no("Some of the messages could not be read", "UNAVAILABLE");
  }
  // RFC 3501 §6.4.8: with uids, those that don't exist are no error.
  if (worst == Fetched::some_gone && command.numbering == Numbering::sequence) {
    co_return no("Some of the messages no longer exist", "EXPUNGEISSUED");
  }
  co_return ok("FETCH completed");
}

}  // namespace postern::imap
