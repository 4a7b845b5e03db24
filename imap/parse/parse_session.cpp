// Commands of the connection and of logging in.
#include "core/ascii.hpp"
#include "imap/parse/parsers.hpp"

namespace postern::imap {

namespace {
constexpr std::size_t kMaxIdFields = 30;      // RFC 2971 §3.3
constexpr std::size_t kMaxIdName = 30;        // bytes, RFC 2971 §3.3
constexpr std::size_t kMaxIdValue = 1024;     // bytes, RFC 2971 §3.3
constexpr std::size_t kMaxEnable = 50;        // extensions a command
constexpr std::size_t kMaxCredential = 1024;  // bytes of a user name or a password
}  // namespace

std::unexpected<ParseError> bad(std::string text) {
  return std::unexpected(ParseError{{}, std::move(text)});
}

Parsed parse_no_arguments(Scanner& in) {
  if (!in.at_end()) return bad("No arguments expected");
  return NoArguments{};
}

Parsed parse_id(Scanner& in) {
  IdCommand out;
  if (!in.space()) return bad("Expected a list or NIL");
  if (in.keyword("NIL")) {
    if (!in.at_end()) return bad("Nothing expected after NIL");
    return out;
  }
  if (!in.accept('(')) return bad("Expected a list or NIL");
  while (!in.accept(')')) {
    if (!out.fields.empty() && !in.space()) return bad("Expected a space between fields");
    auto name = in.string();
    if (!name || name->size() > kMaxIdName || !in.space()) return bad("Bad field name");
    auto value = in.nstring();
    if (!value || value->size() > kMaxIdValue) return bad("Bad field value");
    if (out.fields.size() == kMaxIdFields) return bad("Too many fields");
    out.fields.emplace_back(std::move(*name), std::move(*value));
  }
  if (!in.at_end()) return bad("Nothing expected after the list");
  return out;
}

Parsed parse_enable(Scanner& in) {
  EnableCommand out;
  do {
    if (!in.space()) return bad("Expected names of extensions");
    const auto name = in.atom();
    if (!name || out.extensions.size() == kMaxEnable) return bad("Bad name of an extension");
    out.extensions.push_back(ascii::to_upper(*name));
  } while (!in.at_end());
  return out;
}

Parsed parse_login(Scanner& in) {
  if (!in.space()) return bad("Expected a user name");
  auto user = in.astring();
  if (!user || user->size() > kMaxCredential || !in.space()) return bad("Bad user name");
  auto password = in.astring();
  if (!password || password->size() > kMaxCredential) return bad("Bad password");
  if (!in.at_end()) return bad("Nothing expected after the password");
  return LoginCommand{std::move(*user), std::move(*password)};
}

Parsed parse_authenticate(Scanner& in) {
  if (!in.space()) return bad("Expected a mechanism");
  const auto mechanism = in.atom();
  if (!mechanism) return bad("Bad mechanism");
  AuthenticateCommand out{ascii::to_upper(*mechanism), std::nullopt};
  if (in.space()) {
    // RFC 4959 §3: base64, or "=" for an empty response. Checked when it is decoded.
    const auto response = in.rest();
    if (response.empty() || response.contains(' ')) return bad("Bad initial response");
    out.initial_response = std::string(response);
    return out;
  }
  if (!in.at_end()) return bad("Expected a space before the initial response");
  return out;
}

}  // namespace postern::imap
