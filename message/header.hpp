// Header fields of a message or body part, without copying: names and raw values are views into the
// text that the caller keeps alive.
//
// Input is untrusted. A line ends with CRLF; a bare LF is also understood here, since messages that
// came by APPEND or from other systems may hold one (SMTP itself refuses it). A line that is
// neither a field nor a continuation is given as a field without a name, so that offsets cover
// every byte. Standards: RFC 5322 §2.2, §3.6.8 and §4.5 (space before the colon).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace postern::message {

inline constexpr std::size_t kMaxHeaderFields = 5'000;  ///< fields kept of one header
inline constexpr std::size_t kMaxHeaderSize =
    1024 * 1024;  ///< bytes of one header that are looked at

struct HeaderField {
  std::string_view name;   ///< as written, without space before the colon; empty: not a field
  std::string_view value;  ///< after the colon, folding included, without the final line end
  std::size_t offset = 0;  ///< of the field's first byte in the text given to the reader
  std::size_t size = 0;    ///< up to and including its final line end
};

/// Gives the fields in order; stops before the blank line or at the end of the text.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}
  std::optional<HeaderField> next();
  /// Offset of what follows the last field given (the blank line, when next() gave nothing).
  [[nodiscard]] std::size_t position() const { return position_; }

 private:
  std::string_view text_;
  std::size_t position_ = 0;
};

struct HeaderSplit {
  std::string_view header;  ///< fields and the blank line that ends them
  std::string_view body;    ///< everything after
};
/// Where header and body part. Without a blank line all is header.
HeaderSplit split_header(std::string_view message);

/// The fields of one header, parsed once for look-ups by name (case-insensitive).
class HeaderBlock {
 public:
  /// `text`: a header, or a whole message (the body is not looked at). It must outlive the block.
  static HeaderBlock parse(std::string_view text);

  [[nodiscard]] std::span<const HeaderField> fields() const { return fields_; }
  [[nodiscard]] const HeaderField* first(std::string_view name) const;
  [[nodiscard]] const HeaderField* last(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  /// The first one's value, unfolded; nullopt when there is none.
  [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
  /// Bytes of the fields, and of the blank line if there is one.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// A limit was reached; the remaining fields are not in fields().
  [[nodiscard]] bool truncated() const { return truncated_; }

 private:
  std::vector<HeaderField> fields_;
  std::size_t size_ = 0;
  bool truncated_ = false;
};

/// Fields of that name in a whole header, however many fields there are (no limit applies).
std::size_t count_fields(std::string_view header, std::string_view name);

/// RFC 5322 §2.2.3: line ends are removed (the white space after them stays), then outer space.
std::string unfold(std::string_view raw_value);

/// RFC 5322 §3.6.8: one to 76 printable ASCII characters without a colon.
bool is_field_name(std::string_view name);

}  // namespace postern::message
