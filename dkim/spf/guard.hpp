// The wall between libspf2 and the world (RFC 7208 §4.6).
//
// As shipped, libspf2 crashes on some records, counts lookups wrongly and knows no void lookups. So
// it never sees a sender's text: each record is parsed here, and the library gets an equivalent one
// whose every domain is an alias of our making ("n7.spf"), in the order and with the qualifiers of
// the original. What it then asks about an alias is answered from the table of lookups; here the
// terms and void lookups are counted, macros expanded, MX and PTR sets bounded. The library decides
// what it is good at: the sequence of mechanisms, include and redirect, address matching, the
// result.
//
// One Evaluation is one pass over what is known. When a name is missing, every later question in
// the pass is answered "try again", the pass's verdict means nothing, and the caller resolves and
// repeats.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dkim/lookups.hpp"
#include "dkim/spf/macro.hpp"
#include "dkim/spf/record.hpp"
#include "dkim/spf/spf.hpp"

namespace postern::spf {

inline constexpr std::size_t kMaxLookupTerms = 10;  ///< §4.6.4
inline constexpr std::size_t kMaxVoidLookups = 2;
inline constexpr std::size_t kMaxMx = 10;
inline constexpr std::size_t kMaxPtr = 10;

/// What the library's question is answered with.
struct Reply {
  enum class Status : std::uint8_t { ok, nodata, nxdomain, try_again };
  Status status = Status::nodata;
  std::vector<boost::asio::ip::address> addresses{};
  std::vector<std::string> hosts{};  ///< MX, as aliases
  std::string text{};                ///< TXT: one record
};

class Evaluation {
 public:
  /// `values.domain` is the domain to check. Both outlive the object.
  Evaluation(const dkim::Lookups& table, const MacroValues& values);

  /// The alias of the first record; nullopt when the verdict is known without the library.
  std::optional<std::string> start();
  /// The library's question.
  Reply answer(const std::string& alias, dns::Type type);

  [[nodiscard]] const std::optional<Verdict>& fatal() const { return fatal_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  /// What must be resolved before a pass can end; empty: the verdict stands.
  [[nodiscard]] const std::vector<dkim::Question>& missing() const { return missing_; }
  /// Questions that a next pass will likely ask; worth resolving along with what is missing.
  [[nodiscard]] const std::vector<dkim::Question>& likely() const { return likely_; }
  /// exp= of the record that decided (redirects followed, §6.2), and the values to expand it with.
  [[nodiscard]] const std::optional<std::string>& explanation_spec() const;
  [[nodiscard]] MacroValues final_values() const;

  /// The client's validated name for %{p} near `domain` (§7.3); nullopt when lookups are missing.
  std::optional<std::string> validated_name(const std::string& domain);

 private:
  enum class Purpose : std::uint8_t { record, group, address, mx, mx_host, exists, ptr, literal };
  enum class Entered : std::uint8_t { first, include, redirect };
  enum class Matching : std::uint8_t { network, any };  // any: a /0 prefix, which libspf2 refuses

  struct Policy {
    std::string domain;
    std::optional<std::string> explanation;
  };
  struct Target {
    Purpose purpose = Purpose::literal;
    std::string spec{};      // domain-spec, or a name for mx_host
    std::size_t policy = 0;  // whose current domain the spec expands with
    Entered entered = Entered::include;
    Matching matching = Matching::network;
    std::string text{};                  // group: the rewritten terms
    boost::asio::ip::address address{};  // literal
  };
  struct Atom {  // a rewritten term
    char qualifier;
    std::string text{};
  };

  std::string alias(Target target);
  std::optional<std::string> load(const std::string& domain, Entered entered);
  std::string rewrite(const Record& record, std::size_t policy);
  std::optional<Atom> rewrite_term(const Term& term, std::size_t policy);
  Atom rewrite_address(const Term& term, std::size_t policy, Purpose purpose);
  std::string rewrite_network(const Term& term);
  std::string join_atoms(std::vector<Atom> atoms, std::string tail);
  std::vector<Atom> group_atoms(std::vector<Atom> atoms);
  void expect(const Term& term, const std::string& domain);

  std::optional<std::string> real_name(const Target& target);
  std::shared_ptr<const dns::Answer> look_up(const std::string& name, dns::Type type);
  std::optional<std::vector<std::string>> validated_names();
  bool charge_term();
  bool charge_void(dns::Status status);
  void end(Verdict verdict, std::string reason);

  Reply answer_record(const Target& target);
  Reply answer_address(const Target& target, dns::Type type);
  Reply answer_mx(const Target& target);
  Reply answer_mx_host(const Target& target, dns::Type type);
  Reply answer_ptr(const Target& target);

  const dkim::Lookups& table_;
  const MacroValues& values_;
  std::map<std::string, Target, std::less<>> targets_;
  std::vector<Policy> policies_;
  std::size_t deciding_ = 0;  // index of the record whose exp= counts
  std::size_t terms_ = 0;
  std::size_t voids_ = 0;
  std::optional<Verdict> fatal_;
  std::string reason_;
  std::vector<dkim::Question> missing_;
  std::vector<dkim::Question> likely_;
};

/// The library's verdict on what `evaluation` started with.
Verdict interpret(Evaluation& evaluation, const std::string& first_alias,
                  const boost::asio::ip::address& client);

}  // namespace postern::spf
