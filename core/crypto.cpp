#include "core/crypto.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <climits>
#include <stdexcept>

namespace postern::crypto {

namespace {
constexpr std::size_t kHashSize = 32;
constexpr std::size_t kMaxHkdf = 255 * kHashSize;  // RFC 5869 §2.3

template <auto F>
struct Free {
  template <class T>
  void operator()(T* object) const noexcept {
    F(object);
  }
};
using DigestPtr = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;
using MacPtr = std::unique_ptr<EVP_MAC_CTX, Free<EVP_MAC_CTX_free>>;

// What fails here is memory or a broken OpenSSL: nothing that input could cause.
void demand(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL failed in an operation that cannot fail");
}

const unsigned char* raw(std::string_view bytes) {
  static constexpr unsigned char kEmpty = 0;
  return bytes.empty() ? &kEmpty : reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// Fetching an algorithm by name takes longer than hashing a short text: done once, for all threads.
const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const md = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return md;
}

const EVP_CIPHER* gcm_algorithm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return cipher;
}

MacPtr make_hmac() {
  static EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  MacPtr context(EVP_MAC_CTX_new(mac));
  std::string digest = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_end()};
  demand(context && EVP_MAC_CTX_set_params(context.get(), params) == 1);
  return context;
}

EVP_CIPHER_CTX* cipher_context() {
  thread_local const CipherPtr context(EVP_CIPHER_CTX_new());
  demand(context != nullptr);
  return context.get();
}

int int_size(std::string_view bytes) {
  if (bytes.size() > INT_MAX - kTagSize)
    throw std::length_error("too long to encrypt in one piece");
  return static_cast<int>(bytes.size());
}
}  // namespace

std::string sha256(std::string_view bytes) {
  thread_local const DigestPtr context(EVP_MD_CTX_new());
  std::string out(kHashSize, '\0');
  demand(context && EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) == 1 &&
         EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1 &&
         EVP_DigestFinal_ex(context.get(), raw(out), nullptr) == 1);
  return out;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  thread_local const MacPtr context = make_hmac();
  std::string out(kHashSize, '\0');
  std::size_t size = 0;
  demand(EVP_MAC_init(context.get(), raw(key), key.size(), nullptr) == 1 &&
         EVP_MAC_update(context.get(), raw(bytes), bytes.size()) == 1 &&
         EVP_MAC_final(context.get(), raw(out), &size, out.size()) == 1 && size == kHashSize);
  return out;
}

std::string hkdf_extract(std::string_view key, std::string_view salt) {
  // RFC 5869 §2.2: an absent salt is a hash's length of zeros, to HMAC the same as an empty key.
  return hmac_sha256(salt, key);
}

std::string hkdf_expand(std::string_view pseudorandom_key, std::string_view info,
                        std::size_t size) {
  if (size > kMaxHkdf) throw std::length_error("HKDF gives at most 8,160 bytes");
  std::string out;
  std::string block;
  for (unsigned char counter = 1; out.size() < size; ++counter) {
    std::string input = block;
    input.append(info).push_back(static_cast<char>(counter));
    wipe(block);
    block = hmac_sha256(pseudorandom_key, input);
    wipe(input);
    out.append(block, 0, std::min(block.size(), size - out.size()));
  }
  wipe(block);
  return out;
}

std::string hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info,
                        std::size_t size) {
  std::string pseudorandom_key = hkdf_extract(key, salt);
  std::string out = hkdf_expand(pseudorandom_key, info, size);
  wipe(pseudorandom_key);
  return out;
}

std::string seal(std::string_view key, std::string_view nonce, std::string_view associated_data,
                 std::string_view plain) {
  if (key.size() != kKeySize || nonce.size() != kNonceSize) {
    throw std::invalid_argument("AES-256-GCM takes 32 bytes of key and 12 of nonce");
  }
  EVP_CIPHER_CTX* context = cipher_context();
  const int plain_size = int_size(plain);
  const int data_size = int_size(associated_data);
  std::string out;
  bool good = false;
  const std::size_t size = plain.size() + kTagSize;
  // The callable is given the room there is, which may be more.
  out.resize_and_overwrite(size, [&](char* room, std::size_t) {
    auto* to = reinterpret_cast<unsigned char*>(room);
    int count = 0;
    good = EVP_EncryptInit_ex2(context, gcm_algorithm(), raw(key), raw(nonce), nullptr) == 1 &&
           EVP_EncryptUpdate(context, nullptr, &count, raw(associated_data), data_size) == 1 &&
           EVP_EncryptUpdate(context, to, &count, raw(plain), plain_size) == 1 &&
           EVP_EncryptFinal_ex(context, to + count, &count) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, to + plain.size()) == 1;
    return size;
  });
  demand(good);
  return out;
}

std::optional<std::string> open(std::string_view key, std::string_view nonce,
                                std::string_view associated_data, std::string_view sealed) {
  if (key.size() != kKeySize || nonce.size() != kNonceSize || sealed.size() < kTagSize)
    return std::nullopt;
  EVP_CIPHER_CTX* context = cipher_context();
  const auto cipher_text = sealed.substr(0, sealed.size() - kTagSize);
  std::string tag(sealed.substr(cipher_text.size()));
  std::string out(cipher_text.size(), '\0');
  unsigned char nothing = 0;
  unsigned char* target = out.empty() ? &nothing : raw(out);
  int count = 0;
  demand(EVP_DecryptInit_ex2(context, gcm_algorithm(), raw(key), raw(nonce), nullptr) == 1 &&
         EVP_DecryptUpdate(context, nullptr, &count, raw(associated_data),
                           int_size(associated_data)) == 1 &&
         EVP_DecryptUpdate(context, target, &count, raw(cipher_text), int_size(cipher_text)) == 1 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, raw(tag)) == 1);
  if (EVP_DecryptFinal_ex(context, target + count, &count) == 1) return out;
  wipe(out);
  return std::nullopt;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(raw(a), raw(b), a.size()) == 0;
}

void wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  demand(context_ && EVP_DigestInit_ex2(context_.get(), sha256_algorithm(), nullptr) == 1);
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept { EVP_MD_CTX_free(context); }

void Sha256::update(std::string_view bytes) {
  demand(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::finish() {
  std::string out(kHashSize, '\0');
  demand(EVP_DigestFinal_ex(context_.get(), raw(out), nullptr) == 1);
  return out;
}

}  // namespace postern::crypto
