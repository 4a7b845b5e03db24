#include "dkim/sign/key.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <utility>

#include "core/crypto.hpp"
#include "core/encoding.hpp"

namespace postern::dkim {

namespace {

constexpr int kRsaBits = 2'048;
constexpr int kMinRsaBits = 1'024;
constexpr int kMaxRsaBits = 4'096;
constexpr std::size_t kMaxPem = 16'384;
constexpr std::size_t kEd25519Size = 32;
constexpr std::size_t kEd25519SignatureSize = 64;

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

// A key file is never encrypted; without this OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

Result<std::string> private_pem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()), &BIO_free_all);
  if (bio == nullptr ||
      PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(Errc::io, "the private key can't be written");
  }
  const char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Result<std::string> public_der(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return fail(Errc::io, "the public key can't be written");
  std::string out;
  for (int i = 0; i < size; ++i) out += static_cast<char>(der[i]);
  OPENSSL_free(der);
  return out;
}

Result<std::string> record_for(EVP_PKEY* key, Algorithm algorithm) {
  if (algorithm == Algorithm::ed25519) {
    std::string raw(kEd25519Size, '\0');
    std::size_t size = raw.size();
    // RFC 8463 §4: the key's 32 octets alone, not a SubjectPublicKeyInfo.
    if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size) !=
        1) {
      return fail(Errc::io, "the public key can't be read");
    }
    return "v=DKIM1; k=ed25519; p=" + base64_encode(raw);
  }
  auto der = public_der(key);
  if (!der) return std::unexpected(der.error());
  return "v=DKIM1; k=rsa; p=" + base64_encode(*der);
}

}  // namespace

std::string_view signature_algorithm(Algorithm algorithm) {
  return algorithm == Algorithm::rsa2048 ? "rsa-sha256" : "ed25519-sha256";
}

Result<KeyPair> generate(Algorithm algorithm) {
  const KeyPtr key(
      algorithm == Algorithm::rsa2048
          ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(kRsaBits))
          : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"),
      &EVP_PKEY_free);
  if (key == nullptr) return fail(Errc::io, "OpenSSL made no key");
  auto pem = private_pem(key.get());
  if (!pem) return std::unexpected(pem.error());
  auto record = record_for(key.get(), algorithm);
  if (!record) return std::unexpected(record.error());
  return KeyPair{.private_pem = std::move(*pem), .dns_record = std::move(*record)};
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
  if (pem.size() > kMaxPem) return fail(Errc::invalid, "the private key is too large");
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free_all);
  if (bio == nullptr) return fail(Errc::io, "out of memory");
  std::shared_ptr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr), &EVP_PKEY_free);
  if (key == nullptr) return fail(Errc::invalid, "no private key in PEM form");
  if (EVP_PKEY_is_a(key.get(), "ED25519") == 1) return make(std::move(key), Algorithm::ed25519);
  const int bits = EVP_PKEY_get_bits(key.get());
  if (EVP_PKEY_is_a(key.get(), "RSA") != 1 || bits < kMinRsaBits || bits > kMaxRsaBits) {
    return fail(Errc::invalid, "the key is neither Ed25519 nor RSA of 1024 to 4096 bits");
  }
  return make(std::move(key), Algorithm::rsa2048);
}

Result<SigningKey> SigningKey::make(std::shared_ptr<EVP_PKEY> key, Algorithm algorithm) {
  std::shared_ptr<EVP_MD_CTX> ready(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const EVP_MD* digest = algorithm == Algorithm::ed25519 ? nullptr : EVP_sha256();
  if (ready == nullptr ||
      EVP_DigestSignInit(ready.get(), nullptr, digest, nullptr, key.get()) != 1) {
    return fail(Errc::invalid, "OpenSSL can't sign with the key");
  }
  return SigningKey(std::move(key), std::move(ready), algorithm);
}

Result<std::string> SigningKey::dns_record() const { return record_for(key_.get(), algorithm_); }

Result<std::string> SigningKey::sign(std::string_view data) const {
  const ContextPtr context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const bool ed25519 = algorithm_ == Algorithm::ed25519;
  // RFC 8463 §3: Ed25519 signs the SHA-256 of the header hash input, not the input itself.
  const std::string input = ed25519 ? crypto::sha256(data) : std::string(data);
  std::string out(
      ed25519 ? kEd25519SignatureSize : static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())),
      '\0');
  std::size_t size = out.size();
  const bool signed_ok =
      context != nullptr && EVP_MD_CTX_copy_ex(context.get(), ready_.get()) == 1 &&
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                     reinterpret_cast<const unsigned char*>(input.data()), input.size()) == 1;
  if (!signed_ok) return fail(Errc::invalid, "OpenSSL did not sign");
  out.resize(size);
  return out;
}

}  // namespace postern::dkim
