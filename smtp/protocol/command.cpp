#include "smtp/protocol/command.hpp"

#include <charconv>

#include "core/ascii.hpp"
#include "message/email_address.hpp"

namespace postern::smtp {

namespace {

constexpr std::size_t kMaxVerb = 16;
constexpr std::size_t kMaxHelloName = 255;

std::unexpected<Reply> syntax(std::string text) { return refuse(501, {5, 5, 4}, std::move(text)); }

// A verb that takes no argument (RFC 5321 §4.3.2 asks for 501 then).
template <class Command>
Outcome<Command> no_arguments(std::string_view arguments) {
  if (!arguments.empty()) return syntax("No argument allowed");
  return Command{};
}

// Hosts call themselves all sorts of things. What could forge a trace field or a log line is out:
// letters, digits, and the few marks that names and address literals have (plus '_', widely used).
bool is_hello_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxHelloName) return false;
  if (name.starts_with('[')) return is_address_literal(name);
  for (const char c : name) {
    if (!ascii::is_alnum(c) && c != '.' && c != '-' && c != '_' &&
        static_cast<unsigned char>(c) < 0x80)
      return false;
  }
  return message::is_utf8(name);
}

bool is_sasl_text(std::string_view text) {
  for (const char c : text) {
    if (!ascii::is_alnum(c) && c != '+' && c != '/' && c != '=') return false;
  }
  return !text.empty();
}

bool is_mechanism(std::string_view text) {  // RFC 4422 §3.1
  if (text.empty() || text.size() > 20) return false;
  for (const char c : text) {
    if (!ascii::is_alnum(c) && c != '-' && c != '_') return false;
  }
  return true;
}

}  // namespace

Verb split_verb(std::string_view line) {
  const auto end = std::min(line.find(' '), line.size());
  Verb verb{ascii::to_upper(line.substr(0, std::min(end, kMaxVerb))), line.substr(end)};
  // Trailing space is tolerated (RFC 5321 §4.1.1); a run of leading ones isn't worth an error.
  const auto first = verb.arguments.find_first_not_of(' ');
  if (first == std::string_view::npos) return {std::move(verb.name), {}};
  verb.arguments = verb.arguments.substr(first, verb.arguments.find_last_not_of(' ') - first + 1);
  return verb;
}

Outcome<Helo> parse_helo(std::string_view arguments) {
  if (!is_hello_name(arguments)) return syntax("Syntax: HELO hostname");
  return Helo{std::string(arguments)};
}

Outcome<Ehlo> parse_ehlo(std::string_view arguments) {
  if (!is_hello_name(arguments)) return syntax("Syntax: EHLO hostname");
  return Ehlo{std::string(arguments)};
}

Outcome<Bdat> parse_bdat(std::string_view arguments) {
  const std::string_view usage = "Syntax: BDAT size [LAST]";
  const auto space = arguments.find(' ');
  const std::string_view digits = arguments.substr(0, space);
  Bdat bdat;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), bdat.size);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size())
    return syntax(std::string(usage));
  if (space != std::string_view::npos) {
    if (!ascii::iequals(arguments.substr(space + 1), "LAST")) return syntax(std::string(usage));
    bdat.chunk = Chunk::last;
  }
  return bdat;
}

Outcome<Auth> parse_auth(std::string_view arguments) {
  const auto space = std::min(arguments.find(' '), arguments.size());
  const std::string_view mechanism = arguments.substr(0, space);
  if (!is_mechanism(mechanism)) return syntax("Syntax: AUTH mechanism [initial-response]");
  Auth auth{ascii::to_upper(mechanism), std::nullopt};
  if (space < arguments.size()) {
    const std::string_view initial = arguments.substr(space + 1);
    if (!is_sasl_text(initial)) return refuse(501, {5, 5, 2}, "Initial response is not base64");
    auth.initial = std::string(initial);
  }
  return auth;
}

Outcome<Vrfy> parse_vrfy(std::string_view arguments) {
  if (arguments.empty()) return syntax("Syntax: VRFY address");
  return Vrfy{};
}

Outcome<Expn> parse_expn(std::string_view arguments) {
  if (arguments.empty()) return syntax("Syntax: EXPN list");
  return Expn{};
}

// NOOP and HELP may have an argument, which means nothing here (RFC 5321 §4.1.1.8, §4.1.1.9).
Outcome<Noop> parse_noop(std::string_view) { return Noop{}; }
Outcome<Help> parse_help(std::string_view) { return Help{}; }
Outcome<Data> parse_data(std::string_view arguments) { return no_arguments<Data>(arguments); }
Outcome<Rset> parse_rset(std::string_view arguments) { return no_arguments<Rset>(arguments); }
Outcome<Quit> parse_quit(std::string_view arguments) { return no_arguments<Quit>(arguments); }
Outcome<StartTls> parse_starttls(std::string_view arguments) {
  return no_arguments<StartTls>(arguments);
}

}  // namespace postern::smtp
