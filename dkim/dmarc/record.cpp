#include "dkim/dmarc/record.hpp"

#include <algorithm>

#include "core/ascii.hpp"
#include "dkim/tags.hpp"

namespace postern::dmarc {

namespace {

constexpr std::size_t kMaxRecord = 16'384;  // octets
constexpr std::size_t kMaxReportUris = 16;

std::optional<Policy> parse_policy(std::string_view text) {
  if (ascii::iequals(text, "none")) return Policy::none;
  if (ascii::iequals(text, "quarantine")) return Policy::quarantine;
  if (ascii::iequals(text, "reject")) return Policy::reject;
  return std::nullopt;
}

// A URI with a scheme; RFC 7489's "!10m" size limit at the end is cut off.
bool is_report_uri(std::string_view text) {
  const auto colon = text.find(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < text.size() &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; }) &&
         std::ranges::all_of(text.substr(0, colon), [](char c) {
           return ascii::is_alnum(c) || c == '+' || c == '-' || c == '.';
         });
}

std::vector<std::string> parse_uris(std::string_view list) {
  std::vector<std::string> uris;
  std::size_t at = 0;
  while (at <= list.size() && uris.size() < kMaxReportUris) {
    const auto end = std::min(list.find(',', at), list.size());
    auto uri = ascii::trim(list.substr(at, end - at));
    uri = uri.substr(0, uri.find('!'));
    if (is_report_uri(uri)) uris.emplace_back(uri);
    at = end + 1;
  }
  return uris;
}

Alignment parse_alignment(std::optional<std::string_view> text) {
  return text && ascii::iequals(*text, "s") ? Alignment::strict : Alignment::relaxed;
}

Psd parse_psd(std::optional<std::string_view> text) {
  if (!text) return Psd::unknown;
  if (ascii::iequals(*text, "y")) return Psd::yes;
  return ascii::iequals(*text, "n") ? Psd::no : Psd::unknown;
}

// False when a policy tag is there but none of the three words, or p is missing.
bool read_policies(const dkim::TagList& tags, Record& record) {
  const auto p = parse_policy(tags.get("p").value_or(""));
  const auto sp = tags.get("sp");
  const auto np = tags.get("np");
  if (!p) return false;
  record.policy = *p;
  if (sp) record.subdomain_policy = parse_policy(*sp);
  if (np) record.nonexistent_policy = parse_policy(*np);
  return (!sp || record.subdomain_policy) && (!np || record.nonexistent_policy);
}

}  // namespace

std::string_view to_string(Policy policy) {
  switch (policy) {
    case Policy::none: return "none";
    case Policy::quarantine: return "quarantine";
    case Policy::reject: return "reject";
  }
  return "none";
}

bool is_dmarc_record(std::string_view text) {
  // The v tag comes first and its value is case-sensitive.
  const auto end = std::min(text.find(';'), text.size());
  const auto piece = text.substr(0, end);
  const auto equals = piece.find('=');
  return equals != std::string_view::npos &&
         ascii::iequals(ascii::trim(piece.substr(0, equals)), "v") &&
         ascii::trim(piece.substr(equals + 1)) == "DMARC1";
}

std::optional<Record> parse_record(std::string_view text) {
  if (text.size() > kMaxRecord || !is_dmarc_record(text)) return std::nullopt;
  const auto tags = dkim::TagList::parse(text, dkim::TagList::Strictness::lenient);
  if (!tags) return std::nullopt;
  Record record;
  record.aggregate_reports = parse_uris(tags->get("rua").value_or(""));
  record.failure_reports = parse_uris(tags->get("ruf").value_or(""));
  if (!read_policies(*tags, record)) {
    if (record.aggregate_reports.empty()) return std::nullopt;
    record.policy = Policy::none;
    record.subdomain_policy.reset();
    record.nonexistent_policy.reset();
  }
  record.dkim_alignment = parse_alignment(tags->get("adkim"));
  record.spf_alignment = parse_alignment(tags->get("aspf"));
  record.psd = parse_psd(tags->get("psd"));
  record.testing = ascii::iequals(tags->get("t").value_or("n"), "y");
  record.failure_options = tags->get("fo").value_or("0");
  return record;
}

}  // namespace postern::dmarc
