// The DNS answers one evaluation has so far, and the way to get more of them in parallel.
//
// libspf2 and the rest of this folder run synchronously over this table; what is missing is noted,
// resolved together and the run repeated, so that no io thread ever blocks in a library.
//
// Owner: one evaluation. Bounded: kMaxQuestions a table; beyond it nothing more is asked.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/dns/dns.hpp"
#include "core/task.hpp"

namespace postern::dkim {

inline constexpr std::size_t kMaxQuestions = 256;

using Question = std::pair<std::string, dns::Type>;

class Lookups {
 public:
  Lookups() = default;  ///< knows what is stored, no more
  explicit Lookups(dns::Resolver& resolver) : resolver_(&resolver) {}
  /// The answer, or null when it was never asked and the resolver doesn't know it by heart. Names
  /// that no DNS could hold answer nxdomain.
  std::shared_ptr<const dns::Answer> find(const std::string& name, dns::Type type) const;
  void store(const Question& question, std::shared_ptr<const dns::Answer> answer);
  [[nodiscard]] bool full() const { return answers_.size() >= kMaxQuestions; }

 private:
  dns::Resolver* resolver_ = nullptr;
  mutable std::map<Question, std::shared_ptr<const dns::Answer>> answers_;
};

/// Asks all that `table` doesn't know yet, at once, and returns when the last has been answered.
/// Throws what a query threw (a bug: the waiter has to hear of it, or it would wait for good).
/// `resolver` must outlive even an abandoned call (it belongs to the io thread).
Task<> resolve_all(dns::Resolver& resolver, std::vector<Question> questions,
                   std::shared_ptr<Lookups> table);

}  // namespace postern::dkim
