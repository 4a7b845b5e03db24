#include "message/lexer.hpp"

#include "core/ascii.hpp"

namespace postern::message {

namespace {
bool is_space(char c) { return ascii::is_wsp(c) || c == '\r' || c == '\n'; }
}  // namespace

bool Lexer::take(char c) {
  if (at_end() || peek() != c) return false;
  ++position_;
  return true;
}

bool Lexer::skip_cfws(std::string* comment_text) {
  const std::size_t before = position_;
  while (!at_end()) {
    if (is_space(peek())) {
      ++position_;
    } else if (peek() == '(') {
      std::string text = comment();
      if (comment_text != nullptr) *comment_text = std::move(text);
    } else {
      break;
    }
  }
  return position_ != before;
}

std::string Lexer::quoted_string() {
  std::string out;
  ++position_;
  while (!at_end()) {
    const char c = text_[position_++];
    if (c == '"') return out;
    if (c == '\\' && !at_end()) {
      out += text_[position_++];
    } else if (c != '\r' && c != '\n') {
      out += c;
    }
  }
  return out;
}

std::string Lexer::comment() {
  std::string out;
  int depth = 0;
  while (!at_end()) {
    const char c = text_[position_++];
    if (c == '(' && depth++ == 0) continue;
    if (c == ')' && --depth == 0) return out;
    if (c == '\\' && !at_end()) {
      out += text_[position_++];
    } else if (c != '\r' && c != '\n') {
      out += c;
    }
  }
  return out;
}

std::string_view Lexer::word_until(std::string_view stops) {
  const std::size_t begin = position_;
  while (!at_end() && !is_space(peek()) && stops.find(peek()) == std::string_view::npos)
    ++position_;
  return text_.substr(begin, position_ - begin);
}

}  // namespace postern::message
