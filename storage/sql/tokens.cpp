#include "storage/sql/tokens.hpp"

#include "storage/sql/catalog.hpp"

namespace postern::sql {

namespace {

bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & '\x80') != 0;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_word_start(c) || is_digit(c) || c == '$'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) {
      if (!skip_blank()) next();
    }
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  bool skip_blank() {
    if (is_space(peek())) {
      ++at_;
      return true;
    }
    if (peek() == '-' && peek(1) == '-') {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return true;
    }
    if (peek() == '/' && peek(1) == '*') {
      const auto end = text_.find("*/", at_ + 2);
      at_ = end == std::string_view::npos ? text_.size() : end + 2;
      return true;
    }
    return false;
  }

  void next() {
    const char c = peek();
    if ((c == 'x' || c == 'X') && peek(1) == '\'') {
      ++at_;
      return quoted('\'', Token::Kind::literal);
    }
    if (is_word_start(c)) return take(Token::Kind::word, 1);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return take(Token::Kind::literal, 1);
    if (c == ':' || c == '@' || c == '$' || c == '?') return take(Token::Kind::parameter, 1);
    if (c == '\'') return quoted('\'', Token::Kind::literal);
    if (c == '"' || c == '`') return quoted(c, Token::Kind::quoted);
    if (c == '[') return quoted(']', Token::Kind::quoted);
    symbol();
  }

  /// `head` characters, then all that can stand in a word.
  void take(Token::Kind kind, std::size_t head) {
    auto end = at_ + head;
    while (end < text_.size() && is_word(text_[end])) ++end;
    auto text = std::string(text_.substr(at_, end - at_));
    if (kind == Token::Kind::word) text = lower_case(text);
    at_ = end;
    push(kind, std::move(text));
  }

  void quoted(char close, Token::Kind kind) {
    auto end = at_ + 1;
    while (end < text_.size()) {
      if (text_[end] != close) {
        ++end;
      } else if (close != ']' && end + 1 < text_.size() && text_[end + 1] == close) {
        end += 2;
      } else {
        break;
      }
    }
    end = std::min(end + 1, text_.size());
    auto text = std::string(text_.substr(at_, end - at_));
    at_ = end;
    push(kind, std::move(text));
  }

  void symbol() {
    static constexpr std::string_view kPairs[] = {
        "==", "<=", ">=", "<>", "!=", "||", "<<", ">>", "->"};
    std::size_t size = 1;
    for (const auto pair : kPairs) {
      if (text_.substr(at_, 2) == pair) size = 2;
    }
    auto text = std::string(text_.substr(at_, size));
    at_ += size;
    if (text == ")") --depth_;
    const bool opens = text == "(";
    push(Token::Kind::symbol, std::move(text));
    if (opens) ++depth_;
  }

  void push(Token::Kind kind, std::string text) {
    tokens_.push_back({kind, std::move(text), depth_});
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view text) { return Scanner(text).run(); }

}  // namespace postern::sql
