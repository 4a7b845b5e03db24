#include "accounts/audit/mac.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <stdexcept>

namespace postern::accounts::audit {

namespace {

// What fails here is memory or a broken OpenSSL: nothing that input could cause.
void demand(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL failed in an operation that cannot fail");
}

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.empty() ? "" : bytes.data());
}

}  // namespace

void KeyedMac::Free::operator()(evp_mac_ctx_st* context) const noexcept {
  EVP_MAC_CTX_free(context);
}

KeyedMac::KeyedMac(std::string_view key) {
  static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  context_.reset(EVP_MAC_CTX_new(algorithm));
  std::string digest = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_end()};
  demand(context_ && EVP_MAC_init(context_.get(), raw(key), key.size(), params) == 1);
}

std::string KeyedMac::compute(std::string_view bytes) {
  std::string out(kMacSize, '\0');
  std::size_t size = 0;
  // Without a key: back to the state just after the key was taken in.
  demand(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1 &&
         EVP_MAC_update(context_.get(), raw(bytes), bytes.size()) == 1 &&
         EVP_MAC_final(context_.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                       out.size()) == 1 &&
         size == kMacSize);
  return out;
}

}  // namespace postern::accounts::audit
