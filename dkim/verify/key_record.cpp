#include "dkim/verify/key_record.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "dkim/tags.hpp"

namespace postern::dkim {

namespace {

constexpr std::size_t kEd25519Size = 32;
constexpr unsigned kEd25519Bits = 256;

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

// Whether a colon list ("sha256:sha1") has `wanted`; an absent tag allows all.
bool lists(std::optional<std::string_view> list, std::string_view wanted, std::string_view any) {
  if (!list) return true;
  const std::string text = without_space(*list);
  std::size_t at = 0;
  while (at <= text.size()) {
    const auto end = std::min(text.find(':', at), text.size());
    const auto item = std::string_view(text).substr(at, end - at);
    if (ascii::iequals(item, wanted) || (!any.empty() && item == any)) return true;
    at = end + 1;
  }
  return false;
}

// SubjectPublicKeyInfo as everybody publishes it, or the bare RSAPublicKey of §3.6.1.
KeyPtr read_rsa(const std::string& der) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  const auto size = static_cast<long>(der.size());
  KeyPtr key(d2i_PUBKEY(nullptr, &data, size), &EVP_PKEY_free);
  if (key == nullptr) {
    data = reinterpret_cast<const unsigned char*>(der.data());
    key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &data, size));
  }
  ERR_clear_error();
  if (key != nullptr && EVP_PKEY_is_a(key.get(), "RSA") != 1) key.reset();
  return key;
}

std::string rsa_record(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  std::string bytes;
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(der[i]);
  OPENSSL_free(der);
  return "v=DKIM1; k=rsa; p=" + base64_encode(bytes);
}

const char* read_rsa_key(const std::string& raw, unsigned& bits, std::string& record) {
  const KeyPtr key = read_rsa(raw);
  if (key == nullptr) return "the key is malformed";
  bits = static_cast<unsigned>(std::max(0, EVP_PKEY_get_bits(key.get())));
  if (bits < kMinRsaBits) return "the key is too small (RFC 8301)";
  if (bits > kMaxRsaBits) return "the key is too large";
  record = rsa_record(key.get());
  return nullptr;
}

// The key's size into `bits` and its record, written anew; a reason when it can't be used.
const char* check_key(const TagList& tags, const Signature& signature, unsigned& bits,
                      std::string& record) {
  const auto version = tags.get("v");
  if (version && (*version != "DKIM1" || tags.first_name() != "v")) return "unknown key version";
  const auto p = tags.get("p");
  if (!p) return "the key record has no key";
  const std::string encoded = without_space(*p);
  if (encoded.empty()) return "the key is revoked";
  const bool ed25519 = signature.key_type == KeyType::ed25519;
  const auto type = tags.get("k").value_or("rsa");
  if (!ascii::iequals(type, ed25519 ? "ed25519" : "rsa")) return "the key is of another type";
  if (!lists(tags.get("h"), "sha256", "")) return "the key is not for sha256";
  if (!lists(tags.get("s"), "email", "*")) return "the key is not for mail";
  const auto flags = tags.get("t");
  if (flags && lists(flags, "s", "") && signature.identity_domain != signature.domain) {
    return "the key does not allow a subdomain in i=";
  }
  const auto raw = base64_decode_loose(encoded);
  if (!raw) return "the key is malformed";
  if (!ed25519) return read_rsa_key(*raw, bits, record);
  if (raw->size() != kEd25519Size) return "the key is malformed";
  bits = kEd25519Bits;
  record = "v=DKIM1; k=ed25519; p=" + base64_encode(*raw);
  return nullptr;
}

}  // namespace

std::optional<std::string> usable_key(const dns::Answer& answer, const Signature& signature,
                                      SignatureResult& result) {
  result.result = Verdict::permerror;
  if (answer.status == dns::Status::temporary) {
    result.result = Verdict::temperror;
    result.reason = "no answer for the key";
    return std::nullopt;
  }
  if (answer.texts.empty()) {
    result.reason = "no key at the selector";
    return std::nullopt;
  }
  if (answer.texts.size() > 1) {
    result.reason = "more than one key record";  // §3.6.2.2: undefined
    return std::nullopt;
  }
  const std::string& text = answer.texts.front();
  const auto tags = TagList::parse(text, TagList::Strictness::strict);
  if (!tags || text.size() > kMaxKeyRecord) {
    result.reason = "the key record is malformed";
    return std::nullopt;
  }
  std::string record;
  if (const char* wrong = check_key(*tags, signature, result.bits, record)) {
    result.reason = wrong;
    return std::nullopt;
  }
  return record;
}

}  // namespace postern::dkim
