// The DMARC policy record (RFC 9989 §4.7), with records written for RFC 7489 understood: tags that
// no longer exist (pct, rf, ri) are ignored like any unknown one.
//
// Untrusted: the text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::dmarc {

enum class Policy : std::uint8_t { none, quarantine, reject };
enum class Alignment : std::uint8_t { relaxed, strict };
enum class Psd : std::uint8_t { unknown, yes, no };

std::string_view to_string(Policy policy);

struct Record {
  Policy policy = Policy::none;                   ///< p
  std::optional<Policy> subdomain_policy;         ///< sp
  std::optional<Policy> nonexistent_policy;       ///< np
  Alignment dkim_alignment = Alignment::relaxed;  ///< adkim
  Alignment spf_alignment = Alignment::relaxed;   ///< aspf
  Psd psd = Psd::unknown;
  bool testing = false;                        ///< t=y: apply the next milder policy
  std::vector<std::string> aggregate_reports;  ///< rua: URIs as written
  std::vector<std::string> failure_reports;    ///< ruf
  std::string failure_options = "0";           ///< fo
};

/// Begins with "v=DMARC1": a candidate, others at the name don't count.
bool is_dmarc_record(std::string_view text);

/// nullopt: not a DMARC record, or one that may not be applied (p missing or invalid, or sp or np
/// invalid, with no usable rua; with one it counts as p=none).
std::optional<Record> parse_record(std::string_view text);

}  // namespace postern::dmarc
