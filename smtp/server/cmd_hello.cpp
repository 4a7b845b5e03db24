// HELO and EHLO (RFC 5321 §4.1.1.1): who the client says it is, and what this server offers.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "smtp/server/handlers.hpp"

namespace postern::smtp {

namespace {

// RFC 9422: values have six digits at most.
constexpr std::size_t kMaxLimitValue = 999'999;

void greeted(Conversation& conversation, Hello::Verb verb, std::string name) {
  conversation.reset_transaction();  // RFC 5321 §4.1.4: as if by RSET
  conversation.info().hello = {verb, std::move(name)};
}

std::string greeting(const Conversation& conversation) {
  return fmt::format("{} greets {}", conversation.config().hostname,
                     conversation.info().remote.address().to_string());
}

}  // namespace

Action handle_helo(Conversation& conversation, Helo command) {
  greeted(conversation, Hello::Verb::helo, std::move(command.name));
  return conversation.answer({250, {}, greeting(conversation)});
}

Action handle_ehlo(Conversation& conversation, Ehlo command) {
  greeted(conversation, Hello::Verb::ehlo, std::move(command.name));
  const SessionInfo& info = conversation.info();
  const Limits& limits = conversation.limits();
  std::string text = greeting(conversation);
  fmt::format_to(std::back_inserter(text), "\nPIPELINING\nSIZE {}\n8BITMIME\nSMTPUTF8",
                 limits.text.message);
  text += "\nENHANCEDSTATUSCODES\nCHUNKING\nDSN";
  if (conversation.config().tls && !info.tls.active()) text += "\nSTARTTLS";
  if (info.kind != Kind::mx && !info.identity && conversation.login_allowed())
    text += "\nAUTH PLAIN LOGIN";
  fmt::format_to(std::back_inserter(text), "\nLIMITS MAILMAX={} RCPTMAX={}\nHELP",
                 std::min(limits.messages, kMaxLimitValue),
                 std::min(limits.recipients, kMaxLimitValue));
  return conversation.answer({250, {}, std::move(text)});
}

}  // namespace postern::smtp
