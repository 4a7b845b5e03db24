// Recovery codes: what gets a person back in when the phone or the security key is gone.
//
// Ten codes of 80 random bits each, every one good for a single use, shown once. Stored is
// SHA-256 over a salt of the person and the code: a slow hash protects what people choose, and
// nobody tries 2^80 codes however fast the hash is. The salt keeps one guess from being tried
// against the whole table at once, and equal rows from showing.
//
// Form: "abcd-efgh-ijkm-npqr" in base32_encode's alphabet, which has none of 0 o 1 l. Case, dashes
// and spaces are forgiven. Untrusted: the typed text. The caller takes a used digest out of the
// list in the transaction that accepts it, and counts failures like those of passwords.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::accounts {

inline constexpr std::size_t kRecoveryCodes = 10;
inline constexpr std::size_t kRecoverySaltSize = 16;  ///< bytes

struct RecoveryCodes {
  std::string salt;                  ///< raw bytes, stored
  std::vector<std::string> codes;    ///< shown once, never stored
  std::vector<std::string> digests;  ///< 32 raw bytes each, stored, in the order of the codes
};

RecoveryCodes make_recovery_codes();

/// The sixteen characters without groups; nullopt when the text isn't a recovery code.
std::optional<std::string> canonical_recovery_code(std::string_view typed);
/// What is stored for a code of canonical spelling.
std::string recovery_code_digest(std::string_view salt, std::string_view canonical);

/// Which of the digests the typed code belongs to. All of them are compared, each in constant time.
std::optional<std::size_t> find_recovery_code(std::string_view typed, std::string_view salt,
                                              std::span<const std::string> digests);

}  // namespace postern::accounts
