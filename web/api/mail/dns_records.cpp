#include "web/api/mail/dns_records.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/ascii.hpp"
#include "dkim/lookups.hpp"

namespace postern::web::api {

namespace {

constexpr std::size_t kTxtString = 255;  // RFC 1035 §3.3.14

std::string without_space(std::string_view text) {
  std::string out;
  std::ranges::copy_if(text, std::back_inserter(out), [](char c) { return c != ' ' && c != '\t'; });
  return out;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!(text = ascii::trim(text)).empty()) {
    const auto end = text.find(' ');
    out.push_back(ascii::to_lower(text.substr(0, end)));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end);
  }
  return out;
}

bool is_all(std::string_view term) {
  if (!term.empty() && std::string_view("+-~?").contains(term.front())) term.remove_prefix(1);
  return term == "all";
}

// Every mechanism that we need is there and is reached: nothing after `all` is (RFC 7208 §5.1), and
// "+mx" is "mx" (§4.6.2). What the domain's owner allows besides is theirs to say.
bool allows(std::string_view found, std::string_view wanted) {
  auto have = words(found);
  have.erase(std::ranges::find_if(have, is_all), have.end());
  for (auto& term : have) {
    if (term.starts_with('+')) term.erase(0, 1);
  }
  return std::ranges::all_of(words(wanted), [&](const std::string& term) {
    return is_all(term) || std::ranges::find(have, term) != have.end();
  });
}

bool satisfies(const DnsRecord& wanted, const std::string& text) {
  switch (wanted.purpose) {
    case Purpose::proof: return ascii::trim(text) == wanted.value;
    case Purpose::mx: return ascii::iequals(text, wanted.value);
    case Purpose::spf: return allows(text, wanted.value);
    case Purpose::dkim: return without_space(text) == without_space(wanted.value);
    case Purpose::dmarc: return true;
  }
  return false;
}

std::string_view marker(Purpose purpose) {
  switch (purpose) {
    case Purpose::proof: return "postern-domain-verification=";
    case Purpose::spf: return "v=spf1";
    case Purpose::dmarc: return "v=DMARC1";
    default: return "";
  }
}

}  // namespace

DnsRecord proof_record(const std::string& domain, const std::string& challenge) {
  return {Purpose::proof, "_postern." + domain, dns::Type::txt,
          "postern-domain-verification=" + challenge};
}

std::vector<DnsRecord> wanted_records(const std::string& domain, const std::string& hostname,
                                      const std::vector<accounts::SigningKey>& keys) {
  std::vector<DnsRecord> records;
  records.push_back({Purpose::mx, domain, dns::Type::mx, "10 " + hostname});
  records.push_back({Purpose::spf, domain, dns::Type::txt, "v=spf1 mx -all"});
  for (const auto& key : keys) {
    records.push_back(
        {Purpose::dkim, key.selector + "._domainkey." + domain, dns::Type::txt, key.public_record});
  }
  records.push_back({Purpose::dmarc, "_dmarc." + domain, dns::Type::txt, "v=DMARC1; p=quarantine"});
  return records;
}

std::string zone_value(const DnsRecord& record) {
  if (record.type == dns::Type::mx) return record.value + ".";
  std::string out;
  std::string_view rest = record.value;
  do {
    if (!out.empty()) out += ' ';
    out += '"' + std::string(rest.substr(0, kTxtString)) + '"';
    rest.remove_prefix(std::min(rest.size(), kTxtString));
  } while (!rest.empty());
  return out;
}

CheckedRecord compare_record(const DnsRecord& wanted, const dns::Answer& answer) {
  CheckedRecord checked{wanted, RecordStatus::missing, {}, std::chrono::seconds(answer.ttl)};
  if (answer.status == dns::Status::temporary) {
    checked.status = RecordStatus::unknown;
    return checked;
  }
  if (wanted.type == dns::Type::mx) {
    for (const auto& mx : answer.mx)
      checked.found.push_back(fmt::format("{} {}", mx.preference, mx.host));
  } else {
    for (const auto& text : answer.texts) {
      if (ascii::istarts_with(text, marker(wanted.purpose))) checked.found.push_back(text);
    }
  }
  if (checked.found.empty()) return checked;
  // Any MX of ours will do, whatever its preference; two SPF or DMARC records are an error (RFC
  // 7208 §4.5).
  const auto host = [](std::string_view mx) { return mx.substr(mx.find(' ') + 1); };
  const bool good =
      wanted.purpose == Purpose::mx
          ? std::ranges::any_of(
                checked.found,
                [&](const std::string& mx) { return ascii::iequals(host(mx), host(wanted.value)); })
          : std::ranges::all_of(checked.found,
                                [&](const std::string& text) { return satisfies(wanted, text); }) &&
                checked.found.size() == 1;
  checked.status = good ? RecordStatus::ok : RecordStatus::different;
  return checked;
}

Task<std::vector<CheckedRecord>> check_records(dns::Resolver& resolver,
                                               std::vector<DnsRecord> wanted) {
  std::vector<dkim::Question> questions;
  questions.reserve(wanted.size());
  for (const auto& record : wanted) questions.emplace_back(record.name, record.type);
  auto answers = std::make_shared<dkim::Lookups>();
  co_await dkim::resolve_all(resolver, std::move(questions), answers);
  std::vector<CheckedRecord> checked;
  checked.reserve(wanted.size());
  bool gone = false;
  for (const auto& record : wanted) {
    const auto answer = answers->find(record.name, record.type);
    checked.push_back(compare_record(record, answer ? *answer : dns::Answer{}));
    // The MX record is the domain's own name; there is nothing below one that isn't there.
    gone =
        gone || (record.type == dns::Type::mx && answer && answer->status == dns::Status::nxdomain);
  }
  for (auto& one : checked) {
    if (gone && one.status == RecordStatus::missing) one.status = RecordStatus::gone;
  }
  co_return checked;
}

std::vector<accounts::Observation> observations_of(const std::vector<CheckedRecord>& checked) {
  std::vector<accounts::Observation> seen;
  seen.reserve(checked.size());
  for (const auto& one : checked) {
    if (one.record.purpose == Purpose::proof) continue;
    seen.push_back({one.record.purpose, one.record.name, one.status,
                    accounts::found_text(one.found), one.ttl});
  }
  return seen;
}

}  // namespace postern::web::api
