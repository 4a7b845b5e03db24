#include "smtp/queue/reply.hpp"

#include <fmt/format.h>

#include "core/ascii.hpp"

namespace postern::smtp::queue {

namespace {
// One to three digits and what follows them; nullopt when there are none or too many.
std::optional<std::uint16_t> take_number(std::string_view& text) {
  std::uint16_t value = 0;
  std::size_t used = 0;
  while (used < text.size() && ascii::is_digit(text[used])) {
    if (used == 3) return std::nullopt;
    value = static_cast<std::uint16_t>(value * 10 + (text[used] - '0'));
    ++used;
  }
  if (used == 0) return std::nullopt;
  text.remove_prefix(used);
  return value;
}

bool take_dot(std::string_view& text) {
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return true;
}
}  // namespace

std::string EnhancedCode::text() const {
  return fmt::format("{}.{}.{}", status_class, subject, detail);
}

std::optional<EnhancedCode> parse_enhanced_code(std::string_view text) {
  const auto status_class = take_number(text);
  if (!status_class || !take_dot(text)) return std::nullopt;
  if (*status_class != 2 && *status_class != 4 && *status_class != 5) return std::nullopt;
  const auto subject = take_number(text);
  if (!subject || !take_dot(text)) return std::nullopt;
  const auto detail = take_number(text);
  if (!detail || !text.empty()) return std::nullopt;
  return EnhancedCode{*status_class, *subject, *detail};
}

std::string Reply::status() const {
  if (enhanced.present()) return enhanced.text();
  if (positive()) return "2.0.0";
  return permanent() ? "5.0.0" : "4.0.0";
}

std::string Reply::one_line() const {
  std::string line = fmt::format("{}", code);
  if (enhanced.present()) line += " " + enhanced.text();
  if (!text.empty()) line += " " + text;
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  return line;
}

Reply make_reply(int code, EnhancedCode enhanced, std::string text) {
  return Reply{code, enhanced, std::move(text)};
}

}  // namespace postern::smtp::queue
