// Authenticator data (Web Authentication Level 3 §6.1): flags, counter, and at registration the new
// credential. Parsing takes every byte: whatever is left over, or announced and not there, is
// refused. The views in it point into the bytes it was parsed from.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "accounts/factors/webauthn.hpp"
#include "core/result.hpp"

namespace postern::accounts::webauthn {

/// §6.5.1.
struct AttestedCredential {
  std::string_view aaguid;
  std::string_view id;
  std::string_view cose_key;
  Algorithm algorithm = Algorithm::es256;
};

struct AuthenticatorData {
  std::string_view rp_id_hash;
  std::uint8_t flags = 0;
  std::uint32_t sign_count = 0;
  std::optional<AttestedCredential> credential;  ///< at registration, and only there
  std::string_view extensions;                   ///< a CBOR map, or empty

  [[nodiscard]] bool user_present() const { return (flags & 0x01U) != 0; }
  [[nodiscard]] bool user_verified() const { return (flags & 0x04U) != 0; }
  [[nodiscard]] bool backup_eligible() const { return (flags & 0x08U) != 0; }
  [[nodiscard]] bool backed_up() const { return (flags & 0x10U) != 0; }
  [[nodiscard]] bool has_credential() const { return (flags & 0x40U) != 0; }
  [[nodiscard]] bool has_extensions() const { return (flags & 0x80U) != 0; }
};

enum class Moment : std::uint8_t { registration, assertion };

Result<AuthenticatorData> parse_authenticator_data(std::string_view bytes, Moment moment);

/// §7.1 steps 13 to 18, §7.2 steps 15 to 19: this site, a person there, verified where it is
/// required, and no backup of what can't have one.
Result<void> check_authenticator_data(const Ceremony& ceremony, const AuthenticatorData& data);

}  // namespace postern::accounts::webauthn
