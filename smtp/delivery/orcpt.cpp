#include "smtp/delivery/orcpt.hpp"

#include <fmt/format.h>

#include "core/ascii.hpp"
#include "message/email_address.hpp"
#include "smtp/protocol/xtext.hpp"

namespace postern::smtp::delivery {

namespace {
// The code point at `i`, which moves behind it. The caller has checked that `text` is UTF-8.
std::uint32_t take_code_point(std::string_view text, std::size_t& i) {
  const auto first = static_cast<unsigned char>(text[i++]);
  if (first < 0x80) return first;
  const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  std::uint32_t value = first & (0x3fU >> more);
  for (int k = 0; k < more; ++k)
    value = value << 6 | (static_cast<unsigned char>(text[i++]) & 0x3fU);
  return value;
}

// RFC 6533 §3: QCHAR is printable ASCII but '+', '=' and '\'.
std::string encode_utf8_address(std::string_view text, Charset charset) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t from = i;
    const auto point = take_code_point(text, i);
    const bool plain =
        point > 0x20 && point < 0x7f && point != '+' && point != '=' && point != '\\';
    if (plain || (point >= 0x80 && charset == Charset::utf8)) {
      out += text.substr(from, i - from);
    } else {
      out += fmt::format("\\x{{{:02X}}}", point);
    }
  }
  return out;
}
}  // namespace

std::string encode_orcpt(std::string_view original, Charset charset) {
  const auto split = original.find(';');
  if (split == std::string_view::npos || split == 0 || split + 1 == original.size()) return {};
  const auto type = original.substr(0, split);
  for (const char c : type) {
    if (!ascii::is_alnum(c) && c != '-') return {};
  }
  const auto address = original.substr(split + 1);
  const bool utf8 = ascii::iequals(type, "utf-8");
  if (utf8 && !message::is_utf8(address)) return {};
  return std::string(type) + ";" +
         (utf8 ? encode_utf8_address(address, charset) : encode_xtext(address));
}

}  // namespace postern::smtp::delivery
