// Untrusted values made safe for a header field.
#include <algorithm>

#include "core/ascii.hpp"
#include "dkim/domain.hpp"
#include "dkim/results/authentication_results.hpp"

namespace postern::dkim {

namespace {

constexpr std::size_t kMaxValue = 255;
constexpr std::string_view kTokenExtra = "!#$%&'*+-.^_`{|}~";  // RFC 2045 §5.1 without tspecials

bool is_token_octet(char c) {
  return ascii::is_alnum(c) || kTokenExtra.find(c) != std::string_view::npos;
}

char printable(char c) { return c >= 0x20 && c <= 0x7e ? c : '?'; }

}  // namespace

std::string quote_value(std::string_view value) {
  value = value.substr(0, kMaxValue);
  if (!value.empty() && std::ranges::all_of(value, is_token_octet)) return std::string(value);
  // addr-spec with plain parts is allowed bare (RFC 8601 §2.2: pvalue).
  const auto at = value.rfind('@');
  if (at != std::string_view::npos && at + 1 < value.size() &&
      std::ranges::all_of(value.substr(0, at), is_token_octet) &&
      normalize_domain(value.substr(at + 1)) &&
      std::ranges::all_of(value.substr(at + 1), is_token_octet)) {
    return std::string(value);
  }
  std::string out = "\"";
  for (char c : value) {
    const char safe = printable(c);
    if (safe == '"' || safe == '\\') out += '\\';
    out += safe;
  }
  return out + '"';
}

std::string quote_comment(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, kMaxValue)) {
    const char safe = printable(c);
    if (safe == '(' || safe == ')' || safe == '\\') out += '\\';
    out += safe;
  }
  return out;
}

}  // namespace postern::dkim
