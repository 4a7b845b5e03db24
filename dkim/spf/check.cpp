#include <optional>
#include <utility>

#include "core/ascii.hpp"
#include "dkim/domain.hpp"
#include "dkim/spf/guard.hpp"
#include "dkim/spf/spf.hpp"

namespace postern::spf {

namespace {

// Every pass but the last resolves at least one name; a policy of the RFC's size needs fewer than
// this.
constexpr std::size_t kMaxPasses = 64;
constexpr std::size_t kMaxExplanation = 400;  // octets: fits a reply line of 512

boost::asio::ip::address unmapped(const boost::asio::ip::address& ip) {
  if (ip.is_v6() && ip.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, ip.to_v6());
  }
  return ip;
}

// §4.3: a name that can't have a record ends the check with none.
bool is_checkable(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  return dkim::is_queryable(domain) && domain.find('.') != std::string_view::npos &&
         !domain.starts_with('[');
}

MacroValues make_values(const Query& query, std::string sender) {
  MacroValues values;
  values.ip = unmapped(query.ip);
  const auto at = sender.rfind('@');
  values.local_part = at == std::string::npos ? std::string() : sender.substr(0, at);
  values.sender_domain = at == std::string::npos ? sender : sender.substr(at + 1);
  if (values.local_part.empty()) values.local_part = "postmaster";  // §4.3
  values.sender = values.local_part + "@" + values.sender_domain;
  values.domain = values.sender_domain;
  if (values.domain.ends_with('.')) values.domain.pop_back();
  values.helo = query.helo;
  values.receiving_domain = query.receiving_domain;
  values.now = query.now;
  return values;
}

std::vector<dkim::Question> to_resolve(const Evaluation& evaluation) {
  auto questions = evaluation.missing();
  questions.insert(questions.end(), evaluation.likely().begin(), evaluation.likely().end());
  return questions;
}

// What one pass came to: a verdict, or questions.
struct Pass {
  std::optional<Verdict> verdict;
  std::string reason;
  std::vector<dkim::Question> questions;
  std::optional<std::string> explanation_spec;
  MacroValues values;
};

Pass run_pass(const dkim::Lookups& table, const MacroValues& values) {
  Pass pass;
  Evaluation evaluation(table, values);
  Verdict verdict = Verdict::none;
  if (const auto first = evaluation.start()) verdict = interpret(evaluation, *first, values.ip);
  if (!evaluation.missing().empty()) {
    pass.questions = to_resolve(evaluation);
    return pass;
  }
  pass.verdict = evaluation.fatal().value_or(verdict);
  pass.reason = evaluation.reason();
  pass.explanation_spec = evaluation.explanation_spec();
  pass.values = evaluation.final_values();
  return pass;
}

// §6.2: any trouble with the explanation means there is none. nullopt: questions were added.
std::optional<std::string> explain(const dkim::Lookups& table, const std::string& spec,
                                   MacroValues values, std::vector<dkim::Question>& questions) {
  const auto fill_name = [&](std::string_view text) {
    if (!needs_validated_name(text)) return true;
    Evaluation helper(table, values);
    auto name = helper.validated_name(values.domain);
    if (!name) questions = helper.missing();
    if (name) values.validated_name = std::move(*name);
    return name.has_value();
  };
  if (!fill_name(spec)) return std::nullopt;
  const std::string target = expand_domain(spec, values);
  const auto answer = table.find(target, dns::Type::txt);
  if (answer == nullptr) {
    questions.emplace_back(target, dns::Type::txt);
    return std::nullopt;
  }
  if (answer->texts.size() != 1) return std::string();
  const std::string& text = answer->texts.front();
  if (text.size() > kMaxRecordLength || !is_macro_string(text, MacroPlace::explanation))
    return std::string();
  if (!fill_name(text)) return std::nullopt;
  std::string expanded = expand_macros(text, values);
  if (expanded.size() > kMaxExplanation) expanded.resize(kMaxExplanation);
  for (char& c : expanded) {
    if (c < 0x20 || c > 0x7e) c = '?';  // a macro brought in a sender's octet
  }
  return expanded;
}

Task<std::string> find_explanation(dns::Resolver& resolver, std::shared_ptr<dkim::Lookups> table,
                                   std::string spec, MacroValues values) {
  for (std::size_t pass = 0; pass < kMaxPasses && !table->full(); ++pass) {
    std::vector<dkim::Question> questions;
    auto text = explain(*table, spec, values, questions);
    if (text) co_return std::move(*text);
    co_await dkim::resolve_all(resolver, std::move(questions), table);
  }
  co_return std::string();
}

Task<Outcome> check_host(dns::Resolver& resolver, Query query, std::string sender,
                         Identity identity) {
  const MacroValues values = make_values(query, std::move(sender));
  Outcome outcome{.identity = identity, .domain = ascii::to_lower(values.domain)};
  if (!is_checkable(values.domain)) {
    outcome.reason = "no domain to check";
    co_return outcome;
  }
  auto table = std::make_shared<dkim::Lookups>(resolver);
  for (std::size_t n = 0; n < kMaxPasses && !table->full(); ++n) {
    Pass pass = run_pass(*table, values);
    if (!pass.verdict) {
      co_await dkim::resolve_all(resolver, std::move(pass.questions), table);
      continue;
    }
    outcome.result = *pass.verdict;
    outcome.reason = std::move(pass.reason);
    if (outcome.result == Verdict::fail && pass.explanation_spec) {
      outcome.explanation = co_await find_explanation(
          resolver, table, std::move(*pass.explanation_spec), std::move(pass.values));
    }
    co_return outcome;
  }
  outcome.result = Verdict::permerror;
  outcome.reason = "the policy needs too many lookups";
  co_return outcome;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::none: return "none";
    case Verdict::neutral: return "neutral";
    case Verdict::pass: return "pass";
    case Verdict::fail: return "fail";
    case Verdict::softfail: return "softfail";
    case Verdict::temperror: return "temperror";
    case Verdict::permerror: return "permerror";
  }
  return "none";
}

Task<Outcome> check_mail_from(dns::Resolver& resolver, Query query) {
  std::string sender = query.mail_from.empty() ? "postmaster@" + query.helo : query.mail_from;
  return check_host(resolver, std::move(query), std::move(sender), Identity::mail_from);
}

Task<Outcome> check_helo(dns::Resolver& resolver, Query query) {
  std::string sender = "postmaster@" + query.helo;
  return check_host(resolver, std::move(query), std::move(sender), Identity::helo);
}

}  // namespace postern::spf
