// The few cryptographic operations the program uses, over OpenSSL 3. Bytes in, bytes out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace postern::crypto {

inline constexpr std::size_t kKeySize = 32;    ///< AES-256 and HMAC keys, bytes
inline constexpr std::size_t kTagSize = 16;    ///< GCM tag, bytes
inline constexpr std::size_t kNonceSize = 12;  ///< GCM nonce, bytes

std::string sha256(std::string_view bytes);  ///< 32 raw bytes
std::string hmac_sha256(std::string_view key, std::string_view bytes);
/// The two halves of HKDF-SHA256 (RFC 5869 §2.2, §2.3), for a key with many uses.
std::string hkdf_extract(std::string_view key, std::string_view salt);
std::string hkdf_expand(std::string_view pseudorandom_key, std::string_view info, std::size_t size);
/// Both: `size` bytes (at most 8,160) from key material, salt and context.
std::string hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info,
                        std::size_t size);

/// AES-256-GCM: ciphertext with its tag appended. A (key, nonce) pair must never repeat.
std::string seal(std::string_view key, std::string_view nonce, std::string_view associated_data,
                 std::string_view plain);
/// The plaintext, or nullopt when key, nonce, associated data or ciphertext don't belong together.
std::optional<std::string> open(std::string_view key, std::string_view nonce,
                                std::string_view associated_data, std::string_view sealed);

/// Time depends on the lengths only.
bool constant_time_equal(std::string_view a, std::string_view b);

/// Overwrites in a way that the compiler can't leave out.
void wipe(std::string& secret);

/// SHA-256 of bytes that arrive in pieces.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  std::string finish();  ///< 32 raw bytes; the object is spent

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace postern::crypto
