#include "message/part_fields.hpp"

#include "core/ascii.hpp"
#include "message/header.hpp"
#include "message/lexer.hpp"

namespace postern::message {

namespace {

std::vector<std::string> parse_languages(std::string_view raw_value) {
  constexpr std::size_t most_tags = 50;
  std::vector<std::string> tags;
  Lexer lexer(raw_value);
  while (!lexer.at_end() && tags.size() < most_tags) {
    if (lexer.skip_cfws() || lexer.take(',')) continue;
    if (const auto tag = lexer.word_until(",;(\""); !tag.empty()) {
      tags.emplace_back(tag);
    } else {
      lexer.advance();
    }
  }
  return tags;
}

std::string parse_encoding(std::string_view raw_value) {
  Lexer lexer(raw_value);
  lexer.skip_cfws();
  return ascii::to_upper(lexer.word_until(";\"("));
}

void read_field(const HeaderField& field, Part& part) {
  // Only "content-..." fields come here; the first of a name counts.
  const std::string_view name = field.name.substr(8);
  const auto once = [&](std::optional<std::string>& target) {
    if (!target) target = unfold(field.value);
  };
  if (ascii::iequals(name, "type")) {
    if (part.type.type.empty()) part.type = parse_content_type(field.value);
  } else if (ascii::iequals(name, "transfer-encoding")) {
    if (part.encoding.empty()) part.encoding = parse_encoding(field.value);
  } else if (ascii::iequals(name, "id")) {
    once(part.id);
  } else if (ascii::iequals(name, "description")) {
    once(part.description);
  } else if (ascii::iequals(name, "md5")) {
    once(part.md5);
  } else if (ascii::iequals(name, "location")) {
    once(part.location);
  } else if (ascii::iequals(name, "disposition")) {
    if (part.disposition.kind.empty()) part.disposition = parse_disposition(field.value);
  } else if (ascii::iequals(name, "language")) {
    if (part.language.empty()) part.language = parse_languages(field.value);
  }
}

}  // namespace

ContentType default_content_type() { return {"text", "plain", {{"charset", "us-ascii"}}}; }

void read_part_fields(std::string_view header, DefaultType fallback, Part& part) {
  HeaderReader reader(header);
  for (std::size_t count = 0; count < kMaxHeaderFields; ++count) {
    const auto field = reader.next();
    if (!field) break;
    if (ascii::istarts_with(field->name, "content-")) read_field(*field, part);
  }
  if (part.type.type.empty() || part.type.subtype.empty()) {
    part.type = fallback == DefaultType::digest ? ContentType{"message", "rfc822", {}}
                                                : default_content_type();
  }
}

Envelope parse_envelope(std::string_view header) {
  const HeaderBlock block = HeaderBlock::parse(header);
  const auto addresses = [&](std::string_view name) {
    const HeaderField* field = block.first(name);
    return field == nullptr ? std::vector<Address>{} : parse_address_list(field->value);
  };
  Envelope envelope;
  envelope.date = block.text("Date");
  envelope.subject = block.text("Subject");
  envelope.in_reply_to = block.text("In-Reply-To");
  envelope.message_id = block.text("Message-ID");
  envelope.from = addresses("From");
  envelope.sender = addresses("Sender");
  envelope.reply_to = addresses("Reply-To");
  envelope.to = addresses("To");
  envelope.cc = addresses("Cc");
  envelope.bcc = addresses("Bcc");
  return envelope;
}

}  // namespace postern::message
