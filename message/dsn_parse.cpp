#include <algorithm>

#include "core/ascii.hpp"
#include "message/date.hpp"
#include "message/dsn.hpp"
#include "message/header.hpp"
#include "message/transfer_encoding.hpp"

namespace postern::message {

namespace {

std::optional<DsnAction> parse_action(std::string_view text) {
  for (const DsnAction action : {DsnAction::failed, DsnAction::delayed, DsnAction::delivered,
                                 DsnAction::relayed, DsnAction::expanded}) {
    if (ascii::istarts_with(text, to_string(action))) return action;
  }
  return std::nullopt;
}

/// "dns; host" without the type; text without a type as it is.
std::string without_type(std::string_view value) {
  const auto semicolon = value.find(';');
  if (semicolon != std::string_view::npos) value.remove_prefix(semicolon + 1);
  value = ascii::trim(value);
  if (value.starts_with('<') && value.ends_with('>')) value = value.substr(1, value.size() - 2);
  return std::string(value);
}

/// "type;address" without space around.
std::string with_type(std::string_view value) {
  const auto semicolon = value.find(';');
  if (semicolon == std::string_view::npos) return std::string(ascii::trim(value));
  return ascii::to_lower(ascii::trim(value.substr(0, semicolon))) + ";" +
         std::string(ascii::trim(value.substr(semicolon + 1)));
}

std::optional<Timestamp> time_of(const std::optional<std::string>& value) {
  if (!value) return std::nullopt;
  const auto date = parse_date(*value);
  return date ? std::optional(date->time) : std::nullopt;
}

std::optional<DsnRecipient> parse_recipient(const HeaderBlock& group) {
  const auto final_recipient = group.text("Final-Recipient");
  const auto original = group.text("Original-Recipient");
  const auto action = parse_action(group.text("Action").value_or(""));
  if ((!final_recipient && !original) || !action) return std::nullopt;
  DsnRecipient out;
  out.action = *action;
  out.final_recipient = without_type(final_recipient ? *final_recipient : *original);
  if (original) out.original_recipient = with_type(*original);
  const std::string status = group.text("Status").value_or("");
  out.status = status.substr(0, status.find_first_of(" \t(;"));
  if (const auto mta = group.text("Remote-MTA")) out.remote_mta = without_type(*mta);
  if (const auto code = group.text("Diagnostic-Code")) out.diagnostic = without_type(*code);
  out.last_attempt = time_of(group.text("Last-Attempt-Date"));
  out.will_retry_until = time_of(group.text("Will-Retry-Until"));
  return out;
}

std::string part_bytes(std::string_view message, const Part& part) {
  const auto body = message.substr(static_cast<std::size_t>(part.body_begin),
                                   static_cast<std::size_t>(part.octets()));
  return decode_body(parse_transfer_encoding(part.encoding), body);
}

bool is_status(const Part& part) {
  return part.type.is("message", "delivery-status") ||
         part.type.is("message", "global-delivery-status");
}
bool is_headers(const Part& part) {
  return part.type.is("text", "rfc822-headers") || part.type.is("message", "global-headers");
}
bool is_message(const Part& part) {
  return part.type.is("message", "rfc822") || part.type.is("message", "global");
}

}  // namespace

DsnReport parse_delivery_status(std::string_view text) {
  DsnReport report;
  for (bool first = true; !text.empty() && report.recipients.size() < kMaxDsnRecipients;) {
    const HeaderSplit split = split_header(text);
    text = split.body;
    const HeaderBlock group = HeaderBlock::parse(split.header);
    if (group.fields().empty()) continue;  // extra blank lines
    if (first) {
      report.reporting_mta = without_type(group.text("Reporting-MTA").value_or(""));
      report.envelope_id = group.text("Original-Envelope-Id").value_or("");
      report.arrival = time_of(group.text("Arrival-Date"));
      first = false;
    }
    if (auto recipient = parse_recipient(group)) report.recipients.push_back(std::move(*recipient));
  }
  return report;
}

std::optional<ParsedDsn> parse_dsn(std::string_view message) {
  const PartTree tree = parse_parts(message);
  const auto status = std::ranges::find_if(tree.parts, is_status);
  if (status == tree.parts.end()) return std::nullopt;
  ParsedDsn out;
  out.report = parse_delivery_status(part_bytes(message, *status));
  // The returned message comes after the report.
  const auto original = std::find_if(status, tree.parts.end(), [](const Part& part) {
    return is_headers(part) || is_message(part);
  });
  if (original != tree.parts.end()) {
    const std::string bytes = part_bytes(message, *original);
    out.original_header = split_header(bytes).header;
  }
  return out;
}

}  // namespace postern::message
