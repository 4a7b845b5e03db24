// What attestation certificates must say of themselves (declared in attestation.hpp).
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <string>

#include "accounts/factors/attestation.hpp"

namespace postern::accounts::webauthn {

namespace {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Object = std::unique_ptr<ASN1_OBJECT, Free<ASN1_OBJECT_free>>;

constexpr long kVersion3 = 2;
constexpr const char* kAaguidExtension = "1.3.6.1.4.1.45724.1.1.4";  // id-fido-gen-ce-aaguid
constexpr std::string_view kUnit = "Authenticator Attestation";

std::unexpected<Error> refused() {
  return fail(Errc::invalid, "attestation: the certificate isn't one of an authenticator");
}

/// nullptr unless all of the bytes are one certificate.
Certificate parse(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = at + der.size();
  Certificate out(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();  // what a peer sent must not show as an error of the next call
  return at == end ? std::move(out) : nullptr;
}

std::string subject_field(const X509& certificate, int nid) {
  std::array<char, 256> text{};
  auto* name = X509_get_subject_name(&certificate);
  const int size = X509_NAME_get_text_by_NID(name, nid, text.data(), static_cast<int>(text.size()));
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

bool has_subject(const X509& certificate) {
  return subject_field(certificate, NID_countryName).size() == 2 &&
         !subject_field(certificate, NID_organizationName).empty() &&
         subject_field(certificate, NID_organizationalUnitName) == kUnit &&
         !subject_field(certificate, NID_commonName).empty();
}

/// The extension is optional; where it is, it isn't critical and names the same model.
bool aaguid_agrees(const X509& certificate, std::string_view aaguid) {
  const Object kind(OBJ_txt2obj(kAaguidExtension, 1));
  const int at = X509_get_ext_by_OBJ(&certificate, kind.get(), -1);
  if (at < 0) return true;
  auto* extension = X509_get_ext(&certificate, at);
  const auto* value = X509_EXTENSION_get_data(extension);
  const std::string_view bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                               static_cast<std::size_t>(ASN1_STRING_length(value)));
  // An OCTET STRING of 16 bytes inside of the extension's own.
  return X509_EXTENSION_get_critical(extension) == 0 && bytes.starts_with("\x04\x10") &&
         bytes.substr(2) == aaguid;
}

}  // namespace

Result<void> check_packed_certificate(std::string_view der, std::string_view aaguid) {
  const auto certificate = parse(der);
  if (!certificate || X509_get_version(certificate.get()) != kVersion3) return refused();
  // 0: basic constraints are there and say that it is no authority.
  const bool says = X509_get_ext_by_NID(certificate.get(), NID_basic_constraints, -1) >= 0;
  const bool authority = X509_check_ca(certificate.get()) != 0;
  ERR_clear_error();
  if (!says || authority || !has_subject(*certificate)) return refused();
  if (!aaguid_agrees(*certificate, aaguid)) {
    return fail(Errc::denied, "attestation: the certificate is another model's");
  }
  return {};
}

Result<void> check_u2f_certificate(std::string_view der) {
  const auto certificate = parse(der);
  if (!certificate) return refused();
  const auto* key = X509_get0_pubkey(certificate.get());
  std::array<char, 32> group{};
  std::size_t size = 0;
  const bool named =
      key != nullptr && EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1;
  ERR_clear_error();
  if (!named || std::string_view(group.data(), size) != SN_X9_62_prime256v1) return refused();
  return {};
}

}  // namespace postern::accounts::webauthn
