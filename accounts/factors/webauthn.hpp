// Passkeys, the server's side: the options that a page passes to navigator.credentials, and the
// verification of what comes back (W3C Web Authentication Level 3 §7.1 and §7.2, which hold
// Level 2's checks too). Signatures and keys are libfido2's work; everything around them is here.
//
// Owner and lifetime: no state; any thread. The caller makes a challenge, keeps it for one ceremony
// and some minutes, and takes it away when the answer comes, whatever the answer. The caller also
// sees to it that a credential id belongs to one person only (§7.1 step 26), stores the new counter
// and flags after each sign-in, and looks the credential up by the id that the browser names.
//
// Untrusted: every field of the two responses, as bytes (base64url is the caller's). Sizes, nesting
// and forms are bounded and strict: no trailing bytes, no duplicate keys, minimal CBOR.
// Errc::invalid: malformed. Errc::unsupported: a format or algorithm that isn't on the list.
// Errc::denied: well-formed, but not a proof. The messages are for logs.
//
// Attestation: "none", "packed" (self and certificate) and "fido-u2f" are checked as §8.7, §8.2 and
// §8.6 say. Options ask for "none", and no certificate leads to a trust anchor: what a certificate
// says about the make of an authenticator is not believed, and nothing here depends on it.
//
// Deliberately missing: other attestation formats, RSA keys other than 2048 bits (libfido2 knows
// no other), cross-origin frames, extensions (unasked ones are passed over), token binding
// (Level 3 dropped it).
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace postern::accounts::webauthn {

inline constexpr std::size_t kChallengeSize = 32;           ///< bytes
inline constexpr std::size_t kMinCredentialId = 16;         ///< bytes, §4 "Credential ID"
inline constexpr std::size_t kMaxCredentialId = 1023;       ///< bytes, §4
inline constexpr std::size_t kMaxUserHandle = 64;           ///< bytes, §4 "User Handle"
inline constexpr std::size_t kMaxClientData = 8 * 1024;     ///< bytes
inline constexpr std::size_t kMaxAttestation = 16 * 1024;   ///< bytes, attestationObject
inline constexpr std::size_t kMaxAuthenticatorData = 4096;  ///< bytes, at sign-in
inline constexpr std::size_t kMaxSignature = 1024;          ///< bytes

/// COSE algorithm numbers (RFC 9053 §2; RFC 8812 §2), all that are accepted.
enum class Algorithm : std::int32_t { es256 = -7, eddsa = -8, rs256 = -257 };
/// nullopt for a number that isn't on the list.
std::optional<Algorithm> algorithm_from_number(std::int64_t number);

/// Whether the authenticator must have checked a PIN or a finger.
enum class UserVerification : std::uint8_t {
  required,   ///< the passkey stands alone
  preferred,  ///< it only comes after a password; the outcome says whether it happened
};
enum class ResidentKey : std::uint8_t { required, preferred };
/// Who says whose credential it is (§7.2 step 6).
enum class Identified : std::uint8_t {
  before,      ///< by name or password; a user handle may be missing
  by_passkey,  ///< by the credential alone; the user handle must be there
};

/// What a ceremony is about; the same for the options and for the check of the answer.
struct Ceremony {
  std::string challenge;             ///< kChallengeSize raw bytes of make_challenge()
  std::string rp_id;                 ///< "example.org": a host name, lower case
  std::string rp_name;               ///< shown to people
  std::vector<std::string> origins;  ///< "https://console.example.org"; compared as they stand
  UserVerification user_verification = UserVerification::required;
};

std::string make_challenge();

/// A credential that a person has already, for allowCredentials and excludeCredentials.
struct KnownCredential {
  std::string id;                       ///< raw bytes
  std::vector<std::string> transports;  ///< "usb", "internal", ...; may be empty
};

struct NewCredentialUser {
  std::string handle;  ///< 1 to kMaxUserHandle raw bytes that say nothing about the person
  std::string name;    ///< "alice@example.org"
  std::string display_name;
};

inline constexpr std::chrono::milliseconds kCeremonyTime = std::chrono::minutes(5);

/// PublicKeyCredentialCreationOptionsJSON (§5.1.8).
boost::json::object creation_options(const Ceremony& ceremony, const NewCredentialUser& user,
                                     ResidentKey resident_key,
                                     std::span<const KnownCredential> exclude);
/// PublicKeyCredentialRequestOptionsJSON (§5.1.9). No `allow`: any passkey of this site.
boost::json::object request_options(const Ceremony& ceremony,
                                    std::span<const KnownCredential> allow);

struct RegistrationResponse {
  std::string_view client_data_json;
  std::string_view attestation_object;
};

/// What is stored of a new credential.
struct Credential {
  std::string id;  ///< raw bytes
  Algorithm algorithm = Algorithm::es256;
  std::string public_key;  ///< libfido2's form: x and y (64), Ed25519 key (32), n and e (259 bytes)
  std::uint32_t sign_count = 0;
  bool user_verified = false;
  bool backup_eligible = false;  ///< may be synchronised between devices
  bool backed_up = false;
  std::string aaguid;  ///< 16 raw bytes; the authenticator's model, unproven
  std::string format;  ///< "none", "packed", "fido-u2f"
};

/// §7.1.
Result<Credential> verify_registration(const Ceremony& ceremony,
                                       const RegistrationResponse& response);

struct AssertionResponse {
  std::string_view credential_id;  ///< rawId
  std::string_view client_data_json;
  std::string_view authenticator_data;
  std::string_view signature;
  std::optional<std::string_view> user_handle;
};

/// What the database holds of the credential that the response names.
struct StoredCredential {
  std::string id;
  Algorithm algorithm = Algorithm::es256;
  std::string public_key;
  std::uint32_t sign_count = 0;
  bool backup_eligible = false;
  std::string user_handle;  ///< its owner's
};

struct Assertion {
  std::uint32_t sign_count = 0;  ///< to be stored
  bool user_verified = false;
  bool backed_up = false;  ///< to be stored
};

/// §7.2. A counter that doesn't grow, unless it is zero on both sides, is refused: the credential
/// has a copy.
Result<Assertion> verify_assertion(const Ceremony& ceremony, const StoredCredential& stored,
                                   const AssertionResponse& response, Identified identified);

}  // namespace postern::accounts::webauthn
