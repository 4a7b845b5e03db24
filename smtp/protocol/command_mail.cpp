// MAIL FROM and its parameters.
#include <array>
#include <charconv>
#include <utility>

#include "core/ascii.hpp"
#include "message/email_address.hpp"
#include "smtp/protocol/command.hpp"
#include "smtp/protocol/esmtp_params.hpp"
#include "smtp/protocol/xtext.hpp"

namespace postern::smtp {

namespace {

constexpr std::size_t kMaxEnvid = 100;      // RFC 3461 §4.4
constexpr std::size_t kMaxSizeDigits = 20;  // RFC 1870 §4

std::unexpected<Reply> bad(std::string text) { return refuse(501, {5, 5, 4}, std::move(text)); }

// Each parameter at most once: which of two values counts would be anyone's guess.
struct Seen {
  bool size = false;
  bool body = false;
  bool utf8 = false;
  bool ret = false;
  bool envid = false;
  bool auth = false;
};

Outcome<> take_size(std::string_view value, Mail& mail) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), mail.size);
  const bool whole = !value.empty() && end == value.data() + value.size();
  if (value.size() > kMaxSizeDigits || !whole) return bad("Bad SIZE");
  // Beyond 64 bits: larger than any limit.
  if (error == std::errc::result_out_of_range) mail.size = UINT64_MAX;
  return {};
}

Outcome<> take_body(std::string_view value, Mail& mail) {
  if (ascii::iequals(value, "7BIT")) {
    mail.body = Body::seven_bit;
  } else if (ascii::iequals(value, "8BITMIME")) {
    mail.body = Body::eight_bit_mime;
  } else {
    return bad("BODY is 7BIT or 8BITMIME");
  }
  return {};
}

Outcome<> take_ret(std::string_view value, Mail& mail) {
  if (ascii::iequals(value, "FULL")) {
    mail.ret = Ret::full;
  } else if (ascii::iequals(value, "HDRS")) {
    mail.ret = Ret::headers;
  } else {
    return bad("RET is FULL or HDRS");
  }
  return {};
}

Outcome<> take_envid(std::string_view value, Mail& mail) {
  auto envid = decode_xtext(value);
  if (!envid || envid->empty() || value.size() > kMaxEnvid || !message::is_ascii(*envid))
    return bad("Bad ENVID");
  mail.envid = std::move(*envid);
  return {};
}

// RFC 4954 §5: whom the sender vouches for. Checked and forgotten, as nobody here trusts it.
Outcome<> take_auth(std::string_view value, Mail&) {
  if (value.empty() || (value != "<>" && !decode_xtext(value))) return bad("Bad AUTH");
  return {};
}

Outcome<> take_utf8(std::string_view, Mail& mail) {
  mail.charset = Charset::utf8;
  return {};
}

struct Parameter {
  std::string_view keyword;
  bool Seen::* seen;
  Outcome<> (*take)(std::string_view value, Mail& mail);
};
constexpr std::array kParameters{
    Parameter{"SIZE", &Seen::size, take_size}, Parameter{"BODY", &Seen::body, take_body},
    Parameter{"RET", &Seen::ret, take_ret},    Parameter{"ENVID", &Seen::envid, take_envid},
    Parameter{"AUTH", &Seen::auth, take_auth}, Parameter{"SMTPUTF8", &Seen::utf8, take_utf8},
};

Outcome<> take_parameter(const EsmtpParameter& parameter, Mail& mail, Seen& seen) {
  for (const auto& [keyword, given, take] : kParameters) {
    if (!ascii::iequals(parameter.keyword, keyword)) continue;
    if (take == take_utf8 && parameter.has_value) return bad("SMTPUTF8 takes no value");
    if (std::exchange(seen.*given, true)) return bad("Parameter given twice");
    return take(parameter.value, mail);
  }
  return refuse(555, {5, 5, 4}, "Unknown MAIL parameter");
}

// The path after "FROM:", `<>` included. A space before it is common and harmless.
Outcome<std::string_view> take_path(std::string_view arguments, Mail& mail) {
  if (!ascii::istarts_with(arguments, "FROM:")) return bad("Syntax: MAIL FROM:<address>");
  arguments.remove_prefix(5);
  if (arguments.starts_with(' ')) arguments.remove_prefix(1);
  if (arguments.starts_with("<>")) {
    arguments.remove_prefix(2);
  } else {
    auto parsed = parse_path(arguments);
    if (!parsed) return refuse(501, {5, 1, 7}, "Bad sender address syntax");
    mail.return_path = std::move(parsed->path);
    arguments.remove_prefix(parsed->length);
  }
  if (!arguments.empty() && !arguments.starts_with(' '))
    return refuse(501, {5, 1, 7}, "Bad sender address syntax");
  arguments.remove_prefix(arguments.empty() ? 0 : 1);
  return arguments;
}

}  // namespace

std::vector<std::string_view> mail_parameters() {
  std::vector<std::string_view> names;
  names.reserve(kParameters.size());
  for (const auto& parameter : kParameters) names.push_back(parameter.keyword);
  return names;
}

Outcome<Mail> parse_mail(std::string_view arguments) {
  Mail mail;
  const auto parameters = take_path(arguments, mail);
  if (!parameters) return std::unexpected(parameters.error());
  Seen seen;
  if (!parameters->empty()) mail.parameters = Parameters::present;
  const auto taken = for_each_parameter(*parameters, [&](const EsmtpParameter& parameter) {
    return take_parameter(parameter, mail, seen);
  });
  if (!taken) return std::unexpected(taken.error());
  // RFC 6531 §3.5
  if (mail.charset == Charset::ascii && !mail.return_path.is_ascii())
    return refuse(550, {5, 6, 7}, "Non-ASCII sender without SMTPUTF8");
  return mail;
}

}  // namespace postern::smtp
