// The lexical pieces that structured fields share: comments, quoted strings, white space. Internal
// to message/. Standards: RFC 5322 §3.2, RFC 2045 §5.1.
//
// Never fails: an unterminated comment or quoted string ends with the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::message {

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return position_ >= text_.size(); }
  [[nodiscard]] char peek() const { return text_[position_]; }
  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::string_view rest() const { return text_.substr(position_); }
  void advance() { ++position_; }
  void seek(std::size_t position) { position_ = position; }
  /// Takes `c` when it is next.
  bool take(char c);
  /// White space, line ends and comments; true when there was any. The last comment's text goes to
  /// `comment` when one is given.
  bool skip_cfws(std::string* comment = nullptr);
  /// At a '"': the content without quotes and backslashes; line ends inside are dropped.
  std::string quoted_string();
  /// At a '(': the content, nested comments included.
  std::string comment();
  /// Everything up to a character of `stops` or white space.
  std::string_view word_until(std::string_view stops);

 private:
  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace postern::message
