// Sign-in with a passkey (declared in webauthn.hpp): Web Authentication Level 3 §7.2.
#include "accounts/factors/authenticator_data.hpp"
#include "accounts/factors/cbor_reader.hpp"
#include "accounts/factors/client_data.hpp"
#include "accounts/factors/fido_handles.hpp"
#include "accounts/factors/webauthn.hpp"
#include "core/crypto.hpp"

namespace postern::accounts::webauthn {

namespace {

/// §7.2 steps 5 and 6: the credential that was asked for, and its owner.
Result<void> check_owner(const StoredCredential& stored, const AssertionResponse& response,
                         Identified identified) {
  if (response.credential_id != stored.id) {
    return fail(Errc::denied, "assertion: another credential");
  }
  if (!response.user_handle) {
    if (identified == Identified::before) return {};
    return fail(Errc::denied, "assertion: no user handle to say whose credential it is");
  }
  if (stored.user_handle.empty() || *response.user_handle != stored.user_handle) {
    return fail(Errc::denied, "assertion: another user's credential");
  }
  return {};
}

/// §7.2 step 22.
Result<void> check_counter(std::uint32_t stored, std::uint32_t given) {
  const bool counts = stored != 0 || given != 0;
  if (counts && given <= stored) {
    return fail(Errc::denied, "assertion: the counter went back; the credential has a copy");
  }
  return {};
}

/// libfido2 wants to know beforehand which extensions came; the two it knows are never asked for.
int extension_mask(std::string_view extensions) {
  if (extensions.empty()) return 0;
  CborReader reader(extensions);
  const auto entries = reader.map_size();
  int mask = 0;
  for (std::size_t i = 0; entries && i < *entries; ++i) {
    const auto name = reader.text();
    if (!name || !reader.skip()) return 0;
    if (*name == "hmac-secret") mask |= FIDO_EXT_HMAC_SECRET;
    if (*name == "credBlob") mask |= FIDO_EXT_CRED_BLOB;
  }
  return mask;
}

bool fill(fido_assert_t* assertion, const Ceremony& ceremony, const AuthenticatorData& data,
          const AssertionResponse& response) {
  const auto bytes = response.authenticator_data;
  const auto hash = crypto::sha256(response.client_data_json);
  const bool verify = ceremony.user_verification == UserVerification::required;
  return fido_assert_set_count(assertion, 1) == FIDO_OK &&
         fido_assert_set_rp(assertion, ceremony.rp_id.c_str()) == FIDO_OK &&
         fido_assert_set_up(assertion, FIDO_OPT_TRUE) == FIDO_OK &&
         fido_assert_set_uv(assertion, verify ? FIDO_OPT_TRUE : FIDO_OPT_OMIT) == FIDO_OK &&
         fido_assert_set_extensions(assertion, extension_mask(data.extensions)) == FIDO_OK &&
         fido_assert_set_clientdata_hash(assertion, fido_bytes(hash), hash.size()) == FIDO_OK &&
         fido_assert_set_authdata_raw(assertion, 0, fido_bytes(bytes), bytes.size()) == FIDO_OK &&
         fido_assert_set_sig(assertion, 0, fido_bytes(response.signature),
                             response.signature.size()) == FIDO_OK;
}

/// §7.2 steps 20 and 21.
Result<void> verify_signature(const Ceremony& ceremony, const StoredCredential& stored,
                              const AuthenticatorData& data, const AssertionResponse& response) {
  const auto key = FidoKey::load(stored.algorithm, stored.public_key);
  if (!key) return fail(Errc::corrupt, "assertion: the stored key is no key");
  const auto assertion = make_fido_assertion();
  if (!fill(assertion.get(), ceremony, data, response)) {
    return fail(Errc::invalid, "assertion: libfido2 doesn't take it");
  }
  if (key->verify(assertion) != FIDO_OK) {
    return fail(Errc::denied, "assertion: the signature is not the credential's");
  }
  return {};
}

Result<void> check_sizes(const AssertionResponse& response) {
  if (response.authenticator_data.size() > kMaxAuthenticatorData ||
      response.signature.size() > kMaxSignature) {
    return fail(Errc::too_large, "assertion: too long");
  }
  return {};
}

}  // namespace

Result<Assertion> verify_assertion(const Ceremony& ceremony, const StoredCredential& stored,
                                   const AssertionResponse& response, Identified identified) {
  const auto sizes = check_sizes(response);
  if (!sizes) return std::unexpected(sizes.error());
  const auto owner = check_owner(stored, response, identified);
  if (!owner) return std::unexpected(owner.error());
  const auto client_data = check_client_data(ceremony, kTypeGet, response.client_data_json);
  if (!client_data) return std::unexpected(client_data.error());
  const auto data = parse_authenticator_data(response.authenticator_data, Moment::assertion);
  if (!data) return std::unexpected(data.error());
  const auto flags = check_authenticator_data(ceremony, *data);
  if (!flags) return std::unexpected(flags.error());
  if (data->backup_eligible() != stored.backup_eligible) {
    return fail(Errc::denied, "assertion: eligibility for backup has changed");
  }
  const auto signature = verify_signature(ceremony, stored, *data, response);
  if (!signature) return std::unexpected(signature.error());
  // Only now: a counter that nobody signed says nothing.
  const auto counter = check_counter(stored.sign_count, data->sign_count);
  if (!counter) return std::unexpected(counter.error());
  return Assertion{data->sign_count, data->user_verified(), data->backed_up()};
}

}  // namespace postern::accounts::webauthn
