// Passkeys against the standard's own vectors.
#include "tests/accounts/factors/webauthn_vectors.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "accounts/factors/webauthn.hpp"
#include "core/encoding.hpp"

using namespace postern;
using namespace postern::accounts::webauthn;
using namespace postern::accounts::webauthn::test;

namespace {

std::string raw(std::string_view hex) { return *hex_decode(hex); }

Ceremony ceremony(std::string_view challenge, UserVerification verification) {
  return {raw(challenge), "example.org", "Example", {"https://example.org"}, verification};
}

Result<Credential> enrol(const Vector& vector,
                         UserVerification verification = UserVerification::preferred) {
  const auto client_data = raw(vector.registration_client_data);
  const auto object = raw(vector.attestation_object);
  return verify_registration(ceremony(vector.registration_challenge, verification),
                             {client_data, object});
}

StoredCredential stored(const Credential& credential) {
  return {credential.id,         credential.algorithm,       credential.public_key,
          credential.sign_count, credential.backup_eligible, "handle"};
}

Result<Assertion> sign_in(const Vector& vector, const StoredCredential& credential,
                          std::string_view authenticator_data, std::string_view signature,
                          UserVerification verification = UserVerification::preferred) {
  const auto client_data = raw(vector.client_data);
  return verify_assertion(ceremony(vector.challenge, verification), credential,
                          {credential.id, client_data, authenticator_data, signature, std::nullopt},
                          Identified::before);
}

struct Expected {
  const Vector& vector;
  Algorithm algorithm;
  std::string format;
  bool user_verified, backup_eligible, backed_up;  // of the registration
  bool sign_in_user_verified, sign_in_backed_up;
};

// The flags as the vectors' authenticator data has them (byte 33), read by eye.
const std::vector<Expected>& good() {
  static const std::vector<Expected> table{
      {kNoneEs256, Algorithm::es256, "none", false, true, true, false, true},
      {kSelfEs256, Algorithm::es256, "packed", true, true, true, false, false},
      {kLongId, Algorithm::es256, "none", false, true, false, true, false},
      {kPackedEs256, Algorithm::es256, "packed", true, true, false, true, false},
      {kPackedEddsa, Algorithm::eddsa, "packed", false, false, false, false, false},
      {kU2fEs256, Algorithm::es256, "fido-u2f", false, false, false, false, false},
  };
  return table;
}

}  // namespace

TEST_CASE("published_registrations_and_sign_ins_verify") {
  for (const auto& expected : good()) {
    const auto& vector = expected.vector;
    INFO(vector.name);
    const auto credential = enrol(vector);
    if (!credential) FAIL(credential.error().message);
    CHECK(credential->id == raw(vector.credential_id));
    CHECK(credential->aaguid == raw(vector.aaguid));
    CHECK(credential->algorithm == expected.algorithm);
    CHECK(credential->format == expected.format);
    CHECK(credential->sign_count == 0);
    CHECK(credential->user_verified == expected.user_verified);
    CHECK(credential->backup_eligible == expected.backup_eligible);
    CHECK(credential->backed_up == expected.backed_up);

    const auto outcome =
        sign_in(vector, stored(*credential), raw(vector.authenticator_data), raw(vector.signature));
    if (!outcome) FAIL(outcome.error().message);
    CHECK(outcome->sign_count == 0);
    CHECK(outcome->user_verified == expected.sign_in_user_verified);
    CHECK(outcome->backed_up == expected.sign_in_backed_up);
  }
}

TEST_CASE("published_vectors_without_user_verification_are_refused_where_it_is_required") {
  for (const auto& expected : good()) {
    INFO(expected.vector.name);
    const auto strict = enrol(expected.vector, UserVerification::required);
    CHECK(strict.has_value() == expected.user_verified);
    if (!strict) CHECK(strict.error().code == Errc::denied);
    const auto credential = enrol(expected.vector);
    REQUIRE(credential);
    const auto outcome =
        sign_in(expected.vector, stored(*credential), raw(expected.vector.authenticator_data),
                raw(expected.vector.signature), UserVerification::required);
    CHECK(outcome.has_value() == expected.sign_in_user_verified);
    if (!outcome) CHECK(outcome.error().code == Errc::denied);
  }
}

TEST_CASE("published_vectors_from_frames_of_other_origins_are_refused") {
  for (const auto* vector : {&kCrossOrigin, &kTopOrigin}) {
    INFO(vector->name);
    const auto credential = enrol(*vector);
    REQUIRE_FALSE(credential);
    CHECK(credential.error().code == Errc::denied);
  }
}

TEST_CASE("published_sign_in_of_one_credential_is_refused_for_another") {
  for (const auto& owner : good()) {
    const auto credential = enrol(owner.vector);
    REQUIRE(credential);
    for (const auto& other : good()) {
      if (&owner == &other) continue;
      INFO(owner.vector.name << " signs in with " << other.vector.name);
      auto wrong = stored(*credential);
      wrong.backup_eligible = other.backup_eligible;  // so that only the key differs
      CHECK_FALSE(sign_in(other.vector, wrong, raw(other.vector.authenticator_data),
                          raw(other.vector.signature)));
    }
  }
}

TEST_CASE("published_sign_in_with_any_bit_changed_is_refused") {
  for (const auto* vector : {&kPackedEs256, &kPackedEddsa}) {
    const auto credential = enrol(*vector);
    REQUIRE(credential);
    const auto owner = stored(*credential);
    const auto data = raw(vector->authenticator_data);
    const auto signature = raw(vector->signature);
    REQUIRE(sign_in(*vector, owner, data, signature));
    const auto bits = (data.size() + signature.size()) * 8;
    for (std::size_t bit = 0; bit < bits; ++bit) {
      auto both = data + signature;
      both[bit / 8] = static_cast<char>(both[bit / 8] ^ 1 << bit % 8);
      INFO(vector->name << " bit " << bit);
      CHECK_FALSE(sign_in(*vector, owner, both.substr(0, data.size()), both.substr(data.size())));
    }
  }
}

TEST_CASE("published_attestation_with_any_byte_changed_is_refused") {
  for (const auto* vector : {&kSelfEs256, &kPackedEs256, &kU2fEs256}) {
    const auto object = raw(vector->attestation_object);
    const auto client_data = raw(vector->registration_client_data);
    const auto expected = ceremony(vector->registration_challenge, UserVerification::preferred);
    const auto certificate = object.find("\x30\x82");  // DER of a certificate, if there is one
    const auto data = object.find("authData");
    for (std::size_t i = 0; i < object.size(); ++i) {
      // The certificate's own signature leads to no anchor and isn't looked at; nor does U2F sign
      // flags, counter and model, which come to it as zeros.
      if (certificate != std::string::npos && i >= certificate && i < data) continue;
      const auto offset = i - data - 10;  // of authData, behind its key and head
      if (vector == &kU2fEs256 && i > data && offset >= 32 && offset < 53) continue;
      auto changed = object;
      changed[i] = static_cast<char>(changed[i] ^ 0x01);
      INFO(vector->name << " byte " << i);
      CHECK_FALSE(verify_registration(expected, {client_data, changed}));
    }
  }
}

TEST_CASE("published_attestation_cut_off_or_continued_is_refused") {
  for (const auto& expected : good()) {
    const auto object = raw(expected.vector.attestation_object);
    const auto client_data = raw(expected.vector.registration_client_data);
    const auto now = ceremony(expected.vector.registration_challenge, UserVerification::preferred);
    INFO(expected.vector.name);
    for (std::size_t size = 0; size < object.size(); ++size) {
      CHECK_FALSE(verify_registration(now, {client_data, object.substr(0, size)}));
    }
    const auto longer = object + '\0';
    CHECK_FALSE(verify_registration(now, {client_data, longer}));
  }
}
