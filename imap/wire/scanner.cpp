#include "imap/wire/scanner.hpp"

#include <array>
#include <chrono>
#include <limits>

#include "core/ascii.hpp"
#include "imap/wire/mailbox_name.hpp"
#include "imap/wire/syntax.hpp"
#include "imap/wire/utf8.hpp"

namespace postern::imap {

std::string_view Scanner::take(std::size_t n) {
  const auto out = rest_.substr(0, n);
  rest_.remove_prefix(out.size());
  return out;
}

template <class Predicate>
std::string_view Scanner::take_while(Predicate predicate) {
  std::size_t n = 0;
  while (n < rest_.size() && predicate(rest_[n])) ++n;
  return take(n);
}

bool Scanner::accept(char c) {
  if (rest_.empty() || rest_.front() != c) return false;
  rest_.remove_prefix(1);
  return true;
}

bool Scanner::keyword(std::string_view word) {
  if (!ascii::istarts_with(rest_, word)) return false;
  if (rest_.size() > word.size() && is_atom_char(rest_[word.size()])) return false;
  rest_.remove_prefix(word.size());
  return true;
}

std::optional<std::string_view> Scanner::tag() {
  const auto out = take_while(is_tag_char);
  return out.empty() ? std::nullopt : std::optional(out);
}

std::optional<std::string_view> Scanner::atom() {
  const auto out = take_while(is_atom_char);
  return out.empty() ? std::nullopt : std::optional(out);
}

std::string_view Scanner::word() {
  return take_while([](char c) { return ascii::is_alnum(c) || c == '.' || c == '-' || c == '_'; });
}

std::optional<std::string> Scanner::quoted() {
  if (!accept('"')) return std::nullopt;
  std::string out;
  while (!rest_.empty()) {
    char c = take(1).front();
    if (c == '"') return is_well_formed_utf8(out) ? std::optional(std::move(out)) : std::nullopt;
    if (c == '\r' || c == '\n' || c == '\0') return std::nullopt;
    if (c == '\\') {
      c = peek();
      if (c != '"' && c != '\\') return std::nullopt;
      rest_.remove_prefix(1);
    }
    out.push_back(c);
  }
  return std::nullopt;
}

std::optional<std::string> Scanner::literal() {
  const auto line_end = rest_.find("\r\n");
  if (line_end == std::string_view::npos || line_end > kMaxLiteralSpec) return std::nullopt;
  const auto spec = find_literal(rest_.substr(0, line_end));
  if (!spec || spec->length != line_end || spec->size > rest_.size() - line_end - 2) {
    return std::nullopt;
  }
  rest_.remove_prefix(line_end + 2);
  std::string out(take(static_cast<std::size_t>(spec->size)));
  if (out.contains('\0') || !is_well_formed_utf8(out)) return std::nullopt;
  return out;
}

std::optional<std::string> Scanner::string() { return peek() == '{' ? literal() : quoted(); }

std::optional<std::string> Scanner::astring() {
  if (peek() == '"' || peek() == '{') return string();
  const auto out = take_while(is_astring_char);
  return out.empty() ? std::nullopt : std::optional(std::string(out));
}

std::optional<std::string> Scanner::nstring() {
  if (peek() == '"' || peek() == '{') return string();
  return keyword("NIL") ? std::optional(std::string()) : std::nullopt;
}

std::optional<std::string> Scanner::decoded_mailbox(std::optional<std::string> wire) {
  if (!wire || wire->size() > kMaxMailboxName * 3) return std::nullopt;
  auto name = decode_mailbox_name(*wire);
  if (!name) return std::nullopt;
  return canonical_mailbox_name(*name);
}

std::optional<std::string> Scanner::list_mailbox() {
  if (peek() == '"' || peek() == '{') return decoded_mailbox(string());
  const auto out = take_while(is_list_char);
  return out.empty() ? std::nullopt : decoded_mailbox(std::string(out));
}

std::optional<std::string> Scanner::mailbox() { return decoded_mailbox(astring()); }

std::optional<std::uint64_t> Scanner::number64() {
  const auto text = take_while(ascii::is_digit);
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  return value;
}

std::optional<std::uint32_t> Scanner::number() {
  const auto value = number64();
  if (!value || *value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*value);
}

std::optional<std::uint32_t> Scanner::nz_number() {
  if (peek() == '0') return std::nullopt;
  return number();
}

std::optional<SequenceSet> Scanner::sequence_set() {
  return SequenceSet::parse(
      take_while([](char c) { return ascii::is_digit(c) || c == '*' || c == ':' || c == ','; }));
}

std::optional<std::string_view> Scanner::flag() {
  const auto begin = rest_;
  const std::size_t slash = accept('\\') ? 1 : 0;
  const auto name = atom();
  if (!name) return std::nullopt;
  return begin.substr(0, slash + name->size());
}

std::optional<int> Scanner::digits(std::size_t count) {
  const auto text = take(count);
  if (text.size() != count) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (!ascii::is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<int> Scanner::month() {
  constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto text = take(3);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (ascii::iequals(text, names.at(i))) return static_cast<int>(i + 1);
  }
  return std::nullopt;
}

namespace {
std::optional<std::chrono::sys_days> make_day(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}
}  // namespace

std::optional<Timestamp> Scanner::date() {
  const bool in_quotes = accept('"');
  const auto day = digits(rest_.size() > 1 && ascii::is_digit(rest_[1]) ? 2 : 1);
  if (!day || !accept('-')) return std::nullopt;
  const auto mon = month();
  if (!mon || !accept('-')) return std::nullopt;
  const auto year = digits(4);
  if (!year || (in_quotes && !accept('"'))) return std::nullopt;
  const auto when = make_day(*year, *mon, *day);
  return when ? std::optional(Timestamp(*when)) : std::nullopt;
}

std::optional<Timestamp> Scanner::date_time() {
  if (!accept('"')) return std::nullopt;
  const auto day = digits(accept(' ') ? 1 : 2);
  if (!day || !accept('-')) return std::nullopt;
  const auto mon = month();
  if (!mon || !accept('-')) return std::nullopt;
  const auto year = digits(4);
  if (!year || !accept(' ')) return std::nullopt;
  const auto hour = digits(2);
  if (!hour || *hour > 23 || !accept(':')) return std::nullopt;
  const auto minute = digits(2);
  if (!minute || *minute > 59 || !accept(':')) return std::nullopt;
  const auto second = digits(2);
  if (!second || *second > 60 || !accept(' ')) return std::nullopt;
  const bool east = peek() == '+';
  if (!accept('+') && !accept('-')) return std::nullopt;
  const auto zone_hours = digits(2);
  const auto zone_minutes = zone_hours ? digits(2) : std::nullopt;
  if (!zone_minutes || *zone_hours > 23 || *zone_minutes > 59 || !accept('"')) return std::nullopt;
  const auto date = make_day(*year, *mon, *day);
  if (!date) return std::nullopt;
  const auto zone = std::chrono::hours(*zone_hours) + std::chrono::minutes(*zone_minutes);
  return Timestamp(*date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second) - (east ? zone : -zone);
}

}  // namespace postern::imap
