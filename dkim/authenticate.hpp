// The one door for inbound mail: SPF (HELO and MAIL FROM), DKIM and DMARC of a message, within a
// budget of time, with the field to add and what to do with the message.
//
// SPF, DKIM and the DMARC policy look-up run in parallel. What is unfinished when the budget ends
// is temperror; the coroutines that were late finish alone and are dropped (they own what they use,
// but for the resolver, which belongs to the io thread).
#pragma once

#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/dns/dns.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "dkim/dmarc/dmarc.hpp"
#include "dkim/spf/spf.hpp"
#include "dkim/verify/verifier.hpp"

namespace postern::dkim {

struct Envelope {
  /// Of the client; without one (mail between tenants here) there is no SPF to check.
  std::optional<asio::ip::address> ip;
  std::string helo;
  std::string mail_from;  ///< without angle brackets; empty is the null sender
};

/// When a failed DMARC check refuses the message. RFC 9989 §7.4 advises against refusing on the
/// policy alone (mailing lists break alignment).
enum class Refusal : std::uint8_t {
  never,            ///< reject and quarantine both file into Junk
  on_other_signal,  ///< refuse p=reject only if SPF says fail too and no signature passed
  on_policy,        ///< refuse whenever the policy is reject
};

enum class Disposition : std::uint8_t { deliver, junk, reject };

std::string_view to_string(Disposition disposition);

struct Options {
  std::string authserv_id;
  std::chrono::milliseconds budget{5'000};
  Refusal refusal = Refusal::on_other_signal;
  Timestamp now;
};

struct Verdicts {
  spf::Outcome helo;
  spf::Outcome mail_from;
  std::vector<SignatureResult> signatures;
  dmarc::Outcome dmarc;
  Disposition disposition = Disposition::deliver;
  std::string results_field;  ///< Authentication-Results, with its final CRLF
};

/// What the policy and the other signals make of a message.
Disposition dispose(const dmarc::Outcome& dmarc, const spf::Outcome& mail_from,
                    const std::vector<SignatureResult>& signatures, Refusal refusal);

Task<Verdicts> authenticate(dns::Resolver& resolver, Envelope envelope, MessagePtr message,
                            Options options);

}  // namespace postern::dkim
