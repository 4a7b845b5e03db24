#include "message/parameter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/ascii.hpp"
#include "message/email_address.hpp"
#include "message/encoded_word.hpp"
#include "message/lexer.hpp"

namespace postern::message {

namespace {

/// An unquoted value. File names with spaces are often not quoted: what follows up to the next ";"
/// belongs to it, unless that looks like the next parameter with its ";" forgotten.
std::string unquoted_value(Lexer& lexer) {
  std::string value(lexer.word_until(";"));
  const std::string_view rest = lexer.rest();
  const bool more_parameters = rest.substr(0, rest.find(';')).find('=') != std::string_view::npos;
  while (true) {
    const std::size_t before = lexer.position();
    lexer.skip_cfws();
    if (lexer.at_end() || lexer.peek() == ';') return value;
    if (more_parameters && !lexer.rest().starts_with("=?")) {
      lexer.seek(before);
      return value;
    }
    value += ' ';
    value += lexer.word_until(";");
  }
}

struct Segment {
  std::string base;
  int number = 0;
  bool extended = false;
  const std::string* value = nullptr;
};

/// RFC 2231: "name", "name*", "name*0", "name*0*".
Segment parse_segment(const Parameter& parameter) {
  Segment segment;
  segment.value = &parameter.value;
  std::string_view name = parameter.name;
  if (name.ends_with('*')) {
    segment.extended = true;
    name.remove_suffix(1);
  }
  const auto star = name.find('*');
  if (star != std::string_view::npos) {
    constexpr int most_segments = 10'000;
    const std::string_view digits = name.substr(star + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), segment.number);
    if (error != std::errc() || end != digits.data() + digits.size() || segment.number < 0 ||
        segment.number > most_segments) {
      segment.number = most_segments;
    }
    name = name.substr(0, star);
  }
  segment.base = name;
  return segment;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const bool escape = text[i] == '%' && i + 2 < text.size() &&
                        std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr ==
                            text.data() + i + 3;
    out += escape ? static_cast<char>(byte) : text[i];
    if (escape) i += 2;
  }
  return out;
}

std::string join_segments(std::vector<Segment> segments) {
  std::ranges::sort(segments, {}, &Segment::number);
  std::string charset, bytes;
  bool first = true;
  bool extended = false;
  for (const Segment& segment : segments) {
    std::string_view value = *segment.value;
    if (segment.extended && first) {
      // charset'language'text
      const auto quote = value.find('\'');
      const auto second = quote == std::string_view::npos ? quote : value.find('\'', quote + 1);
      if (second != std::string_view::npos) {
        charset = value.substr(0, quote);
        value.remove_prefix(second + 1);
      }
    }
    bytes += segment.extended ? percent_decode(value) : std::string(value);
    extended = extended || segment.extended;
    first = false;
  }
  if (!extended)
    return bytes.find("=?") == std::string::npos ? repair_utf8(bytes) : decode_words(bytes);
  return to_utf8(charset, bytes).value_or(repair_utf8(bytes));
}

bool is_token_char(char c) {
  return c > ' ' && c < 0x7f &&
         std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

/// RFC 5987 attr-char, a subset of RFC 2231's.
bool is_attribute_char(char c) {
  return ascii::is_alnum(c) || std::string_view("!#$&+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

Parameters parse_parameters(std::string_view text) {
  Parameters list;
  Lexer lexer(text);
  while (!lexer.at_end() && list.size() < kMaxParameters) {
    lexer.skip_cfws();
    if (lexer.at_end()) break;
    if (lexer.take(';')) continue;
    const std::string name = ascii::to_lower(lexer.word_until("=;\"("));
    lexer.skip_cfws();
    if (!lexer.take('=')) {
      if (name.empty() && !lexer.at_end()) lexer.advance();
      continue;
    }
    lexer.skip_cfws();
    std::string value;
    if (!lexer.at_end())
      value = lexer.peek() == '"' ? lexer.quoted_string() : unquoted_value(lexer);
    const bool seen = find_parameter(list, name).has_value();
    if (!name.empty() && !seen) list.push_back({name, std::move(value)});
  }
  return list;
}

Parameters decode_parameters(const Parameters& raw) {
  struct Group {
    std::string base;
    std::vector<Segment> plain, split;  // "name"; "name*", "name*N", "name*N*"
  };
  std::vector<Group> groups;
  for (const Parameter& parameter : raw) {
    Segment segment = parse_segment(parameter);
    auto group = std::ranges::find(groups, segment.base, &Group::base);
    if (group == groups.end()) group = groups.insert(groups.end(), Group{segment.base, {}, {}});
    const bool is_plain = segment.base == parameter.name;
    (is_plain ? group->plain : group->split).push_back(std::move(segment));
  }
  Parameters out;
  for (Group& group : groups) {
    if (group.base.empty()) continue;
    // The RFC 2231 form is the better one when a mailer gives both.
    auto& segments = group.split.empty() ? group.plain : group.split;
    out.push_back({group.base, join_segments(std::move(segments))});
  }
  return out;
}

std::optional<std::string_view> find_parameter(const Parameters& list, std::string_view name) {
  for (const Parameter& parameter : list) {
    if (ascii::iequals(parameter.name, name)) return parameter.value;
  }
  return std::nullopt;
}

std::string format_parameter(std::string_view name, std::string_view utf8_value) {
  constexpr std::size_t most_quoted = 60;
  std::string value = repair_utf8(utf8_value);
  for (char& c : value) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  if (!value.empty() && value.size() <= most_quoted && std::ranges::all_of(value, is_token_char)) {
    return fmt::format("; {}={}", name, value);
  }
  if (is_ascii(value) && value.size() <= most_quoted) {
    std::string quoted;
    for (const char c : value) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    return fmt::format("; {}=\"{}\"", name, quoted);
  }
  // RFC 2231: percent-encoded, cut in pieces that fit a line.
  std::vector<std::string> pieces{"utf-8''"};
  for (const char c : value) {
    if (pieces.back().size() > most_quoted) pieces.emplace_back();
    pieces.back() += is_attribute_char(c) ? std::string(1, c)
                                          : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  if (pieces.size() == 1) return fmt::format("; {}*={}", name, pieces[0]);
  std::string out;
  for (std::size_t i = 0; i < pieces.size(); ++i)
    out += fmt::format("; {}*{}*={}", name, i, pieces[i]);
  return out;
}

}  // namespace postern::message
