#include "smtp/delivery/ehlo.hpp"

#include <charconv>

#include "core/ascii.hpp"

namespace postern::smtp::delivery {

namespace {
template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view take_word(std::string_view& text) {
  text = ascii::trim(text);
  const auto end = text.find(' ');
  const auto word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  return word;
}

// RFC 9422 §3: "LIMITS RCPTMAX=100 MAILMAX=20".
void read_limits(std::string_view rest, Capabilities& out) {
  for (auto word = take_word(rest); !word.empty(); word = take_word(rest)) {
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    const auto value = number<std::uint32_t>(word.substr(equals + 1));
    if (!value) continue;
    if (ascii::iequals(word.substr(0, equals), "RCPTMAX")) out.max_recipients = *value;
    if (ascii::iequals(word.substr(0, equals), "MAILMAX")) out.max_messages = *value;
  }
}

void read_keyword(std::string_view keyword, std::string_view rest, Capabilities& out) {
  if (ascii::iequals(keyword, "STARTTLS")) out.starttls = true;
  if (ascii::iequals(keyword, "PIPELINING")) out.pipelining = true;
  if (ascii::iequals(keyword, "8BITMIME")) out.eight_bit_mime = true;
  if (ascii::iequals(keyword, "SMTPUTF8")) out.smtputf8 = true;
  if (ascii::iequals(keyword, "DSN")) out.dsn = true;
  if (ascii::iequals(keyword, "LIMITS")) read_limits(rest, out);
  if (ascii::iequals(keyword, "SIZE")) {
    out.size = true;
    out.max_size = number<std::uint64_t>(ascii::trim(rest)).value_or(0);
  }
}
}  // namespace

Capabilities parse_ehlo(const std::vector<std::string>& lines) {
  Capabilities out;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    std::string_view rest = lines[i];
    const auto keyword = take_word(rest);
    read_keyword(keyword, rest, out);
  }
  return out;
}

}  // namespace postern::smtp::delivery
