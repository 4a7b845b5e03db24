#include "accounts/factors/authenticator_data.hpp"

#include <algorithm>

#include "accounts/factors/cbor_reader.hpp"
#include "core/crypto.hpp"

namespace postern::accounts::webauthn {

namespace {

constexpr std::size_t kHashSize = 32;
constexpr std::size_t kFixedSize = kHashSize + 1 + 4;
constexpr std::size_t kAaguidSize = 16;
constexpr std::size_t kAttestedFixedSize = kAaguidSize + 2;
constexpr std::int64_t kCoseAlgorithm = 3;  // the label, RFC 9052 §7.1
constexpr std::size_t kMaxCoseEntries = 8;

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t out = 0;
  for (const char c : bytes) out = out << 8U | static_cast<unsigned char>(c);
  return out;
}

/// The algorithm of a COSE_Key with integer labels. The rest of the key is libfido2's to judge.
Result<Algorithm> cose_algorithm(std::string_view cose_key) {
  const auto malformed = [] { return fail(Errc::invalid, "COSE key: malformed"); };
  CborReader reader(cose_key);
  const auto entries = reader.map_size();
  if (!entries || *entries > kMaxCoseEntries) return malformed();
  std::vector<std::int64_t> labels;
  labels.reserve(*entries);
  std::optional<std::int64_t> number;
  for (std::size_t i = 0; i < *entries; ++i) {
    const auto label = reader.integer();
    if (!label || std::ranges::find(labels, *label) != labels.end()) return malformed();
    labels.push_back(*label);
    if (*label == kCoseAlgorithm) {
      number = reader.integer();
      if (!number) return malformed();
    } else if (!reader.skip()) {
      return malformed();
    }
  }
  if (!number) return malformed();
  const auto algorithm = algorithm_from_number(*number);
  if (!algorithm) return fail(Errc::unsupported, "COSE key: an algorithm that isn't accepted");
  return *algorithm;
}

/// Takes the attested credential data off the front of `rest`.
Result<AttestedCredential> take_credential(std::string_view& rest) {
  if (rest.size() < kAttestedFixedSize) {
    return fail(Errc::invalid, "authenticator data: the credential is cut off");
  }
  AttestedCredential out;
  out.aaguid = rest.substr(0, kAaguidSize);
  const auto id_size = big_endian(rest.substr(kAaguidSize, 2));
  rest.remove_prefix(kAttestedFixedSize);
  if (id_size < kMinCredentialId || id_size > kMaxCredentialId) {
    return fail(Errc::invalid, "authenticator data: the credential id has an unlawful length");
  }
  if (rest.size() < id_size) {
    return fail(Errc::invalid, "authenticator data: the credential id is cut off");
  }
  out.id = rest.substr(0, id_size);
  CborReader reader(rest.substr(id_size));
  const auto key = reader.skip();
  if (!key) return fail(Errc::invalid, "authenticator data: the public key is malformed");
  out.cose_key = *key;
  rest = reader.rest();
  const auto algorithm = cose_algorithm(out.cose_key);
  if (!algorithm) return std::unexpected(algorithm.error());
  out.algorithm = *algorithm;
  return out;
}

/// Takes the extensions off the front of `rest`.
Result<std::string_view> take_extensions(std::string_view& rest) {
  CborReader reader(rest);
  if (!CborReader(rest).map_size()) {
    return fail(Errc::invalid, "authenticator data: the extensions are no map");
  }
  const auto map = reader.skip();
  if (!map) return fail(Errc::invalid, "authenticator data: the extensions are malformed");
  rest = reader.rest();
  return *map;
}

}  // namespace

Result<AuthenticatorData> parse_authenticator_data(std::string_view bytes, Moment moment) {
  if (bytes.size() < kFixedSize) return fail(Errc::invalid, "authenticator data: cut off");
  AuthenticatorData out;
  out.rp_id_hash = bytes.substr(0, kHashSize);
  out.flags = static_cast<std::uint8_t>(bytes[kHashSize]);
  out.sign_count = big_endian(bytes.substr(kHashSize + 1, 4));
  auto rest = bytes.substr(kFixedSize);
  if (out.has_credential() != (moment == Moment::registration)) {
    return fail(Errc::invalid, "authenticator data: a credential is missing or out of place");
  }
  if (out.has_credential()) {
    auto credential = take_credential(rest);
    if (!credential) return std::unexpected(credential.error());
    out.credential = *credential;
  }
  if (out.has_extensions()) {
    const auto extensions = take_extensions(rest);
    if (!extensions) return std::unexpected(extensions.error());
    out.extensions = *extensions;
  }
  if (!rest.empty()) return fail(Errc::invalid, "authenticator data: trailing bytes");
  return out;
}

Result<void> check_authenticator_data(const Ceremony& ceremony, const AuthenticatorData& data) {
  if (!crypto::constant_time_equal(data.rp_id_hash, crypto::sha256(ceremony.rp_id))) {
    return fail(Errc::denied, "authenticator data: made for another site");
  }
  if (!data.user_present()) return fail(Errc::denied, "authenticator data: nobody was present");
  const bool must_verify = ceremony.user_verification == UserVerification::required;
  if (must_verify && !data.user_verified()) {
    return fail(Errc::denied, "authenticator data: the user wasn't verified");
  }
  if (data.backed_up() && !data.backup_eligible()) {
    return fail(Errc::invalid, "authenticator data: backed up, but not eligible for it");
  }
  return {};
}

}  // namespace postern::accounts::webauthn
