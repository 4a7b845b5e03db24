// Content-Transfer-Encodings. Standards: RFC 2045 §6.
//
// Decoders take the body in pieces of any size and never fail: junk in base64 is skipped (RFC 2045
// §6.8), an invalid "=" in quoted-printable stays as text (RFC 2045 §6.7). Output is never longer
// than the input plus three bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::message {

enum class TransferEncoding : std::uint8_t { identity, base64, quoted_printable, unknown };

/// "7bit", "8bit", "binary" and an empty value are identity; case and space don't matter.
TransferEncoding parse_transfer_encoding(std::string_view raw_value);

class Base64Decoder {
 public:
  void feed(std::string_view text, std::string& out);
  void finish(std::string& out);  ///< what an unpadded end still gives

 private:
  std::uint32_t bits_ = 0;
  int count_ = 0;
};

class QuotedPrintableDecoder {
 public:
  void feed(std::string_view text, std::string& out);
  void finish(std::string& out);

 private:
  std::string pending_;  ///< the unfinished line, at most about kMaxPending
};

/// The whole body at once. `unknown` is given back as it is.
std::string decode_body(TransferEncoding encoding, std::string_view body);

std::string encode_base64_lines(std::string_view bytes);  ///< lines of 76, each ended by CRLF
/// Text with CRLF line ends: they stay, all else is encoded where needed; lines of at most 76.
std::string encode_quoted_printable(std::string_view text);

}  // namespace postern::message
