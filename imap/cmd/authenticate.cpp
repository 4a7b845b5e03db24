// AUTHENTICATE PLAIN (RFC 4616) and LOGIN (two prompts), with SASL-IR (RFC 4959).
//
// Responses are wiped once they have been read, the password by check_credentials().
#include <expected>
#include <optional>
#include <utility>

#include "core/crypto.hpp"
#include "core/encoding.hpp"
#include "imap/cmd/handlers.hpp"
#include "imap/wire/utf8.hpp"

namespace postern::imap {

namespace {
constexpr std::size_t kMaxResponse = 4096;  // bytes of base64

struct Credentials {
  std::string login;
  std::string password;
};

/// A step of the exchange: what the client gave, or why the exchange is over.
template <class T>
using Step = std::expected<T, Reply>;

template <class T>
Result<Step<T>> over(Reply reply) {
  return Result<Step<T>>(std::in_place, std::unexpect, std::move(reply));
}

template <class T>
Result<Step<T>> given(T value) {
  return Result<Step<T>>(std::in_place, std::in_place, std::move(value));
}

// One client response, after a prompt.
Task<Result<Step<std::string>>> ask(Session& session, std::string prompt) {
  session.out() += "+ " + base64_encode(prompt) + "\r\n";
  auto flushed = co_await session.connection().flush();
  if (!flushed) co_return std::unexpected(flushed.error());
  auto line =
      co_await session.connection().read_line(kMaxResponse, session.options().timeouts.login);
  if (!line) {
    if (line.error().code == Errc::too_large) {
      session.end_with("Response too long");
      co_return over<std::string>(bad_reply("Response too long"));
    }
    if (line.error().code == Errc::invalid) {
      co_return over<std::string>(bad_reply("Lines end with CR LF"));
    }
    co_return std::unexpected(line.error());
  }
  if (*line == "*") co_return over<std::string>(bad_reply("Authentication cancelled"));
  auto decoded = base64_decode(*line);
  crypto::wipe(*line);
  if (!decoded) co_return over<std::string>(bad_reply("Not base64"));
  co_return given<std::string>(std::move(*decoded));
}

Step<Credentials> read_plain(std::string_view message) {
  const auto first = message.find('\0');
  const auto second = first == std::string_view::npos ? first : message.find('\0', first + 1);
  if (second == std::string_view::npos ||
      message.find('\0', second + 1) != std::string_view::npos || !is_well_formed_utf8(message)) {
    return std::unexpected(bad_reply("Not a PLAIN response"));
  }
  const auto identity = message.substr(0, first);
  Credentials out{std::string(message.substr(first + 1, second - first - 1)),
                  std::string(message.substr(second + 1))};
  if (out.login.empty() || out.password.empty()) {
    return std::unexpected(bad_reply("Not a PLAIN response"));
  }
  if (!identity.empty() && identity != out.login) {
    return std::unexpected(no("Acting for someone else isn't possible", "AUTHORIZATIONFAILED"));
  }
  return out;
}

Step<std::optional<std::string>> initial(const AuthenticateCommand& command) {
  if (!command.initial_response) return std::nullopt;
  if (*command.initial_response == "=") return std::string();
  auto decoded = base64_decode(*command.initial_response);
  if (!decoded) return std::unexpected(bad_reply("Not base64"));
  return std::move(*decoded);
}

using Exchange = Result<Step<Credentials>>;

Task<Exchange> plain(Session& session, std::optional<std::string> response) {
  if (!response) {
    auto answer = co_await ask(session, "");
    if (!answer) co_return std::unexpected(answer.error());
    if (!*answer) co_return over<Credentials>(std::move(answer->error()));
    response = std::move(**answer);
  }
  auto read = read_plain(*response);
  crypto::wipe(*response);
  if (!read) co_return over<Credentials>(std::move(read.error()));
  co_return given<Credentials>(std::move(*read));
}

Task<Exchange> login(Session& session, std::optional<std::string> user) {
  if (!user) {
    auto answer = co_await ask(session, "User Name");
    if (!answer) co_return std::unexpected(answer.error());
    if (!*answer) co_return over<Credentials>(std::move(answer->error()));
    user = std::move(**answer);
  }
  auto answer = co_await ask(session, "Password");
  if (!answer) co_return std::unexpected(answer.error());
  if (!*answer) co_return over<Credentials>(std::move(answer->error()));
  Credentials out{std::move(*user), std::move(**answer)};
  if (out.login.contains('\0') || out.password.contains('\0')) {
    co_return over<Credentials>(bad_reply("NUL in a response"));
  }
  co_return given<Credentials>(std::move(out));
}
}  // namespace

Task<Outcome> handle_authenticate(Session& session, AuthenticateCommand command) {
  if (session.plaintext_refused()) co_return no("TLS is required first", "PRIVACYREQUIRED");
  const bool is_plain = command.mechanism == "PLAIN";
  if (!is_plain && command.mechanism != "LOGIN") co_return no("Unknown mechanism", "CANNOT");
  auto first = initial(command);
  if (command.initial_response) crypto::wipe(*command.initial_response);
  if (!first) co_return std::move(first.error());
  Task<Exchange> exchange =
      is_plain ? plain(session, std::move(*first)) : login(session, std::move(*first));
  auto credentials = co_await std::move(exchange);
  if (!credentials) co_return std::unexpected(credentials.error());
  if (!*credentials) co_return std::move(credentials->error());
  auto& pair = **credentials;
  co_return co_await check_credentials(session, std::move(pair.login), std::move(pair.password));
}

}  // namespace postern::imap
