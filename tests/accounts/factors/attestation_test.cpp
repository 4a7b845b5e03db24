// Which attestation statements and certificates are taken: Web Authentication Level 3 §8.2, §8.2.1
// and §8.6.
#include "accounts/factors/attestation.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/accounts/factors/soft_authenticator.hpp"

using namespace postern;
using namespace postern::accounts::webauthn;
using namespace postern::accounts::webauthn::test;

namespace {

const std::string kModel = "model of 16 byte";

enum class Critical : std::uint8_t { no, yes };

/// A certificate that is right until a test changes it.
struct Draft {
  long version = 2;  // X.509's number of version 3
  std::vector<std::pair<std::string, std::string>> subject{
      {"C", "SE"}, {"O", "Maker"}, {"OU", "Authenticator Attestation"}, {"CN", "Key"}};
  std::string constraints = "critical,CA:FALSE";
  std::string model;  // the value of id-fido-gen-ce-aaguid, DER; empty: no extension
  Critical model_critical = Critical::no;
  std::function<EVP_PKEY*()> make_key = [] { return EVP_EC_gen("P-256"); };

  [[nodiscard]] std::string der() const;
};

template <class T, class Free>
std::unique_ptr<T, Free> own(T* object, Free release) {
  if (object == nullptr) throw std::runtime_error("OpenSSL gives nothing");
  return {object, release};
}

void add_model(X509* certificate, const Draft& draft) {
  const auto kind = own(OBJ_txt2obj("1.3.6.1.4.1.45724.1.1.4", 1), &ASN1_OBJECT_free);
  const auto value = own(ASN1_OCTET_STRING_new(), &ASN1_OCTET_STRING_free);
  ASN1_OCTET_STRING_set(value.get(), reinterpret_cast<const unsigned char*>(draft.model.data()),
                        static_cast<int>(draft.model.size()));
  const int critical = draft.model_critical == Critical::yes ? 1 : 0;
  const auto extension =
      own(X509_EXTENSION_create_by_OBJ(nullptr, kind.get(), critical, value.get()),
          &X509_EXTENSION_free);
  X509_add_ext(certificate, extension.get(), -1);
}

std::string Draft::der() const {
  const auto key = own(make_key(), &EVP_PKEY_free);
  const auto certificate = own(X509_new(), &X509_free);
  X509_set_version(certificate.get(), version);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400);
  X509_set_pubkey(certificate.get(), key.get());
  auto* name = X509_get_subject_name(certificate.get());
  for (const auto& [field, text] : subject) {
    X509_NAME_add_entry_by_txt(name, field.c_str(), MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(text.data()),
                               static_cast<int>(text.size()), -1, 0);
  }
  if (!constraints.empty()) {
    const auto extension =
        own(X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, constraints.c_str()),
            &X509_EXTENSION_free);
    X509_add_ext(certificate.get(), extension.get(), -1);
  }
  if (!model.empty()) add_model(certificate.get(), *this);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate.get(), &bytes);
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

}  // namespace

TEST_CASE("packed_certificate_as_the_standard_wants_it_is_taken") {
  Draft draft;
  CHECK(check_packed_certificate(draft.der(), kModel));
  draft.model = "\x04\x10" + kModel;
  CHECK(check_packed_certificate(draft.der(), kModel));
  draft.make_key = [] { return EVP_RSA_gen(2048); };
  CHECK(check_packed_certificate(draft.der(), kModel));
}

TEST_CASE("packed_certificate_with_one_wrong_thing_is_refused") {
  const std::vector<std::pair<std::string, std::function<void(Draft&)>>> table{
      {"an authority's", [](Draft& d) { d.constraints = "critical,CA:TRUE"; }},
      {"no basic constraints", [](Draft& d) { d.constraints.clear(); }},
      {"another unit", [](Draft& d) { d.subject[2].second = "Authenticator attestation"; }},
      {"no unit", [](Draft& d) { d.subject.erase(d.subject.begin() + 2); }},
      {"no country", [](Draft& d) { d.subject.erase(d.subject.begin()); }},
      {"no organisation", [](Draft& d) { d.subject.erase(d.subject.begin() + 1); }},
      {"no common name", [](Draft& d) { d.subject.pop_back(); }},
      {"another model", [](Draft& d) { d.model = "\x04\x10model of 16 bytf"; }},
      {"model without its own head", [](Draft& d) { d.model = kModel; }},
      {"model too long", [](Draft& d) { d.model = "\x04\x11" + kModel + "x"; }},
      {"model critical",
       [](Draft& d) {
         d.model = "\x04\x10" + kModel;
         d.model_critical = Critical::yes;
       }},
  };
  for (const auto& [what, change] : table) {
    Draft draft;
    change(draft);
    INFO(what);
    CHECK_FALSE(check_packed_certificate(draft.der(), kModel));
  }
}

TEST_CASE("certificate_of_version_1_is_refused") {
  Draft draft;
  draft.version = 0;
  draft.constraints.clear();
  CHECK_FALSE(check_packed_certificate(draft.der(), kModel));
}

TEST_CASE("certificate_cut_off_or_continued_is_refused") {
  const auto der = Draft{}.der();
  REQUIRE(check_u2f_certificate(der));
  for (std::size_t size = 0; size < der.size(); ++size) {
    INFO(size);
    CHECK_FALSE(check_packed_certificate(std::string_view(der).substr(0, size), kModel));
    CHECK_FALSE(check_u2f_certificate(std::string_view(der).substr(0, size)));
  }
  CHECK_FALSE(check_packed_certificate(der + '\0', kModel));
  CHECK_FALSE(check_u2f_certificate(der + '\0'));
}

TEST_CASE("u2f_certificate_has_a_key_on_p256") {
  Draft draft;
  draft.subject.clear();
  draft.constraints.clear();
  CHECK(check_u2f_certificate(draft.der()));
  draft.make_key = [] { return EVP_EC_gen("P-384"); };
  CHECK_FALSE(check_u2f_certificate(draft.der()));
  draft.make_key = [] { return EVP_RSA_gen(2048); };
  CHECK_FALSE(check_u2f_certificate(draft.der()));
}

namespace {

/// "x5c" with as many certificates as asked for, the right one first.
std::string chain(std::size_t size) {
  auto out = cbor_text("x5c") + cbor_head(4, size);
  for (std::size_t i = 0; i < size; ++i) out += cbor_bytes(i == 0 ? Draft{}.der() : "another");
  return out;
}

const std::string kSignature = cbor_text("sig") + cbor_bytes("signature");
const std::string kEs256 = cbor_text("alg") + cbor_integer(-7);

/// The outcome as an Errc, or nullopt when the form is right.
std::optional<Errc> form(std::string_view format, const std::string& statement,
                         Algorithm algorithm = Algorithm::es256) {
  const AttestedCredential credential{kModel, "id", "key", algorithm};
  const auto outcome = check_statement({format, statement, ""}, credential);
  if (outcome) return std::nullopt;
  return outcome.error().code;
}

}  // namespace

TEST_CASE("packed_statement_carries_one_to_eight_certificates") {
  for (const std::size_t size : {0U, 1U, 2U, 7U, 8U, 9U}) {
    INFO(size);
    const auto outcome = form("packed", cbor_head(5, 3) + kEs256 + kSignature + chain(size));
    CHECK(outcome.has_value() == (size == 0 || size > kMaxCertificates));
  }
}

TEST_CASE("u2f_statement_carries_one_certificate_for_an_es256_credential") {
  CHECK_FALSE(form("fido-u2f", cbor_head(5, 2) + kSignature + chain(1)));
  CHECK(form("fido-u2f", cbor_head(5, 2) + kSignature + chain(2)) == Errc::invalid);
  CHECK(form("fido-u2f", cbor_head(5, 1) + kSignature) == Errc::invalid);
  CHECK(form("fido-u2f", cbor_head(5, 1) + chain(1)) == Errc::invalid);
  CHECK(form("fido-u2f", cbor_head(5, 3) + kEs256 + kSignature + chain(1)) == Errc::invalid);
  for (const auto algorithm : {Algorithm::eddsa, Algorithm::rs256}) {
    CHECK(form("fido-u2f", cbor_head(5, 2) + kSignature + chain(1), algorithm) == Errc::invalid);
  }
}

TEST_CASE("statement_members_come_once_and_are_known") {
  CHECK_FALSE(form("packed", cbor_head(5, 2) + kEs256 + kSignature));
  CHECK_FALSE(form("packed", cbor_head(5, 2) + kSignature + kEs256));
  const auto unknown = cbor_text("ecdaaKeyId") + cbor_bytes("x");
  for (const auto& statement :
       {cbor_head(5, 3) + kEs256 + kSignature + kSignature,
        cbor_head(5, 3) + kEs256 + kSignature + unknown, cbor_head(5, 2) + kEs256 + unknown,
        cbor_head(5, 1) + kEs256, cbor_head(5, 2) + kEs256 + kSignature + "x",
        cbor_head(5, 3) + kEs256 + kSignature,
        cbor_head(5, 2) + cbor_text("alg") + cbor_text("ES256") + kSignature,
        cbor_head(5, 2) + kEs256 + cbor_text("sig") + cbor_text("signature"), cbor_head(5, 0),
        cbor_head(4, 0), std::string()}) {
    CHECK(form("packed", statement) == Errc::invalid);
  }
  const auto signature = [](std::size_t size) {
    return cbor_head(5, 2) + kEs256 + cbor_text("sig") + cbor_bytes(std::string(size, 's'));
  };
  CHECK_FALSE(form("packed", signature(kMaxSignature)));
  CHECK(form("packed", signature(kMaxSignature + 1)) == Errc::invalid);
}
