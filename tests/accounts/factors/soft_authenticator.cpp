#include "tests/accounts/factors/soft_authenticator.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "core/crypto.hpp"
#include "core/encoding.hpp"

namespace postern::accounts::webauthn::test {

namespace {

EVP_PKEY* generate(KeyKind kind) {
  switch (kind) {
    case KeyKind::p256: return EVP_EC_gen("P-256");
    case KeyKind::p384: return EVP_EC_gen("P-384");
    case KeyKind::ed25519: return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    case KeyKind::rsa2048: return EVP_RSA_gen(2048);
    case KeyKind::rsa3072: return EVP_RSA_gen(3072);
  }
  throw std::logic_error("no such key");
}

std::string point(EVP_PKEY* key) {
  std::array<unsigned char, 200> out{};
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, out.data(),
                                      out.size(), &size) != 1) {
    throw std::runtime_error("no point");
  }
  return {reinterpret_cast<const char*>(out.data()), size};
}

std::string number(EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &raw) != 1) throw std::runtime_error("no number");
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> value(raw, &BN_free);
  std::string out(static_cast<std::size_t>(BN_num_bytes(raw)), '\0');
  BN_bn2bin(raw, reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

std::string ec_cose(EVP_PKEY* key, int algorithm, int curve, std::size_t size) {
  const auto both = point(key);  // 04, x, y
  return cbor_head(5, 5) + cbor_integer(1) + cbor_integer(2) + cbor_integer(3) +
         cbor_integer(algorithm) + cbor_integer(-1) + cbor_integer(curve) + cbor_integer(-2) +
         cbor_bytes(both.substr(1, size)) + cbor_integer(-3) + cbor_bytes(both.substr(1 + size));
}

}  // namespace

std::string cbor_head(unsigned major, std::uint64_t value) {
  const auto first = [&](unsigned low) {
    return std::string(1, static_cast<char>(major << 5 | low));
  };
  const auto byte = [&](int shift) { return static_cast<char>(value >> shift & 0xff); };
  if (value < 24) return first(static_cast<unsigned>(value));
  if (value < 0x100) return first(24) + byte(0);
  if (value < 0x10000) return first(25) + byte(8) + byte(0);
  return first(26) + byte(24) + byte(16) + byte(8) + byte(0);
}

std::string cbor_bytes(std::string_view bytes) {
  return cbor_head(2, bytes.size()) + std::string(bytes);
}
std::string cbor_text(std::string_view text) {
  return cbor_head(3, text.size()) + std::string(text);
}
std::string cbor_integer(std::int64_t value) {
  return value >= 0 ? cbor_head(0, static_cast<std::uint64_t>(value))
                    : cbor_head(1, static_cast<std::uint64_t>(-1 - value));
}

SoftKey::SoftKey(KeyKind kind) : kind_(kind), key_(generate(kind)) {}

int SoftKey::algorithm() const {
  switch (kind_) {
    case KeyKind::p256: return -7;
    case KeyKind::ed25519: return -8;
    case KeyKind::p384: return -35;
    default: return -257;
  }
}

std::string SoftKey::cose() const {
  if (kind_ == KeyKind::p256) return ec_cose(key_.get(), -7, 1, 32);
  if (kind_ == KeyKind::p384) return ec_cose(key_.get(), -35, 2, 48);
  if (kind_ == KeyKind::ed25519) {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
    return cbor_head(5, 4) + cbor_integer(1) + cbor_integer(1) + cbor_integer(3) +
           cbor_integer(-8) + cbor_integer(-1) + cbor_integer(6) + cbor_integer(-2) +
           cbor_bytes(raw);
  }
  return cbor_head(5, 4) + cbor_integer(1) + cbor_integer(3) + cbor_integer(3) +
         cbor_integer(-257) + cbor_integer(-1) +
         cbor_bytes(number(key_.get(), OSSL_PKEY_PARAM_RSA_N)) + cbor_integer(-2) +
         cbor_bytes(number(key_.get(), OSSL_PKEY_PARAM_RSA_E));
}

std::string SoftKey::sign(std::string_view message) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  const auto* hash = kind_ == KeyKind::ed25519 ? nullptr
                     : kind_ == KeyKind::p384  ? EVP_sha384()
                                               : EVP_sha256();
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::string out(1024, '\0');
  std::size_t size = out.size();
  if (EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes,
                     message.size()) != 1) {
    throw std::runtime_error("no signature");
  }
  out.resize(size);
  return out;
}

std::string ClientData::json() const {
  return R"({"type":")" + type + R"(","challenge":")" + base64url_encode(challenge) +
         R"(","origin":")" + origin + "\"" + more + "}";
}

std::string Data::bytes() const {
  std::string out = crypto::sha256(rp_id);
  out += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(sign_count >> shift & 0xff);
  return out + attested + rest;
}

std::string attested(std::string_view credential_id, std::string_view cose_key) {
  std::string out = "model of 16 byte";
  out += static_cast<char>(credential_id.size() >> 8);
  out += static_cast<char>(credential_id.size() & 0xff);
  return out + std::string(credential_id) + std::string(cose_key);
}

std::string attestation_object(std::string_view format, std::string_view statement,
                               std::string_view auth_data) {
  return cbor_head(5, 3) + cbor_text("fmt") + cbor_text(format) + cbor_text("attStmt") +
         std::string(statement) + cbor_text("authData") + cbor_bytes(auth_data);
}

std::string self_statement(const SoftKey& key, std::string_view auth_data,
                           std::string_view client_data) {
  const auto signature = key.sign(std::string(auth_data) + crypto::sha256(client_data));
  return cbor_head(5, 2) + cbor_text("alg") + cbor_integer(key.algorithm()) + cbor_text("sig") +
         cbor_bytes(signature);
}

}  // namespace postern::accounts::webauthn::test
