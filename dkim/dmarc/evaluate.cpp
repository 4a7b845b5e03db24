#include <algorithm>
#include <utility>

#include "core/ascii.hpp"
#include "dkim/dmarc/dmarc.hpp"
#include "dkim/dmarc/tree_walk.hpp"
#include "dkim/domain.hpp"

namespace postern::dmarc {

namespace {

// An authenticated (or perhaps authenticated) domain that may align.
struct Identifier {
  enum class Kind : std::uint8_t { spf, dkim };
  Kind kind = Kind::dkim;
  std::string domain;
  bool passed = false;  // false: its check failed for now
};

// What aligning needs to know of the author.
struct Author {
  std::string domain;
  std::string organizational;
  bool uncertain =
      false;  // a part of the tree walk failed for now: the organization may be higher up
};

std::vector<Identifier> identifiers(const spf::Outcome& spf,
                                    const std::vector<dkim::SignatureResult>& dkim) {
  std::vector<Identifier> found;
  const auto spf_domain = dkim::normalize_domain(spf.domain);
  if (spf_domain && (spf.result == spf::Verdict::pass || spf.result == spf::Verdict::temperror)) {
    found.push_back({Identifier::Kind::spf, *spf_domain, spf.result == spf::Verdict::pass});
  }
  for (const auto& signature : dkim) {
    const bool passed = signature.result == dkim::Verdict::pass;
    if (!passed && signature.result != dkim::Verdict::temperror) continue;
    if (found.size() >= kMaxAlignmentWalks) break;
    if (!signature.domain.empty())
      found.push_back({Identifier::Kind::dkim, signature.domain, passed});
  }
  return found;
}

enum class Aligned : std::uint8_t { yes, no, unknown };

Task<Aligned> align(dns::Resolver& resolver, std::string domain, Author author, Alignment mode,
                    std::shared_ptr<dkim::Lookups> table) {
  if (domain == author.domain) co_return Aligned::yes;
  if (mode == Alignment::relaxed && author.uncertain) co_return Aligned::unknown;
  // Relaxed: the same organizational domain; what isn't even below it needs no walk.
  if (mode == Alignment::strict || !dkim::is_at_or_below(domain, author.organizational))
    co_return Aligned::no;
  const Walk walked = co_await walk(resolver, domain, table);
  if (organizational_domain(walked, domain) == author.organizational) co_return Aligned::yes;
  co_return walked.temporary ? Aligned::unknown : Aligned::no;
}

// RFC 9989 §3.2 (Non-existent Domains): no A, AAAA or MX. Not knowing counts as existing, the
// milder reading.
Task<bool> is_nonexistent(dns::Resolver& resolver, std::string domain,
                          std::shared_ptr<dkim::Lookups> table) {
  const std::vector<dns::Type> types{dns::Type::a, dns::Type::aaaa, dns::Type::mx};
  std::vector<dkim::Question> questions;
  questions.reserve(types.size());
  for (const auto type : types) questions.emplace_back(domain, type);
  co_await dkim::resolve_all(resolver, std::move(questions), table);
  co_return std::ranges::all_of(types, [&](dns::Type type) {
    const auto answer = table->find(domain, type);
    return answer != nullptr &&
           (answer->status == dns::Status::nxdomain || answer->status == dns::Status::nodata);
  });
}

Task<Policy> published_policy(dns::Resolver& resolver, Found found, std::string domain,
                              std::shared_ptr<dkim::Lookups> table) {
  const Record& record = found.record;
  if (found.domain == domain) co_return record.policy;
  const Policy below = record.subdomain_policy.value_or(record.policy);
  if (!record.nonexistent_policy || *record.nonexistent_policy == below) co_return below;
  const bool missing = co_await is_nonexistent(resolver, domain, table);
  co_return missing ? *record.nonexistent_policy : below;
}

// t=y: the domain owner is trying things out; one step milder (§4.7).
Policy applied_policy(Policy published, bool testing) {
  if (!testing) return published;
  return published == Policy::reject ? Policy::quarantine : Policy::none;
}

int severity(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass: return 0;
    case Verdict::none: return 1;
    case Verdict::temperror: return 2;
    case Verdict::permerror: return 3;
    case Verdict::fail: return 4;
  }
  return 0;
}

// Of two outcomes the one that is worse for the message.
Outcome worse(Outcome a, Outcome b) {
  const auto rank = [](const Outcome& o) {
    return std::pair{severity(o.result),
                     o.result == Verdict::fail ? static_cast<int>(o.policy) : 0};
  };
  return rank(b) > rank(a) ? b : a;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::none: return "none";
    case Verdict::pass: return "pass";
    case Verdict::fail: return "fail";
    case Verdict::temperror: return "temperror";
    case Verdict::permerror: return "permerror";
  }
  return "none";
}

namespace {

// Discovery: fills the record's part of the outcome; false when the outcome is final.
Task<bool> discover(dns::Resolver& resolver, Outcome& outcome, Author& author,
                    std::shared_ptr<dkim::Lookups> table) {
  const Walk walked = co_await walk(resolver, outcome.author_domain, table);
  outcome.organizational_domain = organizational_domain(walked, outcome.author_domain);
  author = {outcome.author_domain, outcome.organizational_domain, walked.temporary};
  const Found* found = applicable(walked, outcome.author_domain, outcome.organizational_domain);
  const bool own = found != nullptr && found->domain == outcome.author_domain;
  if (walked.temporary && !own) {
    outcome.result = Verdict::temperror;
    outcome.reason = "no answer for the policy record";
    co_return false;
  }
  if (found == nullptr) {
    outcome.reason = "no policy record";
    co_return false;
  }
  outcome.record_domain = found->domain;
  outcome.record = found->record;
  outcome.published = co_await published_policy(resolver, *found, outcome.author_domain, table);
  outcome.policy = applied_policy(outcome.published, found->record.testing);
  co_return true;
}

}  // namespace

Task<Outcome> evaluate(dns::Resolver& resolver, std::string author_domain, spf::Outcome spf,
                       std::vector<dkim::SignatureResult> dkim) {
  Outcome outcome;
  const auto normal = dkim::normalize_domain(author_domain);
  if (!normal) {
    outcome.result = Verdict::permerror;
    outcome.reason = "the author domain is no domain name";
    co_return outcome;
  }
  outcome.author_domain = *normal;
  auto table = std::make_shared<dkim::Lookups>(resolver);
  Author author;
  const bool going_on = co_await discover(resolver, outcome, author, table);
  if (!going_on) co_return outcome;
  bool uncertain = false;
  for (const auto& identifier : identifiers(spf, dkim)) {
    const bool is_spf = identifier.kind == Identifier::Kind::spf;
    const auto mode = is_spf ? outcome.record->spf_alignment : outcome.record->dkim_alignment;
    const Aligned aligned = co_await align(resolver, identifier.domain, author, mode, table);
    const bool certain = identifier.passed && aligned == Aligned::yes;
    if (certain) (is_spf ? outcome.spf_aligned : outcome.dkim_aligned) = true;
    uncertain = uncertain || (!certain && aligned != Aligned::no);
  }
  if (outcome.spf_aligned || outcome.dkim_aligned) {
    outcome.result = Verdict::pass;
  } else if (uncertain) {
    outcome.result = Verdict::temperror;
    outcome.reason = "an aligned identifier could not be checked";
  } else {
    outcome.result = Verdict::fail;
    outcome.reason = "no aligned identifier passed";
  }
  co_return outcome;
}

Task<Outcome> evaluate_all(dns::Resolver& resolver, std::vector<std::string> domains,
                           spf::Outcome spf, std::vector<dkim::SignatureResult> dkim) {
  Outcome outcome;
  if (domains.empty() || domains.size() > kMaxAuthorDomains) {
    outcome.result = Verdict::permerror;
    outcome.reason = domains.empty() ? "no author domain" : "too many author domains";
    co_return outcome;
  }
  outcome = co_await evaluate(resolver, domains.front(), spf, dkim);
  for (std::size_t i = 1; i < domains.size(); ++i) {
    Outcome next = co_await evaluate(resolver, domains[i], spf, dkim);
    outcome = worse(std::move(outcome), std::move(next));
  }
  co_return outcome;
}

}  // namespace postern::dmarc
