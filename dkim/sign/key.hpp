// Signing keys: made, kept parsed, and described for DNS.
//
// Owner: a SigningKey is a cheap shared handle on an immutable OpenSSL key; any number of threads
// may sign with it at once. Parsing a PEM costs more than an Ed25519 signature, so the caller
// caches the handle. Standards: RFC 6376 §3.6.1, RFC 8301 (RSA-2048), RFC 8463 (Ed25519).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.hpp"

struct evp_md_ctx_st;
struct evp_pkey_st;

namespace postern::dkim {

enum class Algorithm : std::uint8_t { rsa2048, ed25519 };

/// "rsa-sha256" or "ed25519-sha256", the a= tag.
std::string_view signature_algorithm(Algorithm algorithm);

struct KeyPair {
  std::string private_pem;  ///< PKCS #8, unencrypted: a secret; the caller seals it
  std::string dns_record;   ///< "v=DKIM1; k=rsa; p=...": the TXT at <selector>._domainkey.<domain>
};

Result<KeyPair> generate(Algorithm algorithm);

class SigningKey {
 public:
  /// PKCS #8 or PKCS #1 PEM. Errc::invalid for anything but Ed25519 or RSA of 1024 to 4096 bits.
  static Result<SigningKey> from_pem(std::string_view pem);

  [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
  /// Errc::invalid only when OpenSSL refuses. `data` is what RFC 6376 §3.7 calls the header hash
  /// input.
  [[nodiscard]] Result<std::string> sign(std::string_view data) const;
  [[nodiscard]] Result<std::string> dns_record() const;

 private:
  SigningKey(std::shared_ptr<evp_pkey_st> key, std::shared_ptr<const evp_md_ctx_st> ready,
             Algorithm algorithm)
      : key_(std::move(key)), ready_(std::move(ready)), algorithm_(algorithm) {}
  static Result<SigningKey> make(std::shared_ptr<evp_pkey_st> key, Algorithm algorithm);

  std::shared_ptr<evp_pkey_st> key_;
  /// Ready to sign: each signature begins with a copy, which takes a tenth of making one.
  std::shared_ptr<const evp_md_ctx_st> ready_;
  Algorithm algorithm_;
};

}  // namespace postern::dkim
