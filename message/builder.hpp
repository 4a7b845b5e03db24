// Makes messages: header fields with correct encoding and folding, text, alternatives, attachments.
//
// Values are UTF-8 and may come from users: line breaks and control characters in them never reach
// the header as such (they become spaces), so a value can't add a field. Bodies may have any line
// ends; the result has CRLF only and no line above 998 octets. Standards: RFC 5322, RFC 2045-2047,
// RFC 2231.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/time.hpp"

namespace postern::message {

inline constexpr std::size_t kFoldColumn = 78;

/// Appends `Name: value CRLF`, folded at spaces. The value must already be encoded for its field.
void append_field(std::string& out, std::string_view name, std::string_view encoded_value);
/// The same for an unstructured field (Subject), from UTF-8.
void append_text_field(std::string& out, std::string_view name, std::string_view utf8);

struct Mailbox {
  std::string name;     ///< UTF-8, may be empty
  std::string address;  ///< addr-spec
};
/// `a <a@x>, b <b@y>` encoded.
std::string format_mailboxes(const std::vector<Mailbox>& list);

struct Attachment {
  std::string content_type;  ///< "application/pdf"
  std::string filename;      ///< UTF-8, may be empty
  std::string content;       ///< raw bytes
  std::string content_id;    ///< without brackets; non-empty: inline
};

struct Outgoing {
  std::vector<Mailbox> from, reply_to, to, cc;
  std::string subject;
  Timestamp date;
  std::string message_id;                                   ///< with brackets
  std::vector<std::pair<std::string, std::string>> fields;  ///< more fields, name and UTF-8 text
  std::string text;                                         ///< UTF-8
  std::string html;  ///< UTF-8, may be empty; both: multipart/alternative
  std::vector<Attachment> attachments;
};

std::string build_message(const Outgoing& outgoing);

/// One MIME part: its fields, blank line and encoded body (7bit where possible, else
/// quoted-printable).
std::string build_text_part(std::string_view subtype, std::string_view utf8);
/// A multipart's Content-Type field, blank line and body; `extra` e.g. `;
/// report-type=delivery-status`.
std::string build_multipart(std::string_view subtype, const std::vector<std::string>& parts,
                            std::string_view extra = {});

/// Line ends of any kind become CRLF.
std::string to_crlf(std::string_view text);

}  // namespace postern::message
