#include "message/content_type.hpp"

#include "core/ascii.hpp"
#include "message/lexer.hpp"

namespace postern::message {

ContentType parse_content_type(std::string_view raw_value) {
  ContentType out;
  Lexer lexer(raw_value);
  lexer.skip_cfws();
  out.type = ascii::to_lower(lexer.word_until("/;\"("));
  lexer.skip_cfws();
  if (lexer.take('/')) {
    lexer.skip_cfws();
    out.subtype = ascii::to_lower(lexer.word_until(";\"("));
  }
  out.parameters = parse_parameters(lexer.rest());
  return out;
}

Disposition parse_disposition(std::string_view raw_value) {
  Disposition out;
  Lexer lexer(raw_value);
  lexer.skip_cfws();
  out.kind = ascii::to_lower(lexer.word_until(";\"(="));
  out.parameters = parse_parameters(lexer.rest());
  return out;
}

}  // namespace postern::message
