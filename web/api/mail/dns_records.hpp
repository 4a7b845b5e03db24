// The DNS records that a hosted domain publishes, and whether it does.
//
// MX (RFC 5321 §5), SPF (RFC 7208), DKIM keys (RFC 6376 §3.6.2), DMARC (RFC 9989). What DNS answers
// is untrusted text. The loop that watches for drift (app/server/domain_watch.hpp) uses this too.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/signing_keys.hpp"
#include "accounts/watched_record.hpp"
#include "core/dns/dns.hpp"
#include "core/task.hpp"

namespace postern::web::api {

using Purpose = accounts::RecordPurpose;
using accounts::RecordStatus;

struct DnsRecord {
  Purpose purpose = Purpose::mx;
  std::string name;  ///< without the final dot
  dns::Type type = dns::Type::txt;
  std::string value;  ///< "10 mx.example.com" or a TXT's text
};

/// What proves to whom a domain belongs that nobody vouched for: a TXT record that only its owner
/// can publish.
DnsRecord proof_record(const std::string& domain, const std::string& challenge);

/// `hostname`: this server's name, where mail for the domain goes.
std::vector<DnsRecord> wanted_records(const std::string& domain, const std::string& hostname,
                                      const std::vector<accounts::SigningKey>& keys);

/// As a zone file writes it: MX with its final dot, TXT in quoted strings of at most 255 bytes.
std::string zone_value(const DnsRecord& record);

struct CheckedRecord {
  DnsRecord record;
  RecordStatus status = RecordStatus::unknown;
  std::vector<std::string> found;  ///< what is there instead
  std::chrono::seconds ttl{0};     ///< of the answer
};

/// Compares one record with what DNS answered: spacing in a key doesn't matter, and an SPF record
/// may allow more than ours.
CheckedRecord compare_record(const DnsRecord& wanted, const dns::Answer& answer);
/// Where the domain itself doesn't exist, what is missing is `gone`.
Task<std::vector<CheckedRecord>> check_records(dns::Resolver& resolver,
                                               std::vector<DnsRecord> wanted);

/// For accounts::note_look: all but the proof, which is asked for once and not kept.
std::vector<accounts::Observation> observations_of(const std::vector<CheckedRecord>& checked);

}  // namespace postern::web::api
