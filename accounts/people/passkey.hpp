// Passkeys of people: WebAuthn credentials (W3C WebAuthn Level 3). Platform table: the browser
// names a credential before anything else is known.
//
// What arrives was checked by whoever ran the ceremony; sizes are bounded here. The public key is
// stored as it was registered (COSE_Key or another form: the caller's choice).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts {

inline constexpr std::size_t kMaxPasskeys = 20;         ///< of one person
inline constexpr std::size_t kMaxCredentialId = 1023;   ///< octets, WebAuthn L3 §7.1
inline constexpr std::size_t kMaxPasskeyPublic = 2048;  ///< octets
inline constexpr std::size_t kMaxTransports = 100;      ///< octets

/// Backup state (WebAuthn L2 §6.1.3): whether the passkey may be synchronised between devices never
/// changes, whether it is may. Stored as numbers.
enum class Backup : std::uint8_t { not_eligible = 0, eligible = 1, backed_up = 2 };

struct Passkey {
  std::string credential_id;  ///< raw octets
  PersonId person;
  std::string public_key;
  std::int32_t algorithm = 0;  ///< COSE: -7 is ES256
  std::uint32_t counter = 0;   ///< the signature counter; stays 0 where the device has none
  std::string label;           ///< see parse_label
  std::string transports;      ///< "internal,hybrid", as the browser told; only ever given back
  Backup backup = Backup::not_eligible;
  Timestamp created;
  std::optional<Timestamp> last_used;
};

/// Errc::not_found (person), Errc::exists (the credential, with whomever), Errc::invalid,
/// Errc::too_large (kMaxPasskeys). `last_used` is not taken.
Result<Passkey> add_passkey(sql::Transaction& tx, const Passkey& fresh);
Result<Passkey> find_passkey(sql::Transaction& tx, std::string_view credential_id);
/// Oldest first: all of them, at most kMaxPasskeys.
std::vector<Passkey> list_passkeys(sql::Transaction& tx, PersonId person);
/// Errc::invalid (label), Errc::not_found, as the next.
Result<void> set_passkey_label(sql::Transaction& tx, PersonId person,
                               std::string_view credential_id, std::string_view label);
Result<void> remove_passkey(sql::Transaction& tx, PersonId person, std::string_view credential_id);

struct PasskeyUse {
  std::uint32_t counter = 0;
  Backup backup = Backup::not_eligible;
  Timestamp now;
};
/// Errc::denied when the counter didn't grow (a cloned device; WebAuthn L3 §7.2): the
/// sign-in must not go on. Errc::not_found.
Result<void> note_passkey_use(sql::Transaction& tx, std::string_view credential_id,
                              const PasskeyUse& use);

}  // namespace postern::accounts
