// Text encodings of bytes: hex, base64 (RFC 4648 §4), base32 for selectors and secrets shown to
// people.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace postern {

std::string hex_encode(std::string_view bytes);                ///< lower case
std::optional<std::string> hex_decode(std::string_view text);  ///< either case, even length
std::string base64_encode(std::string_view bytes);             ///< padded, one line
/// Strict: canonical alphabet, correct padding, no white space; anything else is nullopt.
std::optional<std::string> base64_decode(std::string_view text);
/// Base64 with white space and missing padding forgiven, as DKIM tags and MIME bodies need it.
std::optional<std::string> base64_decode_loose(std::string_view text);
std::string base64url_encode(std::string_view bytes);  ///< RFC 4648 §5, no padding
std::optional<std::string> base64url_decode(std::string_view text);
/// Lower-case letters and digits without look-alikes (0 o 1 l): 5 bits a character.
std::string base32_encode(std::string_view bytes);

}  // namespace postern
