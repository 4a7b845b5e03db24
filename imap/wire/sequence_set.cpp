#include "imap/wire/sequence_set.hpp"

#include <algorithm>
#include <limits>

#include "core/ascii.hpp"

namespace postern::imap {

namespace {
// A seq-number off the front of `text`.
std::optional<std::uint32_t> take_number(std::string_view& text) {
  if (text.starts_with('*')) {
    text.remove_prefix(1);
    return SequenceSet::kStar;
  }
  std::uint64_t value = 0;
  std::size_t digits = 0;
  while (digits < text.size() && ascii::is_digit(text[digits])) {
    value = value * 10 + static_cast<std::uint64_t>(text[digits] - '0');
    if (value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    ++digits;
  }
  if (digits == 0 || text.front() == '0') return std::nullopt;
  text.remove_prefix(digits);
  return static_cast<std::uint32_t>(value);
}
}  // namespace

std::optional<SequenceSet> SequenceSet::parse(std::string_view text) {
  SequenceSet set;
  while (true) {
    const auto first = take_number(text);
    if (!first || set.ranges_.size() == kMaxSequenceRanges) return std::nullopt;
    auto last = first;
    if (text.starts_with(':')) {
      text.remove_prefix(1);
      last = take_number(text);
      if (!last) return std::nullopt;
    }
    set.ranges_.push_back({*first, *last});
    if (text.empty()) return set;
    if (!text.starts_with(',')) return std::nullopt;
    text.remove_prefix(1);
  }
}

std::vector<SequenceSet::Range> SequenceSet::resolve(std::uint32_t largest) const {
  std::vector<Range> out;
  out.reserve(ranges_.size());
  for (auto [first, last] : ranges_) {
    if (first == kStar) first = largest;
    if (last == kStar) last = largest;
    out.push_back({std::min(first, last), std::max(first, last)});
  }
  std::ranges::sort(out, {}, &Range::first);
  std::size_t kept = 0;
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (out[i].first <= out[kept].last || out[i].first - out[kept].last == 1) {
      out[kept].last = std::max(out[kept].last, out[i].last);
    } else {
      out[++kept] = out[i];
    }
  }
  if (!out.empty()) out.resize(kept + 1);
  return out;
}

bool contains(const std::vector<SequenceSet::Range>& resolved, std::uint32_t number) {
  const auto after = std::ranges::upper_bound(resolved, number, {}, &SequenceSet::Range::first);
  return after != resolved.begin() && number <= std::prev(after)->last;
}

}  // namespace postern::imap
