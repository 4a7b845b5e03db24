#include <fmt/format.h>

#include <iterator>

#include "imap/cmd/handlers.hpp"

namespace postern::imap {

Task<Outcome> handle_starttls(Session& session, NoArguments) {
  if (session.connection().stream().is_tls()) co_return bad_reply("TLS is active already");
  if (!session.can_start_tls()) co_return no("No TLS here", "UNAVAILABLE");
  fmt::format_to(std::back_inserter(session.out()), "{} OK Begin TLS negotiation now\r\n",
                 session.tag());
  auto flushed = co_await session.connection().flush();
  if (!flushed) co_return std::unexpected(flushed.error());
  // What a man in the middle appended to the command is dropped here, before it can run.
  auto secured = co_await session.start_tls();
  if (!secured) co_return std::unexpected(secured.error());
  co_return Reply{Reply::Condition::sent, {}, {}};
}

}  // namespace postern::imap
