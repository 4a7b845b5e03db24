// The announcement of a literal at the end of a line: `{42}`, `{42+}` (RFC 3501 §4.3, RFC 7888).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::imap {

enum class LiteralMode : std::uint8_t {
  synchronizing,      ///< the client waits for "+ "
  non_synchronizing,  ///< the bytes follow at once, wanted or not
};

struct LiteralSpec {
  std::uint64_t size = 0;
  LiteralMode mode = LiteralMode::synchronizing;
  std::size_t length = 0;  ///< bytes of the announcement itself, braces included
  bool operator==(const LiteralSpec&) const = default;
};

inline constexpr std::size_t kMaxLiteralSpec =
    24;  ///< bytes; longer announcements are no announcements

/// The announcement that ends `line` (no CRLF), if one does. Sizes above 2^63-1 count as none.
std::optional<LiteralSpec> find_literal(std::string_view line);

}  // namespace postern::imap
