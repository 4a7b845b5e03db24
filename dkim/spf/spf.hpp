// SPF (RFC 7208): check_host for the MAIL FROM and HELO identities.
//
// libspf2 evaluates the policy behind a guard (spf/guard.hpp): records are parsed and validated
// here, macros are expanded here, and the library sees only rewritten records with names of our
// making. Its DNS comes from a table; what is missing is resolved in parallel and the evaluation
// repeated.
//
// Untrusted: everything but the client's address. Bounds are the RFC's: 10 terms that look up, 2
// void lookups, 10 MX and PTR names.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/dns/dns.hpp"
#include "core/task.hpp"

namespace postern::spf {

/// RFC 7208 §2.6.
enum class Verdict : std::uint8_t { none, neutral, pass, fail, softfail, temperror, permerror };

std::string_view to_string(Verdict verdict);

enum class Identity : std::uint8_t { mail_from, helo };

struct Query {
  asio::ip::address ip;          ///< of the client; IPv4-mapped IPv6 is taken as IPv4
  std::string mail_from;         ///< reverse-path without angle brackets; empty is the null sender
  std::string helo;              ///< as given in HELO/EHLO
  std::string receiving_domain;  ///< our name, for %{r}
  std::int64_t now = 0;          ///< seconds since 1970, for %{t}
};

struct Outcome {
  Verdict result = Verdict::none;
  Identity identity = Identity::mail_from;
  std::string domain{};  ///< that was checked; normalised when it is a domain name
  /// On fail: the domain owner's text, expanded; printable ASCII only; third-party words that a
  /// reply must mark as such (RFC 7208 §6.2). Empty when there is none.
  std::string explanation{};
  std::string reason{};  ///< for logs and comments; our words only
};

/// The MAIL FROM identity; for the null sender that is postmaster@HELO (§2.4).
Task<Outcome> check_mail_from(dns::Resolver& resolver, Query query);
/// The HELO identity (§2.3).
Task<Outcome> check_helo(dns::Resolver& resolver, Query query);

}  // namespace postern::spf
