// Ed25519 signatures (RFC 8032) of what the server says of its audit chains to somebody outside.
//
// The private key lives in a PEM file (PKCS #8, 0600) that may lie anywhere; the public key is
// given to whoever checks. Values are cheap to copy and may be shared between threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"

struct evp_pkey_st;

namespace postern::accounts::audit {

class PublicKey {
 public:
  /// SubjectPublicKeyInfo in PEM ("BEGIN PUBLIC KEY").
  static Result<PublicKey> from_pem(std::string_view pem);
  [[nodiscard]] std::string pem() const;
  /// SHA-256 of the key's 32 bytes, in hex: to name it in a message.
  [[nodiscard]] std::string fingerprint() const;
  [[nodiscard]] bool verifies(std::string_view bytes, std::string_view signature) const;

 private:
  friend class WitnessKey;
  explicit PublicKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

class WitnessKey {
 public:
  static WitnessKey generate();
  /// Errc::denied when others can read the file, Errc::corrupt when it holds no Ed25519 key.
  static Result<WitnessKey> load(const std::string& path);
  /// Errc::exists: a key is never overwritten.
  [[nodiscard]] Result<void> save(const std::string& path) const;
  [[nodiscard]] PublicKey public_key() const { return PublicKey(key_); }
  [[nodiscard]] std::string sign(std::string_view bytes) const;  ///< 64 raw bytes

 private:
  explicit WitnessKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace postern::accounts::audit
