#include "imap/search/text.hpp"

#include <unicode/uchar.h>

#include "imap/wire/utf8.hpp"
#include "message/encoded_word.hpp"
#include "message/transfer_encoding.hpp"

namespace postern::imap {

std::string fold_text(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size());
  while (!utf8.empty()) {
    const char c = utf8.front();
    if (c >= 0) {
      out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
      utf8.remove_prefix(1);
      continue;
    }
    const auto point = take_utf8(utf8).value_or(0xfffd);
    append_utf8(out, static_cast<std::uint32_t>(
                         u_foldCase(static_cast<UChar32>(point), U_FOLD_CASE_DEFAULT)));
  }
  return out;
}

std::string fold_header_value(std::string_view raw) {
  return fold_text(message::decode_words(raw));
}

std::string fold_part(const message::Part& part, std::string_view raw_body) {
  const auto encoding = message::parse_transfer_encoding(part.encoding);
  const auto bytes = message::decode_body(encoding, raw_body);
  const auto charset = message::find_parameter(part.type.parameters, "charset");
  if (charset) {
    if (const auto text = message::to_utf8(*charset, bytes)) return fold_text(*text);
  }
  return fold_text(message::repair_utf8(bytes));
}

std::string fold_addresses(const std::vector<message::Address>& list) {
  std::string out;
  for (const auto& address : list) {
    if (address.kind == message::Address::Kind::group_end) continue;
    if (!out.empty()) out += ", ";
    const auto name = address.display_name();
    if (address.kind == message::Address::Kind::group_start) {
      out += name + ":";
    } else if (name.empty()) {
      out += address.addr_spec();
    } else {
      out += name + " <" + address.addr_spec() + ">";
    }
  }
  return fold_text(out);
}

}  // namespace postern::imap
