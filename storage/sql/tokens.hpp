// SQL text cut into words, enough for the rules of scope_check.hpp: not a parser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern::sql {

struct Token {
  enum class Kind : std::uint8_t {
    word,       ///< identifier or keyword; `text` is lower case
    quoted,     ///< "x", `x` or [x]: an identifier that hides from the rules
    literal,    ///< number, 'string' or x'blob'
    parameter,  ///< :name (and ?, @name, $name), case kept
    symbol,     ///< an operator or punctuation; two-character operators are one token
  };
  Kind kind;
  std::string text;
  int depth;  ///< of the parentheses around it; both parentheses have the outer depth

  [[nodiscard]] bool is(std::string_view what) const {
    return (kind == Kind::word || kind == Kind::symbol) && text == what;
  }
  [[nodiscard]] bool is_parameter(std::string_view name) const {
    return kind == Kind::parameter && text == name;
  }
};

/// Comments and white space are dropped.
std::vector<Token> tokenize(std::string_view text);

}  // namespace postern::sql
