// Secrets that we make and hand out: long tokens for links and API keys, short codes for email.
//
// A token is PREFIX + 43 characters (32 random bytes, base64url) + 6 characters of a checksum over
// both. The prefix ("pst_key_", "pst_link_") lets secret scanners find a leaked one and keeps one
// kind from passing for another; the checksum tells a typo or a cut-off paste from a wrong token
// before any look-up, and scanners from chance. It is no secret and proves nothing. Stored is
// SHA-256 of the whole text: 256 random bits need no salt and no slow hash.
//
// An email code is 6 digits: few enough to try all of them. So what is stored is HMAC-SHA-256 under
// a key that isn't in the database, bound to the flow it was made for; the caller gives each flow a
// handful of attempts and minutes to live.
//
// Untrusted: every text that is checked. Pure: no state, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::accounts {

inline constexpr std::string_view kApiKeyPrefix = "pst_key_";
inline constexpr std::string_view kLinkPrefix = "pst_link_";

/// `prefix`: lower-case letters, digits and underscores, at most 24, with an underscore at the end.
/// Throws std::invalid_argument otherwise (a bug of the caller).
std::string make_secret_token(std::string_view prefix);
/// 32 raw bytes to store and look up by; nullopt when the text isn't a token (form, checksum).
std::optional<std::string> token_digest(std::string_view text);
/// The same, and nullopt also for a token of another kind.
std::optional<std::string> token_digest(std::string_view text, std::string_view prefix);

/// Six digits, every one of the million as likely as the others.
std::string make_email_code();
/// 32 raw bytes to store; nullopt when the text isn't six digits (spaces are forgiven). `key`: 32
/// bytes that the database doesn't hold. `flow_id`: what the code was made for.
std::optional<std::string> email_code_mac(std::string_view key, std::string_view flow_id,
                                          std::string_view typed);
/// Constant time in what is stored.
bool email_code_matches(std::string_view key, std::string_view flow_id, std::string_view typed,
                        std::string_view stored_mac);

}  // namespace postern::accounts
