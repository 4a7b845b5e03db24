#include "imap/wire/encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>

#include "core/ascii.hpp"
#include "imap/wire/mailbox_name.hpp"
#include "imap/wire/syntax.hpp"

namespace postern::imap {

namespace {
constexpr std::size_t kMaxQuoted = 1000;  // some clients read a line into a fixed buffer

bool can_quote(std::string_view text) {
  return text.size() <= kMaxQuoted &&
         std::ranges::all_of(text, [](char c) { return c > 0 && c != '\r' && c != '\n'; });
}

void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

constexpr std::array<std::pair<SystemFlag, std::string_view>, 5> kFlagNames{{
    {kAnswered, "\\Answered"},
    {kFlagged, "\\Flagged"},
    {kDeleted, "\\Deleted"},
    {kSeen, "\\Seen"},
    {kDraft, "\\Draft"},
}};
}  // namespace

void append_string(std::string& out, std::string_view text) {
  if (can_quote(text)) return append_quoted(out, text);
  const auto nuls = static_cast<std::size_t>(std::ranges::count(text, '\0'));
  append_literal_head(out, text.size() - nuls);
  std::ranges::copy_if(text, std::back_inserter(out), [](char c) { return c != '\0'; });
}

void append_nstring(std::string& out, const std::optional<std::string>& text) {
  if (!text) {
    out += "NIL";
  } else {
    append_string(out, *text);
  }
}

void append_upper_string(std::string& out, std::string_view text) {
  append_string(out, ascii::to_upper(text));
}

void append_mailbox(std::string& out, std::string_view utf8) {
  const auto name = encode_mailbox_name(utf8);
  const bool atom =
      !name.empty() && !ascii::iequals(name, "NIL") && std::ranges::all_of(name, is_astring_char);
  if (atom) {
    out += name;
  } else {
    append_string(out, name);
  }
}

void append_literal_head(std::string& out, std::uint64_t size) {
  fmt::format_to(std::back_inserter(out), "{{{}}}\r\n", size);
}

void append_flags(std::string& out, const Flags& flags, Recent recent) {
  out.push_back('(');
  bool first = true;
  const auto add = [&](std::string_view name) {
    if (!first) out.push_back(' ');
    first = false;
    out += name;
  };
  for (const auto& [flag, name] : kFlagNames) {
    if (flags.has(flag)) add(name);
  }
  if (recent == Recent::yes) add("\\Recent");
  for (const auto& keyword : flags.keywords) add(keyword);
  out.push_back(')');
}

void append_date_time(std::string& out, Timestamp time) {
  using namespace std::chrono;
  constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(floor<seconds>(time - day));
  fmt::format_to(std::back_inserter(out), "\"{:2}-{}-{:04} {:02}:{:02}:{:02} +0000\"",
                 static_cast<unsigned>(date.day()),
                 months.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
                 clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

void append_number_set(std::string& out, std::span<const std::uint32_t> numbers) {
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (i != 0) out.push_back(',');
    fmt::format_to(std::back_inserter(out), "{}", numbers[i]);
    if (last != i) fmt::format_to(std::back_inserter(out), ":{}", numbers[last]);
    i = last + 1;
  }
}

std::string response_text(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

}  // namespace postern::imap
