// A DKIM-Signature field as a value, parsed to the grammar and to policy before any library sees
// it.
//
// Standards: RFC 6376 §3.5, RFC 8301 (no rsa-sha1), RFC 8463. Untrusted: the field. What RFC 6376
// leaves to the verifier and is refused here: an unsigned From, more than one From, a field name or
// tag that libopendkim would over-read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "dkim/canonical.hpp"
#include "dkim/fields.hpp"
#include "dkim/verify/verifier.hpp"

namespace postern::dkim {

inline constexpr std::size_t kMaxSignatureField = 16'384;  ///< octets; real ones are below 2,000

enum class KeyType : std::uint8_t { rsa, ed25519 };

struct Signature {
  KeyType key_type = KeyType::rsa;
  std::string domain;
  std::string selector;
  std::string identity_domain;            ///< of i=; the signing domain when absent
  std::vector<std::string> signed_names;  ///< h=, lower case
  std::string b;                          ///< base64 without white space
  Canon body_canon = Canon::simple;
  std::optional<std::uint64_t> body_length;  ///< l=

  [[nodiscard]] std::string key_name() const { return selector + "._domainkey." + domain; }
};

/// Fills `result` with what could be read even on failure; nullopt means its verdict is final.
std::optional<Signature> parse_signature(std::string_view value, Timestamp now,
                                         SignatureResult& result);

/// A reason why no signature over this header can be trusted in whole, or nullptr: a field that
/// RFC 5322 §3.6 allows once is there more often than the signature covers.
const char* unsigned_duplicate(const Signature& signature, const std::vector<Field>& fields);

}  // namespace postern::dkim
