#include "app/server/drift_mail.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "accounts/account.hpp"
#include "accounts/people/member.hpp"
#include "accounts/people/person.hpp"
#include "accounts/tenants.hpp"

namespace postern::server {

using accounts::RecordPurpose;
using accounts::RecordStatus;
using accounts::WatchedRecord;
using web::api::DnsRecord;

namespace {

constexpr std::size_t kMaxRecipients = 20;
constexpr std::size_t kMaxOwners = 200;   // read, as some of them may not be active
constexpr std::chrono::hours kWorth{48};  // of the news

constexpr std::string_view kMeanwhile =
    "Mail of {} goes on as before. But until the records are back, other servers may bring its "
    "mail elsewhere, or take what it sends for junk. Records that were changed on purpose need "
    "nothing.\n\nYou will be told when all of them are right again, and of further changes once a "
    "day at the most.\n";

std::string title(const WatchedRecord& record) {
  return fmt::format(
      "{} record of {}{}\n", record.purpose == RecordPurpose::mx ? "MX" : "TXT", record.name,
      record.purpose == RecordPurpose::mx ? "" : fmt::format(" ({})", to_string(record.purpose)));
}

std::string_view wanted_value(const std::vector<DnsRecord>& wanted, const WatchedRecord& record) {
  const auto found = std::ranges::find_if(wanted, [&](const DnsRecord& one) {
    return one.purpose == record.purpose && one.name == record.name;
  });
  return found == wanted.end() ? std::string_view{} : found->value;
}

std::string describe(const std::vector<DnsRecord>& wanted, const WatchedRecord& record,
                     Timestamp now) {
  const auto since = record.failing_since.value_or(now);
  return fmt::format("{}  wanted: {}\n  found:  {}\n  since:  {:%Y-%m-%d %H:%M} UTC\n\n",
                     title(record), wanted_value(wanted, record),
                     record.found.empty() ? "nothing" : record.found,
                     fmt::gmtime(std::chrono::system_clock::to_time_t(since)));
}

std::string drifted_text(const std::string& domain, const std::vector<DnsRecord>& wanted,
                         const std::vector<WatchedRecord>& drifted, Timestamp now) {
  std::string text =
      fmt::format("DNS records of {} are no longer as its mail needs them.\n\n", domain);
  for (const auto& record : drifted) text += describe(wanted, record, now);
  const auto gone = [](const WatchedRecord& record) { return record.status == RecordStatus::gone; };
  if (std::ranges::any_of(drifted, gone))
    text += "The domain itself isn't in DNS: its registration may have ended.\n\n";
  return text;
}

// What is wanted no more (a key was removed) can't be right again.
std::string ended_text(const std::vector<DnsRecord>& wanted,
                       const std::vector<WatchedRecord>& ended) {
  std::string text = "Right again:\n\n";
  for (const auto& record : ended) {
    text += title(record);
    if (wanted_value(wanted, record).empty()) text += "  needed no more\n";
  }
  return text + '\n';
}

std::vector<std::string> owners_of(sql::TenantScope& scope) {
  std::vector<std::string> addresses;
  for (const auto owner : accounts::list_owners(scope, kMaxOwners)) {
    if (addresses.size() == kMaxRecipients) break;
    const auto person = accounts::find_person(scope.transaction(), owner);
    if (person && person->status == accounts::PersonStatus::active)
      addresses.push_back(person->email);
  }
  return addresses;
}

}  // namespace

std::vector<std::string> drift_recipients(sql::TenantScope& scope) {
  auto addresses = owners_of(scope);
  if (!addresses.empty()) return addresses;
  const auto tenant = accounts::find_tenant(scope.transaction(), scope.tenant());
  if (!tenant || !tenant->owner) return addresses;
  const auto account = accounts::find_account(scope, *tenant->owner);
  if (account) addresses.push_back(account->address.text());
  return addresses;
}

accounts::Mail drift_mail(const std::string& domain, const std::vector<DnsRecord>& wanted,
                          const accounts::Telling& telling, Timestamp now) {
  accounts::Mail mail;
  mail.deadline = now + kWorth;
  mail.lane = Lane::alert;
  const bool drifted = !telling.drifted.empty();
  mail.subject = fmt::format("DNS records of {} {}", domain,
                             drifted ? "aren't as they should be" : "are right again");
  if (drifted) mail.text = drifted_text(domain, wanted, telling.drifted, now);
  if (!telling.ended.empty()) mail.text += ended_text(wanted, telling.ended);
  mail.text += drifted ? fmt::format(kMeanwhile, domain)
                       : fmt::format(
                             "All DNS records of {} that had changed are as they should be "
                             "for its mail.\n",
                             domain);
  return mail;
}

}  // namespace postern::server
