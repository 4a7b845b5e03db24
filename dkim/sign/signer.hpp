// Makes DKIM-Signature fields: relaxed/relaxed, over-signed headers, no l=, folded below 78 octets.
//
// Pure: message bytes in, header fields out. The body hash is computed once for all keys, and may
// be computed while the body arrives (BodyHash). Standards: RFC 6376 §3.5, §5; RFC 8463; RFC 8058
// §4 (the List-Unsubscribe fields are signed).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"
#include "dkim/sign/key.hpp"

namespace postern::dkim {

struct Selector {
  std::string name;  ///< "s1" of s1._domainkey.example.com
  SigningKey key;
};

/// The fields to put in front of the message, one per key, each ended by CRLF.
/// `header`: the field lines (CRLF), without the empty line. `body_hash`: BodyHash::finish().
Result<std::string> sign(std::string_view header, std::string_view body_hash,
                         std::string_view domain, std::span<const Selector> keys, Timestamp now);

/// The same for a whole message at hand.
Result<std::string> sign_message(std::string_view message, std::string_view domain,
                                 std::span<const Selector> keys, Timestamp now);

}  // namespace postern::dkim
