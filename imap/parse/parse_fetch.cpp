// FETCH's data items (RFC 3501 §6.4.5).
#include <array>

#include "core/ascii.hpp"
#include "imap/parse/parsers.hpp"

namespace postern::imap {

namespace {
using Kind = FetchItem::Kind;

struct Name {
  std::string_view text;
  Kind kind;
};

constexpr std::array<Name, 11> kItems{{
    {"UID", Kind::uid},
    {"FLAGS", Kind::flags},
    {"INTERNALDATE", Kind::internal_date},
    {"RFC822.SIZE", Kind::size},
    {"ENVELOPE", Kind::envelope},
    {"BODYSTRUCTURE", Kind::body_structure},
    {"RFC822", Kind::rfc822},
    {"RFC822.HEADER", Kind::rfc822_header},
    {"RFC822.TEXT", Kind::rfc822_text},
    {"BODY", Kind::body},
    {"BODY.PEEK", Kind::section_peek},
}};

std::expected<std::vector<std::string>, ParseError> header_names(Scanner& in) {
  std::vector<std::string> out;
  if (!in.space() || !in.accept('(')) return bad("Expected a list of field names");
  do {
    auto name = in.astring();
    if (!name || name->empty()) return bad("Bad field name");
    if (out.size() == kMaxHeaderNames) return bad("Too many field names");
    out.push_back(std::move(*name));
  } while (in.space());
  if (!in.accept(')')) return bad("Bad list of field names");
  return out;
}

// `text`: the part's specifier after its numbers.
std::expected<void, ParseError> section_text(Scanner& in, std::string_view text, Section& out) {
  using Text = Section::Text;
  if (ascii::iequals(text, "HEADER")) {
    out.text = Text::header;
  } else if (ascii::iequals(text, "TEXT")) {
    out.text = Text::text;
  } else if (ascii::iequals(text, "MIME") && !out.path.empty()) {
    out.text = Text::mime;
  } else if (ascii::iequals(text, "HEADER.FIELDS") || ascii::iequals(text, "HEADER.FIELDS.NOT")) {
    out.text = text.size() == 13 ? Text::header_fields : Text::header_fields_not;
    auto names = header_names(in);
    if (!names) return std::unexpected(names.error());
    out.names = std::move(*names);
  } else {
    return bad("Unknown section");
  }
  return {};
}

// After the opening bracket, up to and including the closing one.
std::expected<Section, ParseError> section(Scanner& in) {
  Section out;
  while (ascii::is_digit(in.peek())) {
    const auto part = in.nz_number();
    if (!part || out.path.size() == kMaxSectionDepth) return bad("Bad part number");
    out.path.push_back(*part);
    if (in.peek() == ']') break;
    if (!in.accept('.')) return bad("Bad part number");
    if (in.peek() == ']') return bad("Bad part number");
  }
  if (in.accept(']')) return out;
  if (auto text = section_text(in, in.word(), out); !text) return std::unexpected(text.error());
  if (!in.accept(']')) return bad("Expected ']'");
  return out;
}

std::expected<std::optional<Partial>, ParseError> partial(Scanner& in) {
  if (!in.accept('<')) return std::nullopt;
  const auto offset = in.number();
  if (!offset || !in.accept('.')) return bad("Bad partial");
  const auto length = in.nz_number();
  if (!length || !in.accept('>')) return bad("Bad partial");
  return Partial{*offset, *length};
}

std::expected<FetchItem, ParseError> bracketed(Scanner& in, Kind kind) {
  FetchItem out{kind, {}, {}};
  auto parsed = section(in);
  if (!parsed) return std::unexpected(parsed.error());
  out.section = std::move(*parsed);
  const auto range = partial(in);
  if (!range) return std::unexpected(range.error());
  out.partial = *range;
  return out;
}

std::expected<FetchItem, ParseError> item(Scanner& in) {
  const auto name = in.word();
  for (const auto& known : kItems) {
    if (!ascii::iequals(known.text, name)) continue;
    FetchItem out{known.kind, {}, {}};
    switch (known.kind) {
      case Kind::body:
        if (in.accept('[')) return bracketed(in, Kind::section);
        break;
      case Kind::section_peek:
        if (!in.accept('[')) return bad("Expected '['");
        return bracketed(in, Kind::section_peek);
      case Kind::rfc822_header: out.section.text = Section::Text::header; break;
      case Kind::rfc822_text: out.section.text = Section::Text::text; break;
      default: break;
    }
    return out;
  }
  return bad("Unknown data item");
}

// ALL, FAST, FULL: only alone.
std::optional<std::vector<FetchItem>> macro(Scanner& in) {
  std::vector<Kind> kinds{Kind::flags, Kind::internal_date, Kind::size};
  if (in.keyword("ALL")) {
    kinds.push_back(Kind::envelope);
  } else if (in.keyword("FULL")) {
    kinds.push_back(Kind::envelope);
    kinds.push_back(Kind::body);
  } else if (!in.keyword("FAST")) {
    return std::nullopt;
  }
  std::vector<FetchItem> out;
  for (const auto kind : kinds) out.push_back({kind, {}, {}});
  return out;
}
}  // namespace

std::expected<std::vector<FetchItem>, ParseError> parse_fetch_items(Scanner& in) {
  if (auto expanded = macro(in)) return std::move(*expanded);
  std::vector<FetchItem> out;
  const bool list = in.accept('(');
  do {
    auto one = item(in);
    if (!one) return std::unexpected(one.error());
    if (out.size() == kMaxFetchItems) return bad("Too many data items");
    out.push_back(std::move(*one));
  } while (list && in.space());
  if (list && !in.accept(')')) return bad("Bad list of data items");
  return out;
}

}  // namespace postern::imap
