// Header fields as bytes: where each begins and ends, nothing decoded. Canonicalisation and the
// removal of fields need the exact octets, so this folder doesn't go through the message parser.
//
// Owner: views into the caller's message; valid as long as that is. Standards: RFC 5322 §2.2.
// Untrusted: everything. A line that is no field (no colon, no name) is kept as a field with an
// empty name, so that re-joining the pieces gives the input back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::dkim {

struct Field {
  std::string_view name;   ///< as written, without white space before the colon; may be empty
  std::string_view value;  ///< after the colon, without the final CRLF; folding still in it
  std::string_view raw;    ///< the whole field with its final CRLF (if the input had it)
};

struct MessageParts {
  std::string_view header;  ///< all field lines, without the empty line
  std::string_view body;    ///< after the empty line
};

/// Splits at the first empty line. Without one, everything is header.
MessageParts split_message(std::string_view message);

inline constexpr std::size_t kMaxFields = 4'096;  ///< that an evaluation looks at

/// The fields in order. At most `limit`; what follows is left out.
std::vector<Field> split_fields(std::string_view header, std::size_t limit = kMaxFields);

/// The value without line ends, with runs of white space made one space, trimmed.
std::string unfold(std::string_view value);

/// Skips comments and folding white space (RFC 5322 §3.2.2) from `at`; an unclosed comment ends at
/// the end of the text.
std::size_t skip_cfws(std::string_view text, std::size_t at);

}  // namespace postern::dkim
