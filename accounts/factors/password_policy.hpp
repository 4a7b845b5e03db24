// Which passwords a person may take for the console.
//
// Length and a guess at how soon an attacker's list gets there; no rules about kinds of characters
// (NIST SP 800-63B-4 §3.1.1.2 forbids them and asks for a blocklist). The guess is zxcvbn's: its
// dictionaries of common passwords, names and words, keyboard runs, dates and repeats, plus what an
// attacker would try for this one person.
//
// Untrusted: the password, and the person's own email and name. Nothing of the password shows in an
// error text; copies made here are wiped. Pure: no state, any thread.
//
// Deliberately missing: lists of leaked passwords asked over the network; dictionaries of languages
// that aren't written in Latin letters (zxcvbn has none: there only repeats and runs are found);
// Unicode normalisation (who hashes must do it, the same way at every sign-in).
#pragma once

#include <cstddef>
#include <string_view>

#include "core/result.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMinPersonPassword = 12;   ///< Unicode code points
inline constexpr std::size_t kMaxPersonPassword = 512;  ///< octets

/// Bits, as zxcvbn counts them: 10^10 guesses (log2 = 33.2), where zxcvbn's own highest score
/// begins. At the rate that the login guard leaves, such a password isn't found in a person's life;
/// with a stolen table and Argon2id it costs about 20 ms of a core each, some years of a core in
/// all. A passphrase of four words has twice as many bits.
inline constexpr double kMinPasswordBits = 33.2;

/// What an attacker knows already; words of it count for nothing. Any of them may be empty.
struct PasswordContext {
  std::string_view email;
  std::string_view name;
  std::string_view tenant;
  std::string_view product = "postern";
};

/// Errc::invalid, Errc::too_large; the message says what to do and may be shown to the person.
Result<void> check_new_password(std::string_view password, const PasswordContext& context);

}  // namespace postern::accounts
