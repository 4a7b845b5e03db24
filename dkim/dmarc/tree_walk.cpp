#include "dkim/dmarc/tree_walk.hpp"

#include <algorithm>

#include "dkim/domain.hpp"

namespace postern::dmarc {

namespace {

constexpr std::size_t kJumpLabels = 7;  // §4.10: from 8 labels or more the walk goes on at 7

std::string record_name(std::string_view domain) { return "_dmarc." + std::string(domain); }

// The one record at a name; several count as none (§4.10 step 2).
std::optional<Record> record_in(const dns::Answer& answer) {
  std::optional<Record> found;
  std::size_t count = 0;
  for (const auto& text : answer.texts) {
    if (!is_dmarc_record(text)) continue;
    found = parse_record(text);
    ++count;
  }
  return count == 1 ? found : std::nullopt;
}

}  // namespace

std::vector<std::string> walk_names(const std::string& domain) {
  std::vector<std::string> names{domain};
  std::string_view rest = dkim::parent_of(domain);
  while (dkim::count_labels(rest) > kJumpLabels) rest = dkim::parent_of(rest);
  for (; !rest.empty() && names.size() < kMaxWalkQueries; rest = dkim::parent_of(rest)) {
    names.emplace_back(rest);
  }
  return names;
}

Task<Walk> walk(dns::Resolver& resolver, std::string domain, std::shared_ptr<dkim::Lookups> table) {
  // All names at once: the walk's length is the number of round trips otherwise, and most of them
  // are in the cache anyway.
  const auto names = walk_names(domain);
  std::vector<dkim::Question> questions;
  questions.reserve(names.size());
  for (const auto& name : names) questions.emplace_back(record_name(name), dns::Type::txt);
  co_await dkim::resolve_all(resolver, std::move(questions), table);
  Walk found;
  for (const auto& name : names) {
    const auto answer = table->find(record_name(name), dns::Type::txt);
    if (answer == nullptr || answer->status == dns::Status::temporary) {
      found.temporary = true;
      continue;
    }
    auto record = record_in(*answer);
    if (!record) continue;
    const bool last = record->psd != Psd::unknown;
    found.records.push_back({name, std::move(*record)});
    if (last) break;
  }
  co_return found;
}

std::string organizational_domain(const Walk& walk, const std::string& domain) {
  for (const auto& found : walk.records) {
    if (found.record.psd == Psd::no) return found.domain;
    if (found.record.psd == Psd::yes && found.domain != domain) {
      std::string_view below = domain;
      while (dkim::count_labels(below) > dkim::count_labels(found.domain) + 1)
        below = dkim::parent_of(below);
      return std::string(below);
    }
  }
  return walk.records.empty() ? domain : walk.records.back().domain;
}

const Found* applicable(const Walk& walk, const std::string& domain,
                        const std::string& organizational) {
  const auto at = [&walk](const std::string& name) -> const Found* {
    const auto found = std::ranges::find(walk.records, name, &Found::domain);
    return found == walk.records.end() ? nullptr : &*found;
  };
  if (const Found* own = at(domain)) return own;
  if (const Found* theirs = at(organizational)) return theirs;
  if (!walk.records.empty() && walk.records.back().record.psd == Psd::yes)
    return &walk.records.back();
  return nullptr;
}

}  // namespace postern::dmarc
