// Non-ASCII text in headers, and charsets. Standards: RFC 2047, RFC 2231 §5 (language tags); ICU
// converts.
//
// Input is untrusted: unknown charsets and broken encodings leave the word as it is; the result is
// always well-formed UTF-8 without NUL, at most a small multiple of the input.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::message {

/// Unfolds and decodes a raw unstructured value (Subject) or phrase. White space between adjacent
/// encoded words vanishes (RFC 2047 §6.2); raw 8-bit bytes are taken as UTF-8, or as windows-1252
/// when they aren't.
std::string decode_words(std::string_view raw_value);

/// Text for an unstructured field: as it is when printable ASCII that can't be mistaken for encoded
/// words, else as encoded words of at most 75 characters, separated by a space (where the field may
/// be folded).
std::string encode_words(std::string_view utf8);

/// The same, fit for a phrase: only characters that RFC 2047 §5 (3) allows there.
std::string encode_phrase_words(std::string_view utf8);

/// Bytes of a named charset as UTF-8 (broken sequences become U+FFFD); nullopt: unknown charset.
std::optional<std::string> to_utf8(std::string_view charset, std::string_view bytes);

/// Well-formed UTF-8 from bytes of unknown origin (see decode_words).
std::string repair_utf8(std::string_view bytes);

}  // namespace postern::message
