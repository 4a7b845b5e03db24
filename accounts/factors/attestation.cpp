#include "accounts/factors/attestation.hpp"

#include "accounts/factors/cbor_reader.hpp"

namespace postern::accounts::webauthn {

namespace {

std::unexpected<Error> malformed() { return fail(Errc::invalid, "attestation: malformed"); }
std::unexpected<Error> bad_statement() {
  return fail(Errc::invalid, "attestation: the statement has another form");
}

/// Sets what was empty; false when the key came before or the value isn't what it must be.
template <class T>
bool set_once(std::optional<T>& member, std::optional<T> value) {
  if (member || !value) return false;
  member = std::move(value);
  return true;
}

std::optional<std::vector<std::string_view>> read_certificates(CborReader& reader) {
  const auto size = reader.array_size();
  if (!size || *size == 0 || *size > kMaxCertificates) return std::nullopt;
  std::vector<std::string_view> out;
  out.reserve(*size);
  for (std::size_t i = 0; i < *size; ++i) {
    const auto certificate = reader.bytes();
    if (!certificate || certificate->empty()) return std::nullopt;
    out.push_back(*certificate);
  }
  return out;
}

Result<AttestationStatement> parse_statement(std::string_view bytes) {
  CborReader reader(bytes);
  const auto entries = reader.map_size();
  if (!entries) return malformed();
  AttestationStatement out;
  for (std::size_t i = 0; i < *entries; ++i) {
    const auto key = reader.text();
    bool good = false;
    if (key == "alg") {
      good = set_once(out.algorithm, reader.integer());
    } else if (key == "sig") {
      good = set_once(out.signature, reader.bytes());
    } else if (key == "x5c") {
      good = set_once(out.certificates, read_certificates(reader));
    }
    if (!good) return bad_statement();
  }
  if (!reader.done()) return malformed();
  if (out.signature && out.signature->size() > kMaxSignature) return bad_statement();
  return out;
}

/// §8.2: alg and sig, and x5c where it isn't self attestation.
Result<void> check_packed(const AttestationStatement& statement,
                          const AttestedCredential& credential) {
  if (!statement.algorithm || !statement.signature) return bad_statement();
  const auto algorithm = algorithm_from_number(*statement.algorithm);
  if (!algorithm) return fail(Errc::unsupported, "attestation: an algorithm that isn't accepted");
  if (statement.certificates) {
    return check_packed_certificate(statement.certificates->front(), credential.aaguid);
  }
  if (*algorithm != credential.algorithm) {
    return fail(Errc::denied, "attestation: self attestation by another algorithm");
  }
  return {};
}

/// §8.6: sig and one certificate.
Result<void> check_u2f(const AttestationStatement& statement,
                       const AttestedCredential& credential) {
  if (statement.algorithm || !statement.signature || !statement.certificates ||
      statement.certificates->size() != 1) {
    return bad_statement();
  }
  // U2F has no other kind of key, and libfido2 takes this one as given.
  if (credential.algorithm != Algorithm::es256) return bad_statement();
  return check_u2f_certificate(statement.certificates->front());
}

Result<void> check_form(std::string_view format, const AttestationStatement& statement,
                        const AttestedCredential& credential) {
  if (format == "packed") return check_packed(statement, credential);
  if (format == "fido-u2f") return check_u2f(statement, credential);
  if (format != "none") {
    return fail(Errc::unsupported, "attestation: a format that isn't accepted");
  }
  if (statement.algorithm || statement.signature || statement.certificates) return bad_statement();
  return {};
}

}  // namespace

Result<AttestationObject> parse_attestation_object(std::string_view bytes) {
  if (bytes.size() > kMaxAttestation) return fail(Errc::too_large, "attestation: too long");
  CborReader reader(bytes);
  if (reader.map_size() != 3) return malformed();
  std::optional<std::string_view> format;
  std::optional<std::string_view> statement;
  std::optional<std::string_view> data;
  for (int i = 0; i < 3; ++i) {
    const auto key = reader.text();
    bool good = false;
    if (key == "fmt") {
      good = set_once(format, reader.text());
    } else if (key == "attStmt") {
      good = set_once(statement, reader.skip());
    } else if (key == "authData") {
      good = set_once(data, reader.bytes());
    }
    if (!good) return malformed();
  }
  if (!reader.done()) return fail(Errc::invalid, "attestation: trailing bytes");
  return AttestationObject{*format, *statement, *data};
}

Result<AttestationStatement> check_statement(const AttestationObject& object,
                                             const AttestedCredential& credential) {
  // Before the members: a format that isn't ours may have any.
  if (object.format != "none" && object.format != "packed" && object.format != "fido-u2f") {
    return fail(Errc::unsupported, "attestation: a format that isn't accepted");
  }
  auto statement = parse_statement(object.statement);
  if (!statement) return statement;
  if (auto form = check_form(object.format, *statement, credential); !form) {
    return std::unexpected(form.error());
  }
  return statement;
}

}  // namespace postern::accounts::webauthn
