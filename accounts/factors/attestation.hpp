// Attestation objects (Web Authentication Level 3 §6.5.4) and the statements in them (§8).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "accounts/factors/authenticator_data.hpp"
#include "accounts/factors/webauthn.hpp"
#include "core/result.hpp"

namespace postern::accounts::webauthn {

inline constexpr std::size_t kMaxCertificates = 8;  ///< of a chain in "x5c"

/// Views into the attestation object.
struct AttestationObject {
  std::string_view format;
  std::string_view statement;  ///< the CBOR map, encoded
  std::string_view authenticator_data;
};
Result<AttestationObject> parse_attestation_object(std::string_view bytes);

/// The members that the accepted formats have.
struct AttestationStatement {
  std::optional<std::int64_t> algorithm;
  std::optional<std::string_view> signature;
  std::optional<std::vector<std::string_view>> certificates;  ///< DER, the attesting one first
};

/// The form of the statement as its format wants it: which members there are, which algorithm, and
/// the certificate's own fields (§8.2.1). Signatures are not looked at.
Result<AttestationStatement> check_statement(const AttestationObject& object,
                                             const AttestedCredential& credential);

/// §8.2.1 for the certificate of a "packed" statement.
Result<void> check_packed_certificate(std::string_view der, std::string_view aaguid);
/// §8.6 for that of "fido-u2f": a key on P-256.
Result<void> check_u2f_certificate(std::string_view der);

}  // namespace postern::accounts::webauthn
