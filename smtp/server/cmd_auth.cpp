// AUTH PLAIN (RFC 4616) and LOGIN (as draft-murchison-sasl-login has it), by RFC 4954.
//
// Credentials live in the SaslState alone; they are wiped once the backend has answered.
#include <openssl/crypto.h>

#include "core/encoding.hpp"
#include "smtp/server/handlers.hpp"

namespace postern::smtp {

namespace {

constexpr std::size_t kMaxLogin = 320;      // a mailbox address
constexpr std::size_t kMaxPassword = 1024;  // Argon2's input is bounded

using Step = SaslState::Step;

Action malformed(Conversation& conversation, std::string text) {
  conversation.sasl() = {};
  conversation.reject({501, {5, 5, 2}, std::move(text), {}, Blame::client});
  return Action::flush;
}

Action challenge(Conversation& conversation, Step step, std::string text) {
  conversation.sasl().step = step;
  conversation.answer({334, {}, std::move(text)});
  return conversation.expect_sasl();
}

bool acceptable(std::string_view text, std::size_t limit) {
  return !text.empty() && text.size() <= limit && text.find('\0') == std::string_view::npos;
}

Action check(Conversation& conversation, std::string_view login, std::string_view password) {
  SaslState& sasl = conversation.sasl();
  sasl.credentials.login = login;
  sasl.credentials.password = password;
  if (acceptable(login, kMaxLogin) && acceptable(password, kMaxPassword))
    return Action::authenticate;
  // Can't be anyone's: refused like a wrong one, its delay included.
  conversation.authenticated(refuse(535, {5, 7, 8}, "Authentication credentials invalid"));
  return Action::again;
}

// authzid NUL authcid NUL passwd. Acting for somebody else is not offered.
Action take_plain(Conversation& conversation, std::string_view message) {
  const auto first = message.find('\0');
  const auto second = first == std::string_view::npos ? first : message.find('\0', first + 1);
  if (second == std::string_view::npos) return malformed(conversation, "Not a PLAIN message");
  const std::string_view authorize = message.substr(0, first);
  const std::string_view login = message.substr(first + 1, second - first - 1);
  const std::string_view password = message.substr(second + 1);
  if (!authorize.empty() && authorize != login) {
    conversation.sasl() = {};
    return conversation.reject(
        {535, {5, 7, 8}, "Authorization identity refused", {}, Blame::client});
  }
  return check(conversation, login, password);
}

Action take_response(Conversation& conversation, std::string_view response) {
  SaslState& sasl = conversation.sasl();
  switch (sasl.step) {
    case Step::plain: return take_plain(conversation, response);
    case Step::login_name:
      sasl.credentials.login = response;
      return challenge(conversation, Step::login_password, "UGFzc3dvcmQ6");  // "Password:"
    case Step::login_password:
      return check(conversation, std::string(sasl.credentials.login), response);
    case Step::none: break;
  }
  return malformed(conversation, "No exchange in progress");
}

Action take_base64(Conversation& conversation, std::string_view text) {
  auto response = base64_decode(text);
  if (!response) return malformed(conversation, "Not base64");
  const Action action = take_response(conversation, *response);
  OPENSSL_cleanse(response->data(), response->size());
  return action;
}

}  // namespace

Action handle_auth(Conversation& conversation, Auth command) {
  if (conversation.info().identity)
    return conversation.reject({503, {5, 5, 1}, "Already authenticated", {}, Blame::client});
  SaslState& sasl = conversation.sasl();
  sasl = {};
  if (command.mechanism == "PLAIN") {
    sasl.step = Step::plain;
    sasl.credentials.mechanism = "PLAIN";
    if (!command.initial) return challenge(conversation, Step::plain, "");
  } else if (command.mechanism == "LOGIN") {
    sasl.step = Step::login_name;
    sasl.credentials.mechanism = "LOGIN";
    if (!command.initial)
      return challenge(conversation, Step::login_name, "VXNlcm5hbWU6");  // "Username:"
  } else {
    return conversation.reject({504, {5, 5, 4}, "Unknown mechanism", {}, Blame::client});
  }
  // "=" is an initial response of no octets (RFC 4954 §4).
  const Action action = take_base64(conversation, *command.initial == "=" ? "" : *command.initial);
  OPENSSL_cleanse(command.initial->data(), command.initial->size());
  return action;
}

Action handle_sasl_line(Conversation& conversation, std::string_view line) {
  if (line == "*") {
    conversation.sasl() = {};
    conversation.reject({501, {5, 7, 0}, "Authentication cancelled", {}, Blame::client});
    return Action::flush;
  }
  return take_base64(conversation, line);
}

}  // namespace postern::smtp
