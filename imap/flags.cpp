#include "imap/flags.hpp"

#include <algorithm>

#include "core/ascii.hpp"

namespace postern::imap {

namespace {
bool less_nocase(std::string_view a, std::string_view b) {
  return std::ranges::lexicographical_compare(
      a, b, [](char x, char y) { return ascii::lower(x) < ascii::lower(y); });
}

auto find_place(const Flags& flags, std::string_view keyword) {
  return std::ranges::lower_bound(
      flags.keywords, keyword,
      [](std::string_view a, std::string_view b) { return less_nocase(a, b); });
}
}  // namespace

bool has_keyword(const Flags& flags, std::string_view keyword) {
  const auto at = find_place(flags, keyword);
  return at != flags.keywords.end() && ascii::iequals(*at, keyword);
}

void add_keyword(Flags& flags, std::string_view keyword) {
  const auto at = find_place(flags, keyword);
  if (at != flags.keywords.end() && ascii::iequals(*at, keyword)) return;
  flags.keywords.insert(at, std::string(keyword));
}

void remove_keyword(Flags& flags, std::string_view keyword) {
  const auto at = find_place(flags, keyword);
  if (at != flags.keywords.end() && ascii::iequals(*at, keyword)) flags.keywords.erase(at);
}

Flags apply_flags(Flags flags, FlagChange how, const Flags& change) {
  switch (how) {
    case FlagChange::replace: return change;
    case FlagChange::add:
      flags.system |= change.system;
      for (const auto& keyword : change.keywords) add_keyword(flags, keyword);
      return flags;
    case FlagChange::remove:
      flags.system &= static_cast<std::uint8_t>(~change.system);
      for (const auto& keyword : change.keywords) remove_keyword(flags, keyword);
      return flags;
  }
  return flags;
}

}  // namespace postern::imap
