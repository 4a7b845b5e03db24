// Registration of a passkey (declared in webauthn.hpp): Web Authentication Level 3 §7.1.
#include "accounts/factors/attestation.hpp"
#include "accounts/factors/authenticator_data.hpp"
#include "accounts/factors/cbor_reader.hpp"
#include "accounts/factors/client_data.hpp"
#include "accounts/factors/fido_handles.hpp"
#include "accounts/factors/webauthn.hpp"
#include "core/crypto.hpp"

namespace postern::accounts::webauthn {

namespace {

std::unexpected<Error> refused() {
  return fail(Errc::invalid, "registration: libfido2 doesn't take the credential");
}

/// libfido2 wants to know beforehand which extensions came. Unasked ones are no fault (§7.1 step
/// 19), and some browsers ask for these two by themselves.
bool declare_extensions(fido_cred_t* credential, std::string_view extensions) {
  if (extensions.empty()) return true;
  CborReader reader(extensions);
  const auto entries = reader.map_size();
  int mask = 0;
  for (std::size_t i = 0; entries && i < *entries; ++i) {
    const auto name = reader.text();
    const auto value = reader.skip();
    if (!name || !value) return false;
    if (*name == "hmac-secret" && *value == "\xf5") mask |= FIDO_EXT_HMAC_SECRET;
    const auto level = CborReader(*value).integer();
    if (*name == "credProtect" && level && *level >= 1 && *level <= 3) {
      if (fido_cred_set_prot(credential, static_cast<int>(*level)) != FIDO_OK) return false;
    }
  }
  return mask == 0 || fido_cred_set_extensions(credential, mask) == FIDO_OK;
}

int required_or_omitted(const Ceremony& ceremony) {
  return ceremony.user_verification == UserVerification::required ? FIDO_OPT_TRUE : FIDO_OPT_OMIT;
}

bool fill(fido_cred_t* credential, const Ceremony& ceremony, const AttestationObject& object,
          const AuthenticatorData& data, std::string_view client_data_hash) {
  const auto bytes = object.authenticator_data;
  const auto type = static_cast<int>(data.credential->algorithm);
  const auto uv = static_cast<fido_opt_t>(required_or_omitted(ceremony));
  return fido_cred_set_type(credential, type) == FIDO_OK &&
         fido_cred_set_rp(credential, ceremony.rp_id.c_str(), nullptr) == FIDO_OK &&
         fido_cred_set_uv(credential, uv) == FIDO_OK &&
         fido_cred_set_clientdata_hash(credential, fido_bytes(client_data_hash),
                                       client_data_hash.size()) == FIDO_OK &&
         fido_cred_set_fmt(credential, std::string(object.format).c_str()) == FIDO_OK &&
         declare_extensions(credential, data.extensions) &&
         fido_cred_set_authdata_raw(credential, fido_bytes(bytes), bytes.size()) == FIDO_OK;
}

/// The signature of the statement, by the certificate or by the credential itself.
Result<void> verify_statement(fido_cred_t* credential, const AttestationObject& object,
                              const AttestationStatement& statement) {
  if (object.format == "none") return {};
  const auto bytes = object.statement;
  if (fido_cred_set_attstmt(credential, fido_bytes(bytes), bytes.size()) != FIDO_OK) {
    return refused();
  }
  const int outcome =
      statement.certificates ? fido_cred_verify(credential) : fido_cred_verify_self(credential);
  if (outcome != FIDO_OK) return fail(Errc::denied, "registration: the attestation is not genuine");
  return {};
}

Result<std::string> public_key(const fido_cred_t* credential, Algorithm algorithm) {
  const auto* at = fido_cred_pubkey_ptr(credential);
  if (at == nullptr) return refused();
  std::string out(reinterpret_cast<const char*>(at), fido_cred_pubkey_len(credential));
  if (!FidoKey::load(algorithm, out)) return refused();
  return out;
}

Credential describe(const AttestationObject& object, const AuthenticatorData& data,
                    std::string key) {
  Credential out;
  out.id = data.credential->id;
  out.algorithm = data.credential->algorithm;
  out.public_key = std::move(key);
  out.sign_count = data.sign_count;
  out.user_verified = data.user_verified();
  out.backup_eligible = data.backup_eligible();
  out.backed_up = data.backed_up();
  out.aaguid = data.credential->aaguid;
  out.format = object.format;
  return out;
}

}  // namespace

Result<Credential> verify_registration(const Ceremony& ceremony,
                                       const RegistrationResponse& response) {
  const auto client_data = check_client_data(ceremony, kTypeCreate, response.client_data_json);
  if (!client_data) return std::unexpected(client_data.error());
  const auto object = parse_attestation_object(response.attestation_object);
  if (!object) return std::unexpected(object.error());
  const auto data = parse_authenticator_data(object->authenticator_data, Moment::registration);
  if (!data) return std::unexpected(data.error());
  const auto flags = check_authenticator_data(ceremony, *data);
  if (!flags) return std::unexpected(flags.error());
  const auto statement = check_statement(*object, *data->credential);
  if (!statement) return std::unexpected(statement.error());

  const auto credential = make_fido_credential();
  const auto hash = crypto::sha256(response.client_data_json);
  if (!fill(credential.get(), ceremony, *object, *data, hash)) return refused();
  const auto genuine = verify_statement(credential.get(), *object, *statement);
  if (!genuine) return std::unexpected(genuine.error());
  auto key = public_key(credential.get(), data->credential->algorithm);
  if (!key) return std::unexpected(key.error());
  return describe(*object, *data, std::move(*key));
}

}  // namespace postern::accounts::webauthn
