// RCPT TO and its parameters.
#include <array>

#include "core/ascii.hpp"
#include "message/email_address.hpp"
#include "smtp/protocol/command.hpp"
#include "smtp/protocol/esmtp_params.hpp"
#include "smtp/protocol/xtext.hpp"

namespace postern::smtp {

namespace {

constexpr std::size_t kMaxOrcpt = 500;  // RFC 3461 §4.2
constexpr std::size_t kMaxNotifyWords = 3;

std::unexpected<Reply> bad(std::string text) { return refuse(501, {5, 5, 4}, std::move(text)); }

Outcome<> take_notify_word(std::string_view word, Notify& notify) {
  bool* flag = ascii::iequals(word, "SUCCESS")   ? &notify.success
               : ascii::iequals(word, "FAILURE") ? &notify.failure
               : ascii::iequals(word, "DELAY")   ? &notify.delay
                                                 : nullptr;
  if (flag == nullptr || *flag) return bad("Bad NOTIFY");
  *flag = true;
  return {};
}

// NEVER alone, or a list of the others (RFC 3461 §4.1).
Outcome<> take_notify(std::string_view value, Notify& notify) {
  if (notify.given()) return bad("NOTIFY given twice");
  if (ascii::iequals(value, "NEVER")) {
    notify.never = true;
    return {};
  }
  for (std::size_t words = 0; words < kMaxNotifyWords; ++words) {
    const auto comma = value.find(',');
    if (auto taken = take_notify_word(value.substr(0, comma), notify); !taken) return taken;
    if (comma == std::string_view::npos) return {};
    value.remove_prefix(comma + 1);
  }
  return bad("Bad NOTIFY");
}

bool is_address_type(std::string_view type) {
  for (const char c : type) {
    if (!ascii::is_alnum(c) && c != '-') return false;
  }
  return !type.empty() && type.size() <= 32;
}

// RFC 6533 §3: under SMTPUTF8 an address of type utf-8 may stand there unencoded.
std::optional<std::string> decode_original(std::string_view type, std::string_view text) {
  if (ascii::iequals(type, "utf-8") && !message::is_ascii(text)) {
    return message::is_utf8(text) ? std::optional(std::string(text)) : std::nullopt;
  }
  return decode_xtext(text);
}

Outcome<> take_orcpt(std::string_view value, Recipient& recipient) {
  if (recipient.original) return bad("ORCPT given twice");
  const auto semicolon = value.find(';');
  if (semicolon == std::string_view::npos || value.size() > kMaxOrcpt) return bad("Bad ORCPT");
  const std::string_view type = value.substr(0, semicolon);
  auto address = decode_original(type, value.substr(semicolon + 1));
  if (!is_address_type(type) || !address || address->empty()) return bad("Bad ORCPT");
  recipient.original = OriginalRecipient{std::string(type), std::move(*address)};
  return {};
}

// `<postmaster>` without a domain is this host's (RFC 5321 §4.1.1.3), in any case of letters.
std::optional<ParsedPath> parse_recipient_path(std::string_view text) {
  constexpr std::string_view postmaster = "<postmaster>";
  if (ascii::istarts_with(text, postmaster))
    return ParsedPath{Path{"postmaster", {}}, postmaster.size()};
  return parse_path(text);
}

struct Parameter {
  std::string_view keyword;
  Outcome<> (*take)(std::string_view value, Recipient& recipient);
};
constexpr std::array kParameters{
    Parameter{"NOTIFY",
              [](std::string_view value, Recipient& to) { return take_notify(value, to.notify); }},
    Parameter{"ORCPT", take_orcpt},
};

Outcome<> take_parameter(const EsmtpParameter& parameter, Recipient& recipient) {
  for (const auto& [keyword, take] : kParameters) {
    if (ascii::iequals(parameter.keyword, keyword)) return take(parameter.value, recipient);
  }
  return refuse(555, {5, 5, 4}, "Unknown RCPT parameter");
}

}  // namespace

std::vector<std::string_view> rcpt_parameters() {
  std::vector<std::string_view> names;
  names.reserve(kParameters.size());
  for (const auto& parameter : kParameters) names.push_back(parameter.keyword);
  return names;
}

Outcome<Rcpt> parse_rcpt(std::string_view arguments) {
  if (!ascii::istarts_with(arguments, "TO:")) return bad("Syntax: RCPT TO:<address>");
  arguments.remove_prefix(3);
  if (arguments.starts_with(' ')) arguments.remove_prefix(1);
  auto parsed = parse_recipient_path(arguments);
  if (!parsed || (parsed->length < arguments.size() && arguments[parsed->length] != ' '))
    return refuse(501, {5, 1, 3}, "Bad recipient address syntax");
  Rcpt rcpt{Recipient{std::move(parsed->path)}, Parameters::absent};
  arguments.remove_prefix(std::min(parsed->length + 1, arguments.size()));
  if (!arguments.empty()) rcpt.parameters = Parameters::present;
  const auto taken = for_each_parameter(arguments, [&](const EsmtpParameter& parameter) {
    return take_parameter(parameter, rcpt.recipient);
  });
  if (!taken) return std::unexpected(taken.error());
  return rcpt;
}

}  // namespace postern::smtp
