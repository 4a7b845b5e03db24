#include "smtp/protocol/esmtp_params.hpp"

#include "core/ascii.hpp"

namespace postern::smtp {

namespace {

constexpr int kMaxParameters = 16;

bool is_keyword(std::string_view text) {
  if (text.empty() || text.front() == '-') return false;
  for (const char c : text) {
    if (!ascii::is_alnum(c) && c != '-') return false;
  }
  return true;
}

// RFC 5321 §4.1.2 esmtp-value, with the UTF-8 of RFC 6531 §3.3.
bool is_value(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' && static_cast<unsigned char>(c) < 0x80) return false;
    if (c == '=' || c == 0x7F) return false;
  }
  return !text.empty();
}

}  // namespace

Outcome<> for_each_parameter(std::string_view text,
                             const std::function<Outcome<>(const EsmtpParameter&)>& take) {
  int count = 0;
  while (!text.empty()) {
    const auto space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    const auto equals = word.find('=');
    EsmtpParameter parameter{word.substr(0, equals), {}, equals != std::string_view::npos};
    if (parameter.has_value) parameter.value = word.substr(equals + 1);
    const bool valid =
        is_keyword(parameter.keyword) && (!parameter.has_value || is_value(parameter.value));
    if (!valid || ++count > kMaxParameters) {
      return refuse(501, {5, 5, 4}, "Malformed ESMTP parameters");
    }
    if (auto taken = take(parameter); !taken) return taken;
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return {};
}

}  // namespace postern::smtp
