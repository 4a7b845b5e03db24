// An authenticator and its browser in software, for tests: keys and signatures by OpenSSL, CBOR
// written by hand. It shares no code with what it tests, and lies wherever a test tells it to.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "accounts/factors/webauthn.hpp"

namespace postern::accounts::webauthn::test {

enum class KeyKind : std::uint8_t { p256, ed25519, rsa2048, rsa3072, p384 };

// Heads of CBOR items, and the strings.
std::string cbor_head(unsigned major, std::uint64_t value);
std::string cbor_bytes(std::string_view bytes);
std::string cbor_text(std::string_view text);
std::string cbor_integer(std::int64_t value);

/// Flags of authenticator data.
inline constexpr std::uint8_t kUp = 0x01, kUv = 0x04, kBe = 0x08, kBs = 0x10, kAt = 0x40,
                              kEd = 0x80;

class SoftKey {
 public:
  explicit SoftKey(KeyKind kind);
  [[nodiscard]] std::string cose() const;
  [[nodiscard]] std::string sign(std::string_view message) const;
  [[nodiscard]] int algorithm() const;

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  };
  KeyKind kind_;
  std::unique_ptr<EVP_PKEY, Free> key_;
};

/// What the browser writes; each field is one that a test may change.
struct ClientData {
  std::string type;
  std::string challenge;
  std::string origin = "https://console.example.org";
  std::string more = R"(,"crossOrigin":false)";
  [[nodiscard]] std::string json() const;
};

struct Data {
  std::string rp_id = "example.org";
  std::uint8_t flags = kUp | kUv;
  std::uint32_t sign_count = 1;
  std::string attested;  ///< attested credential data, or empty
  std::string rest;      ///< extensions, or what shouldn't be there
  [[nodiscard]] std::string bytes() const;
};

std::string attested(std::string_view credential_id, std::string_view cose_key);
/// fmt, attStmt (encoded), authData.
std::string attestation_object(std::string_view format, std::string_view statement,
                               std::string_view auth_data);
/// {"alg": ..., "sig": ...}
std::string self_statement(const SoftKey& key, std::string_view auth_data,
                           std::string_view client_data);

}  // namespace postern::accounts::webauthn::test
