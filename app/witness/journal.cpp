#include "app/witness/journal.hpp"

namespace postern::witness {

namespace audit = accounts::audit;

Result<Journal> Journal::open(std::string path, audit::WitnessKey key) {
  auto last = audit::last_statement(path, key.public_key());
  if (!last) return std::unexpected(last.error());
  Journal journal(std::move(path), std::move(key));
  if (*last) journal.before_ = std::move((*last)->heads);
  return journal;
}

Result<std::vector<audit::SetbackFinding>> Journal::take(const audit::Heads& heads) {
  std::vector<audit::SetbackFinding> findings;
  if (before_) findings = audit::compare_heads(*before_, heads);
  if (auto done = audit::append_statement(path_, heads, key_); !done)
    return std::unexpected(done.error());
  before_ = heads;
  return findings;
}

}  // namespace postern::witness
