#include "dkim/spf/record.hpp"

#include <algorithm>
#include <array>

#include "core/ascii.hpp"
#include "core/ip_address.hpp"
#include "dkim/spf/macro.hpp"

namespace postern::spf {

namespace {

constexpr std::string_view kVersion = "v=spf1";

enum class Argument : std::uint8_t { none, optional, required };
enum class Cidr : std::uint8_t { none, dual };

struct Shape {
  std::string_view name;
  Mechanism mechanism;
  Argument domain;
  Cidr cidr;
};

constexpr std::array kShapes{
    Shape{"all", Mechanism::all, Argument::none, Cidr::none},
    Shape{"include", Mechanism::include, Argument::required, Cidr::none},
    Shape{"a", Mechanism::a, Argument::optional, Cidr::dual},
    Shape{"mx", Mechanism::mx, Argument::optional, Cidr::dual},
    Shape{"ptr", Mechanism::ptr, Argument::optional, Cidr::none},
    Shape{"exists", Mechanism::exists, Argument::required, Cidr::none},
};

std::unexpected<Error> bad(const char* what) { return fail(Errc::invalid, what); }

// "0" or a number without leading zero, at most `limit`.
std::optional<unsigned> parse_prefix(std::string_view digits, unsigned limit) {
  if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits.front() == '0')) {
    return std::nullopt;
  }
  unsigned value = 0;
  for (char c : digits) {
    if (!ascii::is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > limit) return std::nullopt;
  return value;
}

// Takes "/24", "//64" or "/24//64" off the end of `rest`. A slash may also be part of a
// domain-spec, so only digits at the very end count; what is left must be a domain-spec in itself.
Result<void> take_dual_cidr(std::string_view& rest, Term& term) {
  const auto digits_from = [](std::string_view text) {
    std::size_t at = text.size();
    while (at > 0 && ascii::is_digit(text[at - 1])) --at;
    return at;
  };
  auto at = digits_from(rest);
  if (at >= 2 && rest.substr(at - 2, 2) == "//") {
    const auto prefix = parse_prefix(rest.substr(at), 128);
    if (!prefix) return bad("a malformed IPv6 prefix length");
    term.prefix6 = *prefix;
    rest = rest.substr(0, at - 2);
    at = digits_from(rest);
    if (at == rest.size()) return {};
  }
  if (at >= 1 && rest[at - 1] == '/') {
    const auto prefix = parse_prefix(rest.substr(at), 32);
    if (!prefix) return bad("a malformed IPv4 prefix length");
    term.prefix4 = *prefix;
    rest = rest.substr(0, at - 1);
  }
  return {};
}

Result<void> parse_named(const Shape& shape, std::string_view rest, Term& term) {
  term.mechanism = shape.mechanism;
  if (shape.cidr == Cidr::dual) {
    if (auto taken = take_dual_cidr(rest, term); !taken) return taken;
  }
  if (rest.empty()) {
    if (shape.domain == Argument::required) return bad("a mechanism lacks its domain");
    return {};
  }
  if (shape.domain == Argument::none || rest.front() != ':') return bad("a malformed mechanism");
  rest.remove_prefix(1);
  if (!is_domain_spec(rest)) return bad("a malformed domain-spec");
  term.domain_spec = rest;
  return {};
}

Result<void> parse_network(Mechanism mechanism, std::string_view rest, Term& term) {
  term.mechanism = mechanism;
  if (!rest.starts_with(':')) return bad("a mechanism lacks its network");
  rest.remove_prefix(1);
  const bool v4 = mechanism == Mechanism::ip4;
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    const auto prefix = parse_prefix(rest.substr(slash + 1), v4 ? 32 : 128);
    if (!prefix) return bad("a malformed prefix length");
    (v4 ? term.prefix4 : term.prefix6) = *prefix;
    rest = rest.substr(0, slash);
  }
  const auto network = parse_ip(rest);
  if (!network || network->is_v4() != v4) return bad("a malformed network");
  term.network = *network;
  return {};
}

Result<Term> parse_directive(std::string_view text) {
  Term term;
  if (std::string_view("+-~?").find(text.front()) != std::string_view::npos) {
    term.qualifier = text.front();
    text.remove_prefix(1);
  }
  std::size_t end = 0;
  while (end < text.size() && ascii::is_alnum(text[end])) ++end;
  const auto name = text.substr(0, end);
  const auto rest = text.substr(end);
  Result<void> parsed = bad("an unknown mechanism");
  if (ascii::iequals(name, "ip4")) parsed = parse_network(Mechanism::ip4, rest, term);
  if (ascii::iequals(name, "ip6")) parsed = parse_network(Mechanism::ip6, rest, term);
  for (const auto& shape : kShapes) {
    if (ascii::iequals(name, shape.name)) parsed = parse_named(shape, rest, term);
  }
  if (!parsed) return std::unexpected(parsed.error());
  return term;
}

// The length of "name=" when the text is a modifier; 0 for a mechanism.
std::size_t modifier_name(std::string_view text) {
  if (text.empty() || !ascii::is_alpha(text.front())) return 0;
  std::size_t at = 0;
  while (at < text.size() &&
         (ascii::is_alnum(text[at]) || text[at] == '-' || text[at] == '_' || text[at] == '.'))
    ++at;
  return at < text.size() && text[at] == '=' ? at : 0;
}

Result<void> parse_modifier(std::string_view name, std::string_view value, Record& record) {
  const bool redirect = ascii::iequals(name, "redirect");
  if (!redirect && !ascii::iequals(name, "exp")) {
    if (!is_macro_string(value, MacroPlace::domain_spec)) return bad("a malformed modifier");
    return {};
  }
  auto& slot = redirect ? record.redirect : record.explanation;
  if (slot) return bad("a modifier given twice");
  if (!is_domain_spec(value)) return bad("a malformed domain-spec");
  slot = std::string(value);
  return {};
}

}  // namespace

bool is_spf_record(std::string_view text) {
  if (!ascii::istarts_with(text, kVersion)) return false;
  return text.size() == kVersion.size() || text[kVersion.size()] == ' ';
}

Result<Record> parse_record(std::string_view text) {
  if (text.size() > kMaxRecordLength) return bad("the record is too long");
  if (!std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; })) {
    return bad("an octet outside printable ASCII");
  }
  Record record;
  std::size_t at = kVersion.size();
  while (at < text.size()) {
    const auto end = std::min(text.find(' ', at), text.size());
    const auto piece = text.substr(at, end - at);
    at = end + 1;
    if (piece.empty()) continue;
    if (const auto name = modifier_name(piece); name > 0) {
      auto parsed = parse_modifier(piece.substr(0, name), piece.substr(name + 1), record);
      if (!parsed) return std::unexpected(parsed.error());
      continue;
    }
    auto term = parse_directive(piece);
    if (!term) return std::unexpected(term.error());
    if (record.terms.size() >= kMaxTerms) return bad("too many terms");
    record.terms.push_back(std::move(*term));
  }
  return record;
}

}  // namespace postern::spf
