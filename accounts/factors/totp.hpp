// Codes of an authenticator app: TOTP (RFC 6238) with SHA-1, steps of 30 seconds and 6 digits, the
// one set of parameters that every app understands. The HMAC and the truncation are liboath's.
//
// Invariants: a code counts once. Whoever checks stores the step that matched and passes it next
// time; that step and all before it are refused then (RFC 6238 §5.2). One step to either side is
// accepted, for clocks that are off and people who are slow (§5.2, §6).
//
// Untrusted: the code. The secret is ours; it is stored sealed and never shown after enrolment.
// Deliberately missing: other hashes and periods (apps ignore them without a word), drift kept per
// person, and the bound on attempts: 3 codes in a million are right at any time, so the login guard
// must count failures here as it does for passwords.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace postern::accounts {

inline constexpr std::size_t kTotpSecretSize = 20;  ///< bytes, RFC 4226 §4 R6
inline constexpr std::int64_t kTotpPeriod = 30;     ///< seconds

enum class TotpDigits : std::uint8_t { six = 6, eight = 8 };

std::string make_totp_secret();  ///< random raw bytes
/// Base32 (RFC 4648 §6) without padding, for people who can't scan a picture.
std::string totp_secret_text(std::string_view secret);
/// Back from that text, spaces and case forgiven; nullopt when it isn't a secret of ours.
std::optional<std::string> parse_totp_secret(std::string_view text);
/// otpauth://totp/... for the picture. Issuer and account are percent-encoded; colons in them
/// become spaces, as apps split the label there.
std::string totp_uri(std::string_view secret, std::string_view issuer, std::string_view account);

/// Steps since 1970.
std::int64_t totp_step(Timestamp time);
/// The code of one step, with leading zeros. Step >= 0.
std::string totp_code(std::string_view secret, std::int64_t step,
                      TotpDigits digits = TotpDigits::six);

/// The step that the code belongs to, nullopt when it is wrong, malformed or used. `last_step` is
/// what the last successful check gave. Spaces in the code are forgiven.
std::optional<std::int64_t> match_totp(std::string_view secret, std::string_view code,
                                       Timestamp now, std::optional<std::int64_t> last_step);

}  // namespace postern::accounts
