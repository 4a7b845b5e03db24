// The part tree of a message: types, and byte-exact offsets of every part, for IMAP's range reads.
//
// MimeParser is fed the message in pieces of any size as it arrives and keeps only the current
// header and the beginning of the current line. It never fails: what is too deep, too many or
// broken becomes an opaque leaf. Input is untrusted. Standards: RFC 2045, RFC 2046 (§5.1.1
// boundaries), RFC 2183, RFC 3282, RFC 2557.
//
// Rules worth knowing:
// - the line break before a boundary belongs to the boundary (RFC 2046 §5.1.1);
// - a boundary line is "--", the boundary, "--" at the multipart's end, and then nothing, or white
// space and
//   anything (RFC 2046 §5.1.1 would take any text there: then a short boundary is found in ordinary
//   lines and in longer boundaries); the innermost open multipart wins;
// - a multipart without boundary parameter, or in which no part was found, is given as text/plain;
// - beyond kMaxDepth or kMaxParts a container is given as application/octet-stream without
// children;
// - a message/rfc822 part has exactly one child: the root part of the message inside (its header
// begins
//   where the part's body begins). An encoded (base64, quoted-printable) one is an opaque leaf.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "message/address.hpp"
#include "message/content_type.hpp"

namespace postern::message {

inline constexpr std::size_t kMaxDepth = 100;
inline constexpr std::size_t kMaxParts = 10'000;
inline constexpr std::size_t kMaxPartHeader =
    256 * 1024;  ///< bytes of one header that are understood
inline constexpr std::size_t kMaxTotalHeader =
    4 * 1024 * 1024;  ///< of all headers of a message together
inline constexpr std::size_t kMaxEnvelopeAddresses = 20'000;  ///< kept of all envelopes together
inline constexpr std::size_t kMaxBoundary = 1'000;  ///< RFC 2046 says 70; more is seen in the wild

/// RFC 9051 §7.5.2 ENVELOPE, values raw: unfolded, encoded words not decoded. nullopt is NIL.
/// Sender and Reply-To are empty when absent: the default (From) is IMAP's to apply.
struct Envelope {
  std::optional<std::string> date, subject, in_reply_to, message_id;
  std::vector<Address> from, sender, reply_to, to, cc, bcc;
  bool operator==(const Envelope&) const = default;
};

struct Part {
  enum class Kind : std::uint8_t { leaf, multipart, message };
  Kind kind = Kind::leaf;

  // Offsets from the first byte of the whole message.
  std::uint64_t header_begin = 0;
  std::uint64_t body_begin = 0;  ///< after the blank line
  std::uint64_t body_end = 0;
  std::uint32_t lines = 0;  ///< line ends within the body

  ContentType
      type;  ///< defaults applied: text/plain; charset=us-ascii, or message/rfc822 in a digest
  std::string encoding;  ///< as written (token, upper case); empty: 7BIT
  std::optional<std::string> id, description, md5, location;  ///< raw, unfolded
  Disposition disposition;
  std::vector<std::string> language;  ///< RFC 3282 tags

  std::uint32_t parent = 0;             ///< index in the tree; the root is its own parent
  std::vector<std::uint32_t> children;  ///< indices in the tree
  /// Of the message whose root this part is (the whole message, or the child of a message/rfc822
  /// part).
  std::shared_ptr<const Envelope> envelope;

  [[nodiscard]] std::uint64_t octets() const { return body_end - body_begin; }
};

/// parts[0] is the message's root; children come after their parents.
struct PartTree {
  std::vector<Part> parts;
  std::uint64_t size = 0;  ///< bytes of the whole message
  bool degraded = false;   ///< a limit was reached somewhere
};

class MimeParser {
 public:
  MimeParser();
  ~MimeParser();
  MimeParser(MimeParser&&) noexcept;
  MimeParser& operator=(MimeParser&&) noexcept;

  void feed(std::string_view bytes);
  /// Ends every open part; the parser is spent.
  PartTree finish();
  /// The root's header as it came (at most kMaxPartHeader bytes), once it has ended.
  [[nodiscard]] std::string_view root_header() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

PartTree parse_parts(std::string_view message);

/// The tree of the same message behind another header (fields were added or removed, none of MIME's
/// own): every offset moves, the envelope is the new header's. `header`: all of it, with the blank
/// line if the message has one.
PartTree with_header(PartTree tree, std::string_view header);

/// The envelope of a header.
Envelope parse_envelope(std::string_view header);

}  // namespace postern::message
