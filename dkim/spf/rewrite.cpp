// Records as libspf2 gets them: the original's terms in order, with aliases for every name.
//
// Each difference from the original works around a fault that was measured: a prefix of /0 is
// refused, a redirect is evaluated where it stands, IPv6 networks above 15 characters and records
// whose compiled form passes 511 octets are errors.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "dkim/spf/guard.hpp"

namespace postern::spf {

namespace {
constexpr std::size_t kAtomsPerRecord = 10;  // compiled, well below libspf2's 511 octets
constexpr std::size_t kMaxLikely = 10;       // speculative questions a pass
}  // namespace

std::string Evaluation::alias(Target target) {
  std::string name = fmt::format("n{}.spf", targets_.size());
  targets_.emplace(name, std::move(target));
  return name;
}

// "/24" or "//64" for the client's family; empty when the whole address counts.
static std::string prefix_of(const Term& term, bool v4) {
  if (v4) return term.prefix4 == 32 ? "" : fmt::format("/{}", term.prefix4);
  return term.prefix6 == 128 ? "" : fmt::format("//{}", term.prefix6);
}

Evaluation::Atom Evaluation::rewrite_address(const Term& term, std::size_t policy,
                                             Purpose purpose) {
  const bool v4 = values_.ip.is_v4();
  const bool any = (v4 ? term.prefix4 : term.prefix6) == 0;
  Target target{.purpose = purpose, .spec = term.domain_spec, .policy = policy};
  target.matching = any ? Matching::any : Matching::network;
  return {term.qualifier, fmt::format("{}:{}{}", purpose == Purpose::mx ? "mx" : "a",
                                      alias(std::move(target)), any ? "" : prefix_of(term, v4))};
}

// A literal network of the client's family. Its address goes through an alias, since the library
// can't read long IPv6 text.
std::string Evaluation::rewrite_network(const Term& term) {
  const bool v4 = values_.ip.is_v4();
  const bool any = (v4 ? term.prefix4 : term.prefix6) == 0;
  Target target{.purpose = Purpose::literal, .spec = {}};
  target.address = any ? values_.ip : term.network;
  if (v4)
    return fmt::format("ip4:{}{}", target.address.to_string(), any ? "" : prefix_of(term, v4));
  return fmt::format("a:{}{}", alias(std::move(target)), any ? "" : prefix_of(term, v4));
}

std::optional<Evaluation::Atom> Evaluation::rewrite_term(const Term& term, std::size_t policy) {
  const bool v4 = values_.ip.is_v4();
  switch (term.mechanism) {
    case Mechanism::all: return Atom{term.qualifier, "all"};
    case Mechanism::a: return rewrite_address(term, policy, Purpose::address);
    case Mechanism::mx: return rewrite_address(term, policy, Purpose::mx);
    case Mechanism::ip4:
    case Mechanism::ip6:
      // A network of the other family never matches (§5.6).
      if ((term.mechanism == Mechanism::ip4) != v4) return std::nullopt;
      return Atom{term.qualifier, rewrite_network(term)};
    case Mechanism::include:
      return Atom{term.qualifier, "include:" + alias({.purpose = Purpose::record,
                                                      .spec = term.domain_spec,
                                                      .policy = policy})};
    case Mechanism::exists:
      return Atom{term.qualifier, "exists:" + alias({.purpose = Purpose::exists,
                                                     .spec = term.domain_spec,
                                                     .policy = policy})};
    case Mechanism::ptr:
      return Atom{
          term.qualifier,
          "a:" + alias({.purpose = Purpose::ptr, .spec = term.domain_spec, .policy = policy})};
  }
  return std::nullopt;
}

// Runs of terms with one qualifier become an include of a record that holds them as "+": it matches
// exactly when one of them does. Repeated until the run is short.
std::vector<Evaluation::Atom> Evaluation::group_atoms(std::vector<Atom> atoms) {
  std::vector<Atom> out;
  for (std::size_t i = 0; i < atoms.size();) {
    std::size_t end = i;
    while (end < atoms.size() && end - i < kAtomsPerRecord &&
           atoms[end].qualifier == atoms[i].qualifier)
      ++end;
    if (end - i < 2) {
      out.push_back(std::move(atoms[i]));
    } else {
      std::string text = "v=spf1";
      for (std::size_t k = i; k < end; ++k) text += " +" + atoms[k].text;
      out.push_back(
          {atoms[i].qualifier,
           "include:" + alias({.purpose = Purpose::group, .spec = {}, .text = std::move(text)})});
    }
    i = end;
  }
  return out;
}

std::string Evaluation::join_atoms(std::vector<Atom> atoms, std::string tail) {
  while (atoms.size() > kAtomsPerRecord) {
    auto grouped = group_atoms(atoms);
    if (grouped.size() == atoms.size()) break;  // qualifiers alternate
    atoms = std::move(grouped);
  }
  std::string text = "v=spf1";
  std::size_t used = 0;
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    if (used++ == kAtomsPerRecord) {
      // The rest goes on in a record of its own; a redirect at the end takes the result over.
      std::vector<Atom> rest(
          std::make_move_iterator(atoms.begin() + static_cast<std::ptrdiff_t>(i)),
          std::make_move_iterator(atoms.end()));
      std::string more = join_atoms(std::move(rest), std::move(tail));
      return text +
             " redirect=" + alias({.purpose = Purpose::group, .spec = {}, .text = std::move(more)});
    }
    text += fmt::format(" {}{}", atoms[i].qualifier, atoms[i].text);
  }
  // libspf2 wants a space after the version even when nothing follows.
  return text + (tail.empty() ? " " : tail);
}

// What a next pass will ask when nothing matches before; names without macros only, so that a
// sender's counters (%{i} in exists) see no question that evaluation wouldn't ask.
void Evaluation::expect(const Term& term, const std::string& domain) {
  if (has_macro(term.domain_spec) || likely_.size() >= kMaxLikely) return;
  const auto& name = term.domain_spec.empty() ? domain : term.domain_spec;
  const auto address = values_.ip.is_v4() ? dns::Type::a : dns::Type::aaaa;
  switch (term.mechanism) {
    case Mechanism::a: likely_.emplace_back(name, address); break;
    case Mechanism::mx: likely_.emplace_back(name, dns::Type::mx); break;
    case Mechanism::include: likely_.emplace_back(name, dns::Type::txt); break;
    default: break;
  }
}

std::string Evaluation::rewrite(const Record& record, std::size_t policy) {
  const std::string domain = policies_[policy].domain;
  std::vector<Atom> atoms;
  bool has_all = false;
  for (const auto& term : record.terms) {
    if (auto atom = rewrite_term(term, policy)) atoms.push_back(std::move(*atom));
    expect(term, domain);
    has_all = term.mechanism == Mechanism::all;
    if (has_all) break;  // §5.1: what follows is ignored
  }
  const bool all_anywhere = std::ranges::any_of(
      record.terms, [](const Term& term) { return term.mechanism == Mechanism::all; });
  std::string tail;
  if (record.redirect && !all_anywhere) {
    Target target{.purpose = Purpose::record, .spec = *record.redirect, .policy = policy};
    target.entered = Entered::redirect;
    tail = " redirect=" + alias(std::move(target));
  }
  return join_atoms(std::move(atoms), std::move(tail));
}

}  // namespace postern::spf
