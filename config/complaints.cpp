#include "config/complaints.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/loader.hpp"

namespace postern::config {

void Complaints::add(Line line, std::string_view setting, std::string_view what) {
  texts_.emplace(line, setting.empty() ? fmt::format("{}:{}: {}", file_, line, what)
                                       : fmt::format("{}:{}: {}: {}", file_, line, setting, what));
}

std::string Complaints::text() const {
  std::string out;
  std::size_t shown = 0;
  for (const auto& [line, text] : texts_) {
    if (shown == kMaxComplaints) {
      out += fmt::format("\nand {} more", texts_.size() - shown);
      break;
    }
    if (shown++ > 0) out += '\n';
    out += text;
  }
  return out;
}

Line Complaints::line_of(const std::string& setting) const {
  const auto found = lines_.find(setting);
  return found == lines_.end() ? 1 : found->second;
}

namespace {

/// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row.back();
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

std::string nearest_name(std::string_view wrong, const std::vector<std::string>& names) {
  constexpr std::size_t kLongest = 80;  // nobody mistypes a longer one
  if (wrong.size() > kLongest) return {};
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, wrong.size() / 4) + 1;
  for (const auto& name : names) {
    const auto d = distance(wrong, name);
    if (d < best_distance) {
      best = name;
      best_distance = d;
    }
  }
  if (!best.empty()) return best;
  // The right name in the wrong section.
  const auto same = std::ranges::find_if(
      names, [&](const auto& name) { return last_part(name) == last_part(wrong); });
  return same == names.end() ? std::string{} : *same;
}

}  // namespace postern::config
