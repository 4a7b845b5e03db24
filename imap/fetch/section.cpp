#include "imap/fetch/section.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/ascii.hpp"
#include "imap/wire/encoder.hpp"
#include "imap/wire/syntax.hpp"
#include "message/header.hpp"

namespace postern::imap {

namespace {
using Text = Section::Text;

bool selects_fields(const Section& section) {
  return section.text == Text::header_fields || section.text == Text::header_fields_not;
}

void append_section(std::string& out, const Section& section) {
  for (std::size_t i = 0; i < section.path.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ".", section.path[i]);
  }
  if (section.text == Text::all) return;
  if (!section.path.empty()) out += '.';
  switch (section.text) {
    case Text::all: return;
    case Text::header: out += "HEADER"; return;
    case Text::text: out += "TEXT"; return;
    case Text::mime: out += "MIME"; return;
    case Text::header_fields: out += "HEADER.FIELDS"; break;
    case Text::header_fields_not: out += "HEADER.FIELDS.NOT"; break;
  }
  char before = '(';
  out += ' ';
  for (const auto& name : section.names) {
    out += before;
    if (std::ranges::all_of(name, is_astring_char)) {
      out += name;
    } else {
      append_string(out, name);
    }
    before = ' ';
  }
  out += ')';
}
}  // namespace

void append_item_name(std::string& out, const FetchItem& item) {
  switch (item.kind) {
    case FetchItem::Kind::rfc822: out += "RFC822"; return;
    case FetchItem::Kind::rfc822_header: out += "RFC822.HEADER"; return;
    case FetchItem::Kind::rfc822_text: out += "RFC822.TEXT"; return;
    default: break;
  }
  out += "BODY[";
  append_section(out, item.section);
  out += ']';
  if (item.partial) fmt::format_to(std::back_inserter(out), "<{}>", item.partial->offset);
}

std::optional<message::Range> section_range(const message::Index& index, const Section& section) {
  auto text = message::SectionText::all;
  switch (section.text) {
    case Text::all: break;
    case Text::header:
    case Text::header_fields:
    case Text::header_fields_not: text = message::SectionText::header; break;
    case Text::text: text = message::SectionText::text; break;
    case Text::mime: text = message::SectionText::mime; break;
  }
  return message::find_section(index.tree, section.path, text);
}

std::string select_fields(std::string_view header, const Section& section) {
  if (!selects_fields(section)) return std::string(header);
  const bool wanted = section.text == Text::header_fields;
  std::string out;
  message::HeaderReader reader(header);
  while (const auto field = reader.next()) {
    if (field->name.empty()) continue;
    const bool named = std::ranges::any_of(
        section.names, [&](const auto& name) { return ascii::iequals(name, field->name); });
    if (named == wanted) out += header.substr(field->offset, field->size);
  }
  // RFC 3501 §6.4.5: the delimiting blank line is always there.
  if (!out.empty() && !out.ends_with('\n')) out += "\r\n";
  out += "\r\n";
  return out;
}

message::Range clip(std::uint64_t length, const std::optional<Partial>& partial) {
  if (!partial) return {0, length};
  const auto offset = std::min(partial->offset, length);
  return {offset, std::min(partial->length, length - offset)};
}

}  // namespace postern::imap
