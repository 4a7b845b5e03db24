// One FETCH data item (RFC 3501 §6.4.5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::imap {

inline constexpr std::size_t kMaxFetchItems = 100;    ///< of one command
inline constexpr std::size_t kMaxSectionDepth = 100;  ///< numbers in a section's path
inline constexpr std::size_t kMaxHeaderNames = 200;   ///< in HEADER.FIELDS

/// What stands between the brackets of BODY[...].
struct Section {
  enum class Text : std::uint8_t { all, header, header_fields, header_fields_not, text, mime };
  std::vector<std::uint32_t> path;  ///< part numbers; empty: the message
  Text text = Text::all;
  std::vector<std::string> names;  ///< of HEADER.FIELDS and HEADER.FIELDS.NOT, as written
  bool operator==(const Section&) const = default;
};

struct Partial {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< not zero
  bool operator==(const Partial&) const = default;
};

struct FetchItem {
  enum class Kind : std::uint8_t {
    uid,
    flags,
    internal_date,
    size,
    envelope,
    body,            ///< BODY: the structure without extension data
    body_structure,  ///< BODYSTRUCTURE
    section,         ///< BODY[...]: sets \Seen
    section_peek,    ///< BODY.PEEK[...]
    rfc822,          ///< like BODY[]
    rfc822_header,   ///< like BODY.PEEK[HEADER]
    rfc822_text,     ///< like BODY[TEXT]
  };
  Kind kind = Kind::flags;
  Section section;  ///< of the last five
  std::optional<Partial> partial;
  bool operator==(const FetchItem&) const = default;

  [[nodiscard]] bool reads_body() const { return kind >= Kind::section; }
  [[nodiscard]] bool sets_seen() const {
    return kind == Kind::section || kind == Kind::rfc822 || kind == Kind::rfc822_text;
  }
};

}  // namespace postern::imap
