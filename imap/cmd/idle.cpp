// RFC 2177: news as it comes, until the client says DONE. No polling: the session sleeps until
// input arrives or the store gives notice.
#include "core/ascii.hpp"
#include "imap/cmd/handlers.hpp"

namespace postern::imap {

namespace {
constexpr std::size_t kMaxDone = 64;  // bytes of the line that should be DONE
}

Task<Outcome> handle_idle(Session& session, NoArguments) {
  auto& connection = session.connection();
  session.out() += "+ idling\r\n";
  co_await session.refresh(Session::Ask::always);
  while (true) {
    session.write_updates(ExpungePolicy::allow, Numbering::sequence);
    auto flushed = co_await connection.flush();
    if (!flushed) co_return std::unexpected(flushed.error());
    if (connection.input_ready()) break;
    auto woken = co_await connection.wait_for_news(session.options().timeouts.idle);
    if (!woken) co_return std::unexpected(woken.error());
    const bool valid = co_await session.still_valid();
    if (!valid) {
      session.end_with("[UNAVAILABLE] This login is no longer valid");
      co_return bad_reply("IDLE ended");
    }
    co_await session.refresh(Session::Ask::if_noticed);
  }
  const auto line =
      co_await connection.read_line(kMaxDone, session.options().timeouts.within_command);
  if (!line && line.error().code == Errc::invalid) co_return bad_reply("Lines end with CR LF");
  if (!line) co_return std::unexpected(line.error());
  if (!ascii::iequals(*line, "DONE")) co_return bad_reply("Expected DONE");
  co_return ok("IDLE completed");
}

}  // namespace postern::imap
