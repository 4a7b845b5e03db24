#include "core/ascii.hpp"
#include "message/builder.hpp"
#include "message/date.hpp"
#include "message/dsn.hpp"
#include "message/email_address.hpp"
#include "message/header.hpp"

namespace postern::message {

namespace {

/// RFC 6533 §3: an address that isn't ASCII has its own type.
std::string typed_address(std::string_view address) {
  return (is_ascii(address) ? "rfc822; " : "utf-8; ") + std::string(address);
}

/// "rfc822;a@b" as ORCPT gives it, with the space that RFC 3464 examples have after the type.
std::string typed_original(std::string_view original) {
  const auto semicolon = original.find(';');
  if (semicolon == std::string_view::npos) return typed_address(original);
  return std::string(original.substr(0, semicolon)) + "; " +
         std::string(ascii::trim(original.substr(semicolon + 1)));
}

bool is_international(const DsnReport& report) {
  for (const DsnRecipient& recipient : report.recipients) {
    if (!is_ascii(recipient.final_recipient) || !is_ascii(recipient.original_recipient))
      return true;
  }
  return false;
}

/// Diagnostic texts of peers may hold anything; the 7-bit form of the report may not.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) >= 0x7f || (c < ' ' && c != '\t'))
      c = c == '\n' || c == '\r' ? ' ' : '?';
  }
  return out;
}

void append_recipient(std::string& out, const DsnRecipient& recipient) {
  if (!recipient.original_recipient.empty()) {
    append_field(out, "Original-Recipient", typed_original(recipient.original_recipient));
  }
  append_field(out, "Final-Recipient", typed_address(recipient.final_recipient));
  append_field(out, "Action", to_string(recipient.action));
  append_field(out, "Status", recipient.status);
  if (!recipient.remote_mta.empty())
    append_field(out, "Remote-MTA", "dns; " + recipient.remote_mta);
  if (!recipient.diagnostic.empty()) {
    append_field(out, "Diagnostic-Code", "smtp; " + printable(recipient.diagnostic));
  }
  if (recipient.last_attempt)
    append_field(out, "Last-Attempt-Date", format_date(*recipient.last_attempt));
  if (recipient.will_retry_until && recipient.action == DsnAction::delayed) {
    append_field(out, "Will-Retry-Until", format_date(*recipient.will_retry_until));
  }
}

std::string status_part(const DsnReport& report) {
  const bool international = is_international(report);
  std::string out;
  append_field(out, "Content-Type",
               international ? "message/global-delivery-status" : "message/delivery-status");
  if (international) append_field(out, "Content-Transfer-Encoding", "8bit");
  return out + "\r\n" + format_delivery_status(report);
}

std::string original_part(const DsnMessage& dsn) {
  const bool full = dsn.returned == DsnReturn::full;
  const std::string_view header = split_header(dsn.original).header;
  const std::string_view bytes = full ? std::string_view(dsn.original) : header;
  const bool international = !is_ascii(header);
  std::string out;
  // RFC 3464 §2, RFC 6533 §4: the forms for headers that hold UTF-8 are their own types.
  append_field(out, "Content-Type",
               full ? (international ? "message/global" : "message/rfc822")
                    : (international ? "message/global-headers" : "text/rfc822-headers"));
  if (!is_ascii(bytes)) append_field(out, "Content-Transfer-Encoding", "8bit");
  return out + "\r\n" + to_crlf(bytes);
}

}  // namespace

std::string_view to_string(DsnAction action) {
  switch (action) {
    case DsnAction::failed: return "failed";
    case DsnAction::delayed: return "delayed";
    case DsnAction::delivered: return "delivered";
    case DsnAction::relayed: return "relayed";
    case DsnAction::expanded: return "expanded";
  }
  return "failed";
}

std::string format_delivery_status(const DsnReport& report) {
  std::string out;
  if (!report.envelope_id.empty())
    append_field(out, "Original-Envelope-Id", printable(report.envelope_id));
  append_field(out, "Reporting-MTA", "dns; " + report.reporting_mta);
  if (report.arrival) append_field(out, "Arrival-Date", format_date(*report.arrival));
  for (const DsnRecipient& recipient : report.recipients) {
    out += "\r\n";
    append_recipient(out, recipient);
  }
  return out;
}

std::string build_dsn(const DsnMessage& dsn) {
  std::string out;
  append_field(out, "Date", format_date(dsn.date));
  append_field(out, "From", format_mailboxes({{"Mail Delivery System", dsn.from_address}}));
  append_field(out, "To", dsn.to_address);
  append_text_field(out, "Subject", dsn.subject);
  append_field(out, "Message-ID", dsn.message_id);
  append_field(out, "Auto-Submitted", "auto-replied");
  append_field(out, "MIME-Version", "1.0");
  std::vector<std::string> parts{build_text_part("plain", dsn.text), status_part(dsn.report)};
  if (!dsn.original.empty()) parts.push_back(original_part(dsn));
  bool eight_bit = false;
  for (const std::string& part : parts) eight_bit = eight_bit || !is_ascii(part);
  if (eight_bit) append_field(out, "Content-Transfer-Encoding", "8bit");
  return out + build_multipart("report", parts, "; report-type=delivery-status");
}

}  // namespace postern::message
