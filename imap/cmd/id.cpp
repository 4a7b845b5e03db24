// RFC 2971. What the client says goes to the log, where it helps to explain a client's behaviour.
#include <fmt/format.h>

#include <iterator>

#include "core/log.hpp"
#include "imap/cmd/handlers.hpp"

namespace postern::imap {

Task<Outcome> handle_id(Session& session, IdCommand command) {
  std::string client;
  for (const auto& [name, value] : command.fields) {
    fmt::format_to(std::back_inserter(client), "{}{}={}", client.empty() ? "" : " ", name, value);
  }
  if (!client.empty()) {
    log::debug("imap_client", {{"remote", session.remote()}, {"id", client}});
  }
  session.out() += "* ID (\"name\" \"Postern\")\r\n";
  co_return ok("ID completed");
}

}  // namespace postern::imap
