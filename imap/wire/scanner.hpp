// The tokens of a command (RFC 3501 §9), read off the front of its text.
//
// A failed read gives nullopt; the command is then BAD, and where the scanner stands no longer
// matters. Views point into the command's text. Numbers are bounded, nesting is the parsers' own to
// bound. Strings must be well-formed UTF-8 (RFC 3501 wants ASCII; mail programs send more) and free
// of NUL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "imap/wire/literal.hpp"
#include "imap/wire/sequence_set.hpp"

namespace postern::imap {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

  bool accept(char c);
  bool space() { return accept(' '); }
  /// The word without regard to case, not followed by another atom character.
  bool keyword(std::string_view word);

  std::optional<std::string_view> tag();
  std::optional<std::string_view> atom();
  /// Letters, digits, '.', '-' and '_': names of items and options, up to whatever follows them.
  std::string_view word();
  std::optional<std::string> string();  ///< quoted or literal
  std::optional<std::string> astring();
  std::optional<std::string> list_mailbox();  ///< a LIST pattern, decoded to UTF-8
  std::optional<std::string> mailbox();       ///< decoded to UTF-8, INBOX in its one spelling
  std::optional<std::string> nstring();       ///< NIL gives an empty string
  std::optional<std::uint32_t> number();
  std::optional<std::uint64_t> number64();
  std::optional<std::uint32_t> nz_number();
  std::optional<SequenceSet> sequence_set();
  /// A flag: `\Seen` with its backslash, or a keyword.
  std::optional<std::string_view> flag();
  /// `"17-Jul-1996 02:44:25 -0700"`, checked field by field.
  std::optional<Timestamp> date_time();
  /// `1-Feb-1994`, quoted or not: midnight UTC of that day.
  std::optional<Timestamp> date();

 private:
  std::optional<std::string> quoted();
  std::optional<std::string> literal();
  std::optional<std::string> decoded_mailbox(std::optional<std::string> wire);
  std::string_view take(std::size_t n);
  template <class Predicate>
  std::string_view take_while(Predicate predicate);
  std::optional<int> digits(std::size_t count);
  std::optional<int> month();

  std::string_view rest_;
};

}  // namespace postern::imap
