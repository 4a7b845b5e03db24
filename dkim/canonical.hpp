// DKIM canonicalisation (RFC 6376 §3.4), both forms, and the streaming body hash.
//
// Owner: the signer (once per message, for all its signatures). Untrusted: the message. Lines end
// in CRLF; a bare CR or LF is an ordinary octet here (the SMTP decoder refuses it earlier).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/crypto.hpp"

namespace postern::dkim {

enum class Canon : std::uint8_t { simple, relaxed };

/// One header field, ended by CRLF. `field` may end in CRLF or not.
std::string canonical_header(std::string_view field, Canon canon);

/// Turns a body that arrives in pieces into its canonical form, piece by piece.
class BodyCanon {
 public:
  explicit BodyCanon(Canon canon) : canon_(canon) {}
  /// Appends to `out` what is certain now; trailing empty lines and spaces wait.
  void feed(std::string_view bytes, std::string& out);
  void finish(std::string& out);

 private:
  void line_piece(std::string_view piece, std::string& out);
  void content(std::string_view run, std::string& out);
  void end_line();

  Canon canon_;
  std::size_t pending_lines_ = 0;  ///< CRLFs that count only if content follows
  bool pending_cr_ = false;
  bool pending_space_ = false;
  bool any_ = false;  ///< content was seen
};

/// SHA-256 of the relaxed body, for `bh=`.
class BodyHash {
 public:
  explicit BodyHash(Canon canon = Canon::relaxed) : canon_(canon) {}
  void feed(std::string_view bytes);
  std::string finish();  ///< 32 raw octets; the object is spent

 private:
  void drain();
  BodyCanon canon_;
  crypto::Sha256 hash_;
  std::string buffer_;
};

std::string body_hash(std::string_view body, Canon canon = Canon::relaxed);

}  // namespace postern::dkim
