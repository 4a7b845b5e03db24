#include "message/builder.hpp"

#include <algorithm>
#include <string>

#include "core/ascii.hpp"
#include "core/encoding.hpp"
#include "core/random.hpp"
#include "message/address.hpp"
#include "message/date.hpp"
#include "message/email_address.hpp"
#include "message/encoded_word.hpp"
#include "message/header.hpp"
#include "message/parameter.hpp"
#include "message/transfer_encoding.hpp"

namespace postern::message {

namespace {

constexpr std::size_t kMaxLine = 998;  // RFC 5322 §2.1.1

/// 7bit needs short lines of ASCII without NUL (RFC 2045 §2.7).
bool is_seven_bit(std::string_view crlf_text) {
  std::size_t column = 0;
  for (const char c : crlf_text) {
    if (c == '\0' || (static_cast<unsigned char>(c) & 0x80U) != 0) return false;
    if (c != '\r') column = c == '\n' ? 0 : column + 1;
    if (column > kMaxLine) return false;
  }
  return true;
}

std::string attachment_part(const Attachment& attachment) {
  std::string out;
  std::string type =
      attachment.content_type.empty() ? "application/octet-stream" : attachment.content_type;
  if (!attachment.filename.empty()) type += format_parameter("name", attachment.filename);
  append_field(out, "Content-Type", type);
  append_field(out, "Content-Transfer-Encoding", "base64");
  std::string disposition = attachment.content_id.empty() ? "attachment" : "inline";
  if (!attachment.filename.empty())
    disposition += format_parameter("filename", attachment.filename);
  append_field(out, "Content-Disposition", disposition);
  if (!attachment.content_id.empty())
    append_field(out, "Content-ID", "<" + attachment.content_id + ">");
  return out + "\r\n" + encode_base64_lines(attachment.content);
}

std::string body_part(const Outgoing& outgoing) {
  if (outgoing.html.empty()) return build_text_part("plain", outgoing.text);
  if (outgoing.text.empty()) return build_text_part("html", outgoing.html);
  return build_multipart("alternative", {build_text_part("plain", outgoing.text),
                                         build_text_part("html", outgoing.html)});
}

std::string content(const Outgoing& outgoing) {
  if (outgoing.attachments.empty()) return body_part(outgoing);
  std::vector<std::string> related{body_part(outgoing)};
  std::vector<std::string> mixed{{}};
  for (const Attachment& attachment : outgoing.attachments) {
    (attachment.content_id.empty() ? mixed : related).push_back(attachment_part(attachment));
  }
  mixed.front() = related.size() == 1 ? related.front() : build_multipart("related", related);
  return mixed.size() == 1 ? mixed.front() : build_multipart("mixed", mixed);
}

/// "--boundary" must not occur in any part; 120 random bits see to that, the check to the rest.
std::string make_boundary(const std::vector<std::string>& parts) {
  constexpr std::size_t random_size = 15;
  while (true) {
    std::string boundary = "=_" + hex_encode(random_bytes(random_size));
    const bool taken = std::ranges::any_of(
        parts, [&](const std::string& part) { return part.find(boundary) != std::string::npos; });
    if (!taken) return boundary;
  }
}

}  // namespace

void append_field(std::string& out, std::string_view name, std::string_view encoded_value) {
  std::string value(encoded_value);
  std::ranges::replace_if(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  out.append(name).append(":");
  std::size_t column = name.size() + 1;
  std::string_view rest = ascii::trim(value);
  // Folding happens before a space, so that unfolding gives the same value back.
  for (bool first = true; !rest.empty() || first; first = false) {
    auto end = rest.find(' ', 1);
    while (end != std::string_view::npos && end + 1 < rest.size() && rest[end + 1] == ' ') ++end;
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(word.size());
    const std::size_t size = word.size() + (first ? 1 : 0);
    if (!first && column + size > kFoldColumn &&
        word.find_first_not_of(' ') != std::string_view::npos) {
      out += "\r\n";
      column = 0;
    }
    if (first) out += ' ';
    out += word;
    column += size;
  }
  out += "\r\n";
}

void append_text_field(std::string& out, std::string_view name, std::string_view utf8) {
  append_field(out, name, encode_words(utf8));
}

std::string format_mailboxes(const std::vector<Mailbox>& list) {
  std::string out;
  for (const Mailbox& mailbox : list) {
    if (!out.empty()) out += ", ";
    out += format_mailbox(mailbox.name, mailbox.address);
  }
  return out;
}

std::string build_message(const Outgoing& outgoing) {
  std::string out;
  append_field(out, "Date", format_date(outgoing.date));
  append_field(out, "From", format_mailboxes(outgoing.from));
  if (!outgoing.reply_to.empty())
    append_field(out, "Reply-To", format_mailboxes(outgoing.reply_to));
  if (!outgoing.to.empty()) append_field(out, "To", format_mailboxes(outgoing.to));
  if (!outgoing.cc.empty()) append_field(out, "Cc", format_mailboxes(outgoing.cc));
  append_text_field(out, "Subject", outgoing.subject);
  if (!outgoing.message_id.empty()) append_field(out, "Message-ID", outgoing.message_id);
  for (const auto& [name, value] : outgoing.fields) {
    if (is_field_name(name)) append_text_field(out, name, value);
  }
  append_field(out, "MIME-Version", "1.0");
  return out + content(outgoing);
}

std::string build_text_part(std::string_view subtype, std::string_view utf8) {
  const std::string text = to_crlf(repair_utf8(utf8));
  const bool plain = is_seven_bit(text);
  std::string out;
  append_field(out, "Content-Type", "text/" + std::string(subtype) + "; charset=utf-8");
  append_field(out, "Content-Transfer-Encoding", plain ? "7bit" : "quoted-printable");
  out += "\r\n";
  out += plain ? text : encode_quoted_printable(text);
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out;
}

std::string build_multipart(std::string_view subtype, const std::vector<std::string>& parts,
                            std::string_view extra) {
  const std::string boundary = make_boundary(parts);
  std::string out;
  append_field(
      out, "Content-Type",
      "multipart/" + std::string(subtype) + std::string(extra) + "; boundary=\"" + boundary + "\"");
  for (const std::string& part : parts)
    out.append("\r\n--").append(boundary).append("\r\n").append(part);
  return out.append("\r\n--").append(boundary).append("--\r\n");
}

std::string to_crlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    if (c == '\r' || c == '\n') {
      out += "\r\n";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace postern::message
