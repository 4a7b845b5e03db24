// APPEND (RFC 3501 §6.3.11), with APPENDUID (RFC 4315). It has no handler in imap/cmd: its message
// goes to the backend while it is read, so it begins when the literal is announced
// (Session::decide_literal).
#include <fmt/format.h>

#include <algorithm>

#include "imap/commands.hpp"
#include "imap/session.hpp"

namespace postern::imap {

Task<Result<void>> Session::receive_message(AppendCommand command) {
  const auto literal = reader_.literal();
  if (literal.size > options_->limits.append) {
    co_return co_await refuse_literal(no("Message too large", "TOOBIG"));
  }
  if (literal.size == 0) co_return co_await refuse_literal(no("Empty message", "CANNOT"));
  auto target = co_await account_->append(std::move(command.name), std::move(command.flags),
                                          command.internal_date, literal.size);
  if (!target) co_return co_await refuse_literal(reply_for_target(target.error()));
  reader_.take();
  auto invited = co_await invite_literal();
  if (!invited) co_return invited;
  co_return co_await stream_message(std::move(*target));
}

// The literal's bytes to the backend, all of them even when it fails. A reply: why it failed.
Task<Result<std::optional<Reply>>> Session::pump_literal(Append& target, std::uint64_t size) {
  std::optional<Reply> failure;
  while (size > 0) {
    if (connection_->input().empty()) {
      const auto more = co_await connection_->fill(options_->timeouts.within_command,
                                                   Connection::Wait::within_command);
      if (!more) co_return std::unexpected(more.error());
      if (!*more) co_return fail(Errc::io, "the peer closed the connection");
    }
    const auto input = connection_->input();
    std::string chunk(
        input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(size, input.size()))));
    connection_->consume(chunk.size());
    size -= chunk.size();
    if (failure) continue;
    if (chunk.contains('\0')) {
      failure = no("NUL is not allowed in a message", "CANNOT");  // RFC 3501 §9, CHAR8
      continue;
    }
    const auto written = co_await target.write(std::move(chunk));
    if (!written) failure = reply_for_target(written.error());
  }
  co_return failure;
}

Task<Result<void>> Session::stream_message(std::unique_ptr<Append> target) {
  const auto* spec = find_command("APPEND");
  const auto pumped = co_await pump_literal(*target, reader_.literal().size);
  if (!pumped) co_return std::unexpected(pumped.error());
  auto failure = *pumped;
  // The rest of the line: nothing is allowed there.
  while (true) {
    const auto step = reader_.consume(connection_->input());
    connection_->consume(step.consumed);
    if (step.event == CommandReader::Event::command) break;
    if (step.event == CommandReader::Event::literal) {
      co_return co_await refuse_literal(bad_reply("One message at a time"));
    }
    if (step.event != CommandReader::Event::need_input) co_return co_await act_on(step.event);
    const auto more = co_await connection_->fill(options_->timeouts.within_command,
                                                 Connection::Wait::within_command);
    if (!more) co_return std::unexpected(more.error());
    if (!*more) co_return fail(Errc::io, "the peer closed the connection");
  }
  if (!reader_.tail().empty()) {
    co_return co_await finish(spec, bad_reply("Nothing expected after the message"));
  }
  if (failure) co_return co_await finish(spec, std::move(*failure));
  const auto placed = co_await target->commit();
  if (!placed) co_return co_await finish(spec, reply_for_target(placed.error()));
  co_return co_await finish(
      spec,
      ok("APPEND completed", fmt::format("APPENDUID {} {}", placed->uid_validity, placed->uid)));
}

}  // namespace postern::imap
