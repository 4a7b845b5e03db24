#include "imap/fetch/structure.hpp"

#include <fmt/format.h>

#include <iterator>
#include <vector>

#include "imap/wire/encoder.hpp"

namespace postern::imap {

namespace {
using message::Address;
using message::Part;

void append_text_or_nil(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "NIL";
  } else {
    append_string(out, text);
  }
}

// RFC 3501 §7.4.2: (name route mailbox host); a group's start has its name as mailbox and no host,
// its end neither. So a mailbox without a domain gets an empty host, not NIL.
void append_address(std::string& out, const Address& address) {
  switch (address.kind) {
    case Address::Kind::group_start:
      out += "(NIL NIL ";
      append_string(out, address.name);
      out += " NIL)";
      return;
    case Address::Kind::group_end: out += "(NIL NIL NIL NIL)"; return;
    case Address::Kind::mailbox: break;
  }
  out += '(';
  append_text_or_nil(out, address.name);
  out += ' ';
  append_text_or_nil(out, address.route);
  out += ' ';
  append_string(out, address.local);
  out += ' ';
  append_string(out, address.domain);
  out += ')';
}

void append_addresses(std::string& out, const std::vector<Address>& list) {
  if (list.empty()) {
    out += "NIL";
    return;
  }
  out += '(';
  for (const auto& address : list) append_address(out, address);
  out += ')';
}

void append_parameters(std::string& out, const message::Parameters& parameters) {
  if (parameters.empty()) {
    out += "NIL";
    return;
  }
  char before = '(';
  for (const auto& [name, value] : parameters) {
    out += before;
    append_upper_string(out, name);
    out += ' ';
    append_string(out, value);
    before = ' ';
  }
  out += ')';
}

void append_disposition(std::string& out, const message::Disposition& disposition) {
  if (disposition.kind.empty()) {
    out += "NIL";
    return;
  }
  out += '(';
  append_upper_string(out, disposition.kind);
  out += ' ';
  append_parameters(out, disposition.parameters);
  out += ')';
}

void append_language(std::string& out, const std::vector<std::string>& tags) {
  if (tags.empty()) {
    out += "NIL";
    return;
  }
  char before = '(';
  for (const auto& tag : tags) {
    out += before;
    append_string(out, tag);
    before = ' ';
  }
  out += ')';
}

// Disposition, language, location: the end of both extension lists.
void append_common_extension(std::string& out, const Part& part) {
  out += ' ';
  append_disposition(out, part.disposition);
  out += ' ';
  append_language(out, part.language);
  out += ' ';
  append_nstring(out, part.location);
}

void append_multipart(std::string& out, const message::PartTree& tree, const Part& part,
                      ExtensionData extension) {
  for (const auto child : part.children) append_body(out, tree, child, extension);
  out += ' ';
  append_upper_string(out, part.type.subtype);
  if (extension == ExtensionData::leave_out) return;
  out += ' ';
  append_parameters(out, part.type.parameters);
  append_common_extension(out, part);
}

bool is_embedded_message(const Part& part) {
  return part.kind == Part::Kind::message && part.type.is("message", "rfc822") &&
         part.children.size() == 1;
}

void append_media(std::string& out, const Part& part) {
  // The type MESSAGE/RFC822 promises an envelope and a body; one that couldn't be looked into can't
  // keep that promise (RFC 3501 §9, media-basic).
  if (part.type.is("message", "rfc822") && !is_embedded_message(part)) {
    out += "\"APPLICATION\" \"OCTET-STREAM\"";
    return;
  }
  append_upper_string(out, part.type.type);
  out += ' ';
  append_upper_string(out, part.type.subtype);
}

void append_single(std::string& out, const message::PartTree& tree, const Part& part,
                   ExtensionData extension) {
  append_media(out, part);
  out += ' ';
  append_parameters(out, part.type.parameters);
  out += ' ';
  append_nstring(out, part.id);
  out += ' ';
  append_nstring(out, part.description);
  out += ' ';
  append_upper_string(out, part.encoding.empty() ? "7BIT" : std::string_view(part.encoding));
  fmt::format_to(std::back_inserter(out), " {}", part.octets());
  if (is_embedded_message(part)) {
    const auto& root = tree.parts[part.children.front()];
    out += ' ';
    append_envelope(out, root.envelope ? *root.envelope : message::Envelope{});
    out += ' ';
    append_body(out, tree, part.children.front(), extension);
    fmt::format_to(std::back_inserter(out), " {}", part.lines);
  } else if (part.type.type == "text") {
    fmt::format_to(std::back_inserter(out), " {}", part.lines);
  }
  if (extension == ExtensionData::leave_out) return;
  out += ' ';
  append_nstring(out, part.md5);
  append_common_extension(out, part);
}
}  // namespace

void append_envelope(std::string& out, const message::Envelope& envelope) {
  // RFC 3501 §7.4.2: Sender and Reply-To default to From.
  const auto or_from = [&](const std::vector<Address>& list) -> const std::vector<Address>& {
    return list.empty() ? envelope.from : list;
  };
  out += '(';
  append_nstring(out, envelope.date);
  out += ' ';
  append_nstring(out, envelope.subject);
  for (const auto* list : {&envelope.from, &or_from(envelope.sender), &or_from(envelope.reply_to),
                           &envelope.to, &envelope.cc, &envelope.bcc}) {
    out += ' ';
    append_addresses(out, *list);
  }
  out += ' ';
  append_nstring(out, envelope.in_reply_to);
  out += ' ';
  append_nstring(out, envelope.message_id);
  out += ')';
}

void append_body(std::string& out, const message::PartTree& tree, std::uint32_t index,
                 ExtensionData extension) {
  const auto& part = tree.parts[index];
  out += '(';
  if (part.kind == Part::Kind::multipart && !part.children.empty()) {
    append_multipart(out, tree, part, extension);
  } else {
    append_single(out, tree, part, extension);
  }
  out += ')';
}

}  // namespace postern::imap
