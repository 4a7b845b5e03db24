// The certificate that `init` writes, so that TLS works before the operator has a real one.
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "core/ascii.hpp"
#include "core/ip_address.hpp"
#include "core/random.hpp"
#include "core/tls/context.hpp"
#include "core/tls/error.hpp"

namespace postern::tls {

namespace {
template <auto F>
struct Free {
  template <class T>
  void operator()(T* object) const noexcept {
    F(object);
  }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Free<X509_free>>;
using BioPtr = std::unique_ptr<BIO, Free<BIO_free_all>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>>;

constexpr std::size_t kMaxHostname = 253;
constexpr std::size_t kMaxCommonName = 64;  // RFC 5280 appendix A, ub-common-name
constexpr std::size_t kSerialBytes = 16;
constexpr int kDays = 3650;
constexpr long kClockSkew = 24 * 3600;  // a client whose clock is behind is no reason to fail

bool valid_hostname(const std::string& name) {
  if (name.empty() || name.size() > kMaxHostname) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return ascii::is_alnum(c) || c == '-' || c == '.' || c == ':'; });
}

bool add_name(GENERAL_NAMES* names, const std::string& text) {
  const auto address = parse_ip(text);
  const bool dns = !address;
  std::string value = text;
  if (!dns && address->is_v4()) {
    const auto raw = address->to_v4().to_bytes();
    value.assign(raw.begin(), raw.end());
  } else if (!dns) {
    const auto raw = address->to_v6().to_bytes();
    value.assign(raw.begin(), raw.end());
  }
  ASN1_STRING* string = ASN1_STRING_type_new(dns ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
  GENERAL_NAME* name = GENERAL_NAME_new();
  if (string == nullptr || name == nullptr ||
      ASN1_STRING_set(string, value.data(), static_cast<int>(value.size())) != 1) {
    ASN1_STRING_free(string);
    GENERAL_NAME_free(name);
    return false;
  }
  GENERAL_NAME_set0_value(name, dns ? GEN_DNS : GEN_IPADD, string);
  if (sk_GENERAL_NAME_push(names, name) > 0) return true;
  GENERAL_NAME_free(name);
  return false;
}

bool add_alternative_names(X509* certificate, const std::string& hostname) {
  const NamesPtr names(sk_GENERAL_NAME_new_null());
  if (!names) return false;
  std::vector<std::string> wanted{hostname};
  for (const char* also : {"localhost", "127.0.0.1", "::1"}) {
    if (also != hostname) wanted.emplace_back(also);
  }
  for (const auto& name : wanted) {
    if (!add_name(names.get(), name)) return false;
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) ==
         1;
}

bool add_extension(X509* certificate, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::string random = random_bytes(kSerialBytes);
  random[0] = static_cast<char>((random[0] & 0x3f) | 0x40);  // positive, of full length
  const std::unique_ptr<BIGNUM, Free<BN_free>> number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(random.data()), kSerialBytes, nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool fill(X509* certificate, EVP_PKEY* key, const std::string& hostname) {
  const std::string common = hostname.size() <= kMaxCommonName ? hostname : "postern";
  X509_NAME* subject = X509_get_subject_name(certificate);
  return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kClockSkew) != nullptr &&
         X509_time_adj_ex(X509_getm_notAfter(certificate), kDays, 0, nullptr) != nullptr &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(common.c_str()), -1, -1,
                                    0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1 &&
         X509_set_pubkey(certificate, key) == 1 && add_alternative_names(certificate, hostname) &&
         add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, NID_ext_key_usage, "serverAuth,clientAuth") &&
         add_extension(certificate, NID_subject_key_identifier, "hash") &&
         X509_sign(certificate, key, EVP_sha256()) > 0;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}
}  // namespace

Result<SelfSigned> make_self_signed(const std::string& hostname) {
  if (!valid_hostname(hostname)) return fail(Errc::invalid, "not a host name: " + hostname);
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate(X509_new());
  const BioPtr certificate_pem(BIO_new(BIO_s_mem()));
  const BioPtr key_pem(BIO_new(BIO_s_secmem()));
  if (!key || !certificate || !certificate_pem || !key_pem ||
      !fill(certificate.get(), key.get(), hostname) ||
      PEM_write_bio_X509(certificate_pem.get(), certificate.get()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1) {
    return fail(Errc::unsupported, "a self-signed certificate: " + take_error_text());
  }
  return SelfSigned{text_of(certificate_pem.get()), text_of(key_pem.get())};
}

}  // namespace postern::tls
