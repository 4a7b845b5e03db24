#include "mailbox/types.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/ascii.hpp"

namespace postern::mailbox {

namespace {

constexpr std::array<std::pair<SpecialUse, std::string_view>, 7> kAttributes{{
    {SpecialUse::drafts, "\\Drafts"},
    {SpecialUse::sent, "\\Sent"},
    {SpecialUse::junk, "\\Junk"},
    {SpecialUse::trash, "\\Trash"},
    {SpecialUse::archive, "\\Archive"},
    {SpecialUse::all, "\\All"},
    {SpecialUse::flagged, "\\Flagged"},
}};

bool before(const std::string& a, const std::string& b) {
  return std::ranges::lexicographical_compare(a, b, {}, ascii::lower, ascii::lower);
}
bool same(const std::string& a, const std::string& b) { return ascii::iequals(a, b); }

}  // namespace

std::string_view to_attribute(SpecialUse use) {
  for (const auto& [value, text] : kAttributes) {
    if (value == use) return text;
  }
  return {};
}

bool Flags::has_keyword(std::string_view keyword) const {
  return std::ranges::any_of(keywords,
                             [&](const std::string& k) { return ascii::iequals(k, keyword); });
}

void Flags::add(const Flags& other) {
  system |= other.system;
  for (const std::string& keyword : other.keywords) {
    if (!has_keyword(keyword)) keywords.push_back(keyword);
  }
  std::ranges::sort(keywords, before);
}

void Flags::remove(const Flags& other) {
  system &= ~other.system;
  std::erase_if(keywords, [&](const std::string& keyword) { return other.has_keyword(keyword); });
}

std::string join_keywords(const std::vector<std::string>& keywords) {
  std::string out;
  for (const std::string& keyword : keywords) {
    if (!out.empty()) out += ' ';
    out += keyword;
  }
  return out;
}

std::vector<std::string> split_keywords(std::string_view stored) {
  std::vector<std::string> out;
  while (!stored.empty()) {
    const auto space = stored.find(' ');
    out.emplace_back(stored.substr(0, space));
    stored.remove_prefix(space == std::string_view::npos ? stored.size() : space + 1);
  }
  return out;
}

std::vector<std::string> normalise_keywords(std::vector<std::string> keywords) {
  std::ranges::sort(keywords, before);
  const auto tail = std::ranges::unique(keywords, same);
  keywords.erase(tail.begin(), tail.end());
  return keywords;
}

}  // namespace postern::mailbox
