// One address as SMTP, accounts and settings know it: "local@domain", checked and normalised.
//
// Invariants of an EmailAddress: local is non-empty, at most 64 octets, without quotes; domain is
// lower case ASCII (A-labels for internationalised names), at most 255 octets, no final dot, or an
// address literal in brackets. Standards: RFC 5321 §4.1.2, §4.5.3.1; RFC 6531 §3.3; UTS 46 for
// domains.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace postern::message {

inline constexpr std::size_t kMaxLocalPart = 64;  ///< octets, RFC 5321 §4.5.3.1.1
inline constexpr std::size_t kMaxDomain = 255;    ///< octets, RFC 5321 §4.5.3.1.2

/// Which characters the peer may use.
enum class AddressCharset : std::uint8_t {
  ascii,  ///< RFC 5321: non-ASCII is refused
  utf8,   ///< RFC 6531 (SMTPUTF8): UTF-8 in local part and domain
};

struct EmailAddress {
  std::string local;   ///< without quotes; case kept
  std::string domain;  ///< normalised

  auto operator<=>(const EmailAddress&) const = default;
  /// "local@domain", the local part quoted where it must be.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_address_literal() const { return domain.starts_with('['); }
  /// The local part holds non-ASCII: it needs SMTPUTF8 on the way.
  [[nodiscard]] bool needs_smtputf8() const;
};

/// The whole of `text` must be one mailbox, without angle brackets or source route.
/// Errc::invalid with the reason, Errc::too_large when a part is too long.
Result<EmailAddress> parse_email(std::string_view text, AddressCharset charset);

/// Lower case, A-labels, no final dot. Errc::invalid when it isn't a host name of letters, digits
/// and hyphens (after IDNA), with labels of 1 to 63 octets.
Result<std::string> normalise_domain(std::string_view domain);

/// The U-label form for people ("xn--mnchen-3ya.de" gives "münchen.de"); the input where it has
/// none.
std::string display_domain(std::string_view domain);

/// Well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view bytes);
bool is_ascii(std::string_view bytes);

}  // namespace postern::message
