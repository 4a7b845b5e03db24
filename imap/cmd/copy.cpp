// COPY, and MOVE (RFC 6851), with COPYUID (RFC 4315).
#include <fmt/format.h>

#include <iterator>

#include "imap/cmd/handlers.hpp"
#include "imap/wire/encoder.hpp"

namespace postern::imap {

namespace {
std::string copyuid(const CopyResult& result) {
  std::vector<std::uint32_t> from;
  std::vector<std::uint32_t> targets;
  from.reserve(result.uids.size());
  targets.reserve(result.uids.size());
  for (const auto& [source, target] : result.uids) {
    from.push_back(source);
    targets.push_back(target);
  }
  std::string out = fmt::format("COPYUID {} ", result.uid_validity);
  append_number_set(out, from);
  out += ' ';
  append_number_set(out, targets);
  return out;
}
}  // namespace

Task<Outcome> handle_copy(Session& session, CopyCommand command) {
  auto& view = session.view();
  const bool move = command.kind == CopyCommand::Kind::move;
  if (move && view.access() == Access::read_only) co_return no("Mailbox is read-only", "READ-ONLY");
  const auto sequences = view.resolve(command.set, command.numbering);
  if (!sequences) co_return bad_reply("No such message");
  if (sequences->empty()) co_return ok("No messages");
  auto uids = view.uids_of(*sequences);
  auto& account = session.account();
  Task<Result<CopyResult>> work = move ? account.move(view.id(), std::move(uids), command.target)
                                       : account.copy(view.id(), std::move(uids), command.target);
  const auto result = co_await std::move(work);
  if (!result) co_return reply_for_target(result.error());
  if (result->uids.empty()) co_return no("The messages no longer exist", "EXPUNGEISSUED");
  auto code = copyuid(*result);
  if (!move) co_return ok("COPY completed", std::move(code));
  // RFC 6851 §4.3: COPYUID comes untagged, before the EXPUNGE responses.
  session.out() += fmt::format("* OK [{}] Moved\r\n", code);
  std::vector<std::uint32_t> moved;
  for (const auto& pair : result->uids) moved.push_back(pair.first);
  view.note_expunged(moved);
  co_return ok("MOVE completed");
}

}  // namespace postern::imap
