#include "imap/wire/mailbox_name.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "core/ascii.hpp"
#include "imap/wire/syntax.hpp"
#include "imap/wire/utf8.hpp"

namespace postern::imap {

namespace {
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

void encode_run(std::string& out, const std::vector<std::uint16_t>& units) {
  out.push_back('&');
  std::uint32_t bits = 0;
  int count = 0;
  for (const auto unit : units) {
    bits = bits << 16 | unit;
    count += 16;
    while (count >= 6) {
      count -= 6;
      out.push_back(kAlphabet[bits >> count & 63]);
    }
    bits &= (1U << count) - 1;
  }
  if (count > 0) out.push_back(kAlphabet[bits << (6 - count) & 63]);
  out.push_back('-');
}

// The UTF-16 units of one shifted run (between '&' and '-').
std::optional<std::vector<std::uint16_t>> decode_units(std::string_view run) {
  std::vector<std::uint16_t> units;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : run) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 16) {
      count -= 16;
      units.push_back(static_cast<std::uint16_t>(bits >> count & 0xffff));
      bits &= (1U << count) - 1;
    }
  }
  if (count >= 6 || bits != 0 || units.empty()) return std::nullopt;
  return units;
}

bool append_units(std::string& out, const std::vector<std::uint16_t>& units) {
  for (std::size_t i = 0; i < units.size(); ++i) {
    std::uint32_t point = units[i];
    if (point >= 0xdc00 && point <= 0xdfff) return false;
    if (point >= 0xd800 && point <= 0xdbff) {
      if (i + 1 == units.size() || units[i + 1] < 0xdc00 || units[i + 1] > 0xdfff) return false;
      point = 0x10000 + ((point - 0xd800) << 10) + (units[++i] - 0xdc00U);
    }
    // RFC 3501 §5.1.3: printable ASCII stands for itself. No control characters in any spelling.
    if (point < 0x80) return false;
    append_utf8(out, point);
  }
  return true;
}
}  // namespace

std::string encode_mailbox_name(std::string_view utf8) {
  std::string out;
  std::vector<std::uint16_t> run;
  const auto flush = [&] {
    if (!run.empty()) encode_run(out, run);
    run.clear();
  };
  while (!utf8.empty()) {
    const std::uint32_t point = take_utf8(utf8).value_or(0xfffd);
    if (point >= 0x20 && point < 0x7f) {
      flush();
      out += point == '&' ? "&-" : std::string(1, static_cast<char>(point));
    } else if (point < 0x10000) {
      run.push_back(static_cast<std::uint16_t>(point));
    } else {
      run.push_back(static_cast<std::uint16_t>(0xd800 + ((point - 0x10000) >> 10)));
      run.push_back(static_cast<std::uint16_t>(0xdc00 + ((point - 0x10000) & 0x3ff)));
    }
  }
  flush();
  return out;
}

std::optional<std::string> decode_mailbox_name(std::string_view wire) {
  if (!is_well_formed_utf8(wire)) return std::nullopt;
  std::string out;
  bool after_run = false;
  while (!wire.empty()) {
    const char c = wire.front();
    if (is_ctl(c)) return std::nullopt;
    wire.remove_prefix(1);
    if (c != '&') {
      out.push_back(c);
      after_run = false;
      continue;
    }
    const auto end = wire.find('-');
    if (end == std::string_view::npos) return std::nullopt;
    if (end == 0) {
      out.push_back('&');
      after_run = false;
    } else {
      const auto units = decode_units(wire.substr(0, end));
      // Two runs side by side are one run spelled in two ways (a null shift).
      if (!units || after_run || !append_units(out, *units)) return std::nullopt;
      after_run = true;
    }
    wire.remove_prefix(end + 1);
  }
  return out;
}

std::string canonical_mailbox_name(std::string_view utf8) {
  constexpr std::string_view inbox = "INBOX";
  std::string out(utf8);
  if (ascii::istarts_with(utf8, inbox) &&
      (utf8.size() == inbox.size() || utf8[inbox.size()] == kSeparator)) {
    out.replace(0, inbox.size(), inbox);
  }
  return out;
}

bool is_creatable_name(std::string_view utf8) {
  if (utf8.empty() || utf8.size() > kMaxMailboxName || !is_well_formed_utf8(utf8)) return false;
  if (utf8.front() == kSeparator || utf8.back() == kSeparator || utf8.contains("//")) return false;
  if (std::ranges::count(utf8, kSeparator) >= static_cast<std::ptrdiff_t>(kMaxMailboxDepth))
    return false;
  return std::ranges::none_of(utf8, [](char c) { return is_ctl(c) || c == '%' || c == '*'; });
}

bool matches_pattern(std::string_view pattern, std::string_view name) {
  const bool inbox = name == "INBOX" || name.starts_with("INBOX/");
  const auto same = [&](char c, std::size_t i) {
    return name[i] == c || (inbox && i < 5 && ascii::upper(c) == name[i]);
  };
  // reached[i]: the pattern so far matches the first i bytes of the name.
  std::vector<char> reached(name.size() + 1, 0);
  reached[0] = 1;
  for (const char c : pattern) {
    if (c == '*' || c == '%') {
      for (std::size_t i = 1; i <= name.size(); ++i) {
        if (reached[i - 1] != 0 && (c == '*' || name[i - 1] != kSeparator)) reached[i] = 1;
      }
      continue;
    }
    for (std::size_t i = name.size(); i > 0; --i) {
      reached[i] = static_cast<char>(reached[i - 1] != 0 && same(c, i - 1) ? 1 : 0);
    }
    reached[0] = 0;
  }
  return reached.back() != 0;
}

}  // namespace postern::imap
