// SMTP commands as plain values, and the parsers that make them from a command's argument text.
//
// Input: what stands after the verb, without CRLF, at most a command line long, any octets but CR,
// LF and NUL (the decoder refuses those). Nothing here knows a session: what depends on it (may
// parameters be used, is UTF-8 allowed) is checked by the handlers.
// Standards: RFC 5321 §4.1.1, RFC 1870, RFC 3030, RFC 3207, RFC 3461, RFC 4954, RFC 6152, RFC 6531.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "smtp/protocol/envelope.hpp"
#include "smtp/protocol/reply.hpp"

namespace postern::smtp {

struct Helo {
  std::string name;
};
struct Ehlo {
  std::string name;
};

enum class Parameters : std::uint8_t { absent, present };

struct Mail {
  Path return_path;
  std::uint64_t size = 0;
  Body body = Body::seven_bit;
  Charset charset = Charset::ascii;
  Ret ret = Ret::unspecified;
  std::string envid;
  Parameters parameters = Parameters::absent;  ///< any ESMTP parameter: EHLO only
};

struct Rcpt {
  Recipient recipient;
  Parameters parameters = Parameters::absent;
};

enum class Chunk : std::uint8_t { more, last };

struct Bdat {
  std::uint64_t size = 0;
  Chunk chunk = Chunk::more;
};

struct Data {};
struct Rset {};
struct Noop {};
struct Quit {};
struct Help {};
struct StartTls {};
struct Expn {};
struct Vrfy {};

struct Auth {
  std::string mechanism;               ///< upper case
  std::optional<std::string> initial;  ///< the initial response, still base64; "=" kept as given
};

/// A command line split: the verb in upper case, the argument without surrounding spaces.
struct Verb {
  std::string name;
  std::string_view arguments;
};
Verb split_verb(std::string_view line);

Outcome<Helo> parse_helo(std::string_view arguments);
Outcome<Ehlo> parse_ehlo(std::string_view arguments);
Outcome<Mail> parse_mail(std::string_view arguments);
Outcome<Rcpt> parse_rcpt(std::string_view arguments);
Outcome<Data> parse_data(std::string_view arguments);
Outcome<Bdat> parse_bdat(std::string_view arguments);
Outcome<Rset> parse_rset(std::string_view arguments);
Outcome<Noop> parse_noop(std::string_view arguments);
Outcome<Quit> parse_quit(std::string_view arguments);
Outcome<Help> parse_help(std::string_view arguments);
Outcome<Vrfy> parse_vrfy(std::string_view arguments);
Outcome<Expn> parse_expn(std::string_view arguments);
Outcome<StartTls> parse_starttls(std::string_view arguments);
Outcome<Auth> parse_auth(std::string_view arguments);

/// The keywords that parse_mail and parse_rcpt take, upper case.
std::vector<std::string_view> mail_parameters();
std::vector<std::string_view> rcpt_parameters();

}  // namespace postern::smtp
