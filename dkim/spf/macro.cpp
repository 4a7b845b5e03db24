#include "dkim/spf/macro.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/ascii.hpp"
#include "dkim/domain.hpp"

namespace postern::spf {

namespace {

constexpr std::string_view kDelimiters = ".-+,/_=";
constexpr std::string_view kLetters = "slodiphv";
constexpr std::string_view kExplanationLetters = "crt";
constexpr unsigned kMaxKeep = 128;  // parts of a name that a transformer may ask for; more is all

// One "%{...}": letter, transformers, delimiters.
struct Macro {
  char letter = 0;      // lower case
  bool escape = false;  // written in upper case: URL-escape
  unsigned keep = 0;    // rightmost parts to keep; 0 is all
  bool reverse = false;
  std::string_view delimiters;
  std::size_t length = 0;  // octets of the whole macro in the text
};

std::optional<unsigned> parse_keep(std::string_view digits) {
  if (digits.empty()) return 0;
  unsigned value = 0;
  for (char c : digits) value = std::min(kMaxKeep, value * 10 + static_cast<unsigned>(c - '0'));
  if (value == 0) return std::nullopt;  // §7.1: DIGIT, if there, is nonzero
  return value;
}

// `text` begins with "%{".
std::optional<Macro> parse_macro(std::string_view text) {
  const auto close = text.find('}');
  if (close == std::string_view::npos || close < 3) return std::nullopt;
  std::string_view inner = text.substr(2, close - 2);
  Macro macro;
  macro.letter = ascii::lower(inner.front());
  macro.escape = inner.front() != macro.letter;
  macro.length = close + 1;
  inner.remove_prefix(1);
  std::size_t digits = 0;
  while (digits < inner.size() && ascii::is_digit(inner[digits])) ++digits;
  const auto keep = parse_keep(inner.substr(0, digits));
  if (!keep) return std::nullopt;
  macro.keep = *keep;
  inner.remove_prefix(digits);
  if (!inner.empty() && ascii::lower(inner.front()) == 'r') {
    macro.reverse = true;
    inner.remove_prefix(1);
  }
  if (inner.find_first_not_of(kDelimiters) != std::string_view::npos) return std::nullopt;
  macro.delimiters = inner.empty() ? std::string_view(".") : inner;
  return macro;
}

bool is_letter_of(char letter, MacroPlace place) {
  if (kLetters.find(letter) != std::string_view::npos) return true;
  return place == MacroPlace::explanation &&
         kExplanationLetters.find(letter) != std::string_view::npos;
}

// §7.3: dotted nibbles for IPv6, in upper case as the RFC's own examples have them.
std::string dotted_address(const boost::asio::ip::address& ip) {
  if (ip.is_v4()) return ip.to_string();
  std::string out;
  for (const auto byte : ip.to_v6().to_bytes()) {
    out += fmt::format("{}{:X}.{:X}", out.empty() ? "" : ".", byte >> 4, byte & 15);
  }
  return out;
}

std::string value_of(char letter, const MacroValues& values) {
  switch (letter) {
    case 's': return values.sender;
    case 'l': return values.local_part;
    case 'o': return values.sender_domain;
    case 'd': return values.domain;
    case 'i': return dotted_address(values.ip);
    case 'p': return values.validated_name.empty() ? "unknown" : values.validated_name;
    case 'v': return values.ip.is_v4() ? "in-addr" : "ip6";
    case 'h': return values.helo;
    case 'c': return values.ip.to_string();
    case 'r': return values.receiving_domain.empty() ? "unknown" : values.receiving_domain;
    case 't': return std::to_string(values.now);
    default: return {};
  }
}

std::string url_escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (ascii::is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// §7.1: split at the delimiters, perhaps reversed, the rightmost kept, joined with dots.
std::string transform(std::string_view value, const Macro& macro) {
  std::vector<std::string_view> parts;
  std::size_t at = 0;
  while (true) {
    const auto end = std::min(value.find_first_of(macro.delimiters, at), value.size());
    parts.push_back(value.substr(at, end - at));
    if (end == value.size()) break;
    at = end + 1;
  }
  if (macro.reverse) std::ranges::reverse(parts);
  const std::size_t keep =
      macro.keep == 0 ? parts.size() : std::min<std::size_t>(macro.keep, parts.size());
  std::string out;
  for (std::size_t i = parts.size() - keep; i < parts.size(); ++i) {
    if (i != parts.size() - keep) out += '.';
    out += parts[i];
  }
  return out;
}

bool is_top_label(std::string_view label) {
  if (label.empty() || !ascii::is_alnum(label.front()) || !ascii::is_alnum(label.back()))
    return false;
  bool letter_or_hyphen = false;
  for (char c : label) {
    if (!ascii::is_alnum(c) && c != '-') return false;
    letter_or_hyphen = letter_or_hyphen || !ascii::is_digit(c);
  }
  return letter_or_hyphen;
}

// Walks the pieces of a macro-string: `literal(char)` and `macro(Macro)`. False outside the
// grammar.
template <class Literal, class OnMacro>
bool walk_macro_string(std::string_view text, Literal literal, OnMacro on_macro) {
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '%') {
      literal(text[at++]);
      continue;
    }
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (next == '%' || next == '_') {
      literal(next == '%' ? '%' : ' ');
      at += 2;
    } else if (next == '-') {
      for (char c : std::string_view("%20")) literal(c);
      at += 2;
    } else {
      if (next != '{') return false;
      const auto macro = parse_macro(text.substr(at));
      if (!macro || !on_macro(*macro)) return false;
      at += macro->length;
    }
  }
  return true;
}

bool ends_in_macro(std::string_view text) {
  if (text.ends_with('}')) return text.rfind("%{") != std::string_view::npos;
  const auto tail = text.size() >= 2 ? text.substr(text.size() - 2) : std::string_view{};
  return tail == "%%" || tail == "%_" || tail == "%-";
}

}  // namespace

bool is_macro_string(std::string_view text, MacroPlace place) {
  for (char c : text) {
    // Explanation text may hold spaces (§6.2); a domain-spec may not, and neither holds 8-bit.
    if (c < (place == MacroPlace::explanation ? 0x20 : 0x21) || c > 0x7e) return false;
  }
  return walk_macro_string(
      text, [](char) {}, [place](const Macro& macro) { return is_letter_of(macro.letter, place); });
}

bool is_domain_spec(std::string_view text) {
  if (text.empty() || !is_macro_string(text, MacroPlace::domain_spec)) return false;
  if (ends_in_macro(text)) return true;
  if (text.ends_with('.')) text.remove_suffix(1);
  const auto dot = text.rfind('.');
  return dot != std::string_view::npos && is_top_label(text.substr(dot + 1));
}

bool needs_validated_name(std::string_view text) {
  bool needed = false;
  (void)walk_macro_string(
      text, [](char) {},
      [&needed](const Macro& macro) {
        needed = needed || macro.letter == 'p';
        return true;
      });
  return needed;
}

bool has_macro(std::string_view text) { return text.find('%') != std::string_view::npos; }

std::string expand_macros(std::string_view text, const MacroValues& values) {
  std::string out;
  (void)walk_macro_string(
      text, [&out](char c) { out += c; },
      [&](const Macro& macro) {
        const std::string value = transform(value_of(macro.letter, values), macro);
        out += macro.escape ? url_escape(value) : value;
        return out.size() <= kMaxExpansion;
      });
  if (out.size() > kMaxExpansion) out.resize(kMaxExpansion);
  return out;
}

std::string expand_domain(std::string_view domain_spec, const MacroValues& values) {
  std::string name = expand_macros(domain_spec, values);
  if (name.ends_with('.')) name.pop_back();
  while (name.size() > dkim::kMaxNameLength) {
    const auto dot = name.find('.');
    if (dot == std::string::npos) break;
    name.erase(0, dot + 1);
  }
  return name;
}

}  // namespace postern::spf
