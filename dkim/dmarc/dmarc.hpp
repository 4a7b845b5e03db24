// DMARC (RFC 9989): policy discovery by DNS tree walk, alignment, the policy to apply.
//
// Pure over a Resolver. Untrusted: the From domain, DNS. Bounded: 8 queries a walk (the RFC's), at
// most kMaxAlignmentWalks identifiers walked per message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/dns/dns.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "dkim/dmarc/record.hpp"
#include "dkim/spf/spf.hpp"
#include "dkim/verify/verifier.hpp"

namespace postern::dmarc {

enum class Verdict : std::uint8_t { none, pass, fail, temperror, permerror };

std::string_view to_string(Verdict verdict);

inline constexpr std::size_t kMaxAlignmentWalks = 12;
inline constexpr std::size_t kMaxAuthorDomains = 4;

struct Outcome {
  Verdict result = Verdict::none;
  std::string author_domain;  ///< of From, normalised
  std::string record_domain;  ///< where the applied record was found; empty without one
  std::string organizational_domain;
  std::optional<Record> record;
  Policy published = Policy::none;  ///< p, sp or np, whichever is the author domain's
  Policy policy = Policy::none;     ///< what to apply on fail (t=y already taken into account)
  bool spf_aligned = false;
  bool dkim_aligned = false;
  std::string reason;  ///< our words
};

/// The domains of the author addresses in a message's From field. Errc::invalid with the reason
/// when there is no From field, more than one, or one without a usable address.
Result<std::vector<std::string>> author_domains(std::string_view header);

/// One author domain.
Task<Outcome> evaluate(dns::Resolver& resolver, std::string author_domain, spf::Outcome spf,
                       std::vector<dkim::SignatureResult> dkim);

/// All of From: several domains are each evaluated and the worst outcome counts (RFC 9989 §5.3.1
/// leaves such messages to the receiver); more than kMaxAuthorDomains is permerror.
Task<Outcome> evaluate_all(dns::Resolver& resolver, std::vector<std::string> domains,
                           spf::Outcome spf, std::vector<dkim::SignatureResult> dkim);

}  // namespace postern::dmarc
