// What IMAP needs of a stored message without opening its body: computed once at delivery, kept
// beside the message's row.
//
// The stored form is versioned and compact (varints); decode_index is strict: unknown version,
// truncation, offsets out of order or out of bounds give Errc::corrupt. It may hold user data: it
// is sealed at rest by mailbox/.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "message/date.hpp"
#include "message/mime.hpp"

namespace postern::message {

inline constexpr std::size_t kMaxReferences =
    100;  ///< message ids kept (the oldest one and the newest)
inline constexpr std::size_t kMaxIndexSize = 64U << 20;  ///< bytes of a stored index

struct Index {
  PartTree tree;             ///< tree.size is RFC822.SIZE; parts[0].body_begin the header's size
  std::optional<Date> sent;  ///< the Date field
  std::string message_id;    ///< with brackets, empty when absent
  std::vector<std::string>
      references;            ///< RFC 5256 §3: References, or else the first of In-Reply-To
  std::string base_subject;  ///< RFC 5256 §2.1, UTF-8
  bool is_reply = false;     ///< the subject was a reply or forward (RFC 5256 §2.1)

  [[nodiscard]] const Envelope& envelope() const;
  [[nodiscard]] std::uint64_t size() const { return tree.size; }
  [[nodiscard]] std::uint64_t header_size() const { return tree.parts.front().body_begin; }
};

/// From a parser that was fed the whole message: `header` is its root_header().
Index make_index(PartTree tree, std::string_view header);
Index make_index(std::string_view message);

std::string encode_index(const Index& index);
Result<Index> decode_index(std::string_view stored);

/// RFC 5256 §2.1.
struct BaseSubject {
  std::string text;
  bool is_reply = false;
};
BaseSubject base_subject(std::string_view raw_subject);

/// What of a section is wanted: BODY[1], BODY[1.HEADER], BODY[1.TEXT], BODY[1.MIME].
enum class SectionText : std::uint8_t { all, header, text, mime };

struct Range {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool operator==(const Range&) const = default;
};

/// The part that a section number names (RFC 9051 §6.4.5.1), e.g. {1, 2}; the root for an empty
/// path.
const Part* find_part(const PartTree& tree, std::span<const std::uint32_t> path);

/// The bytes of a section within the message; nullopt when there is no such section.
std::optional<Range> find_section(const PartTree& tree, std::span<const std::uint32_t> path,
                                  SectionText text);

}  // namespace postern::message
