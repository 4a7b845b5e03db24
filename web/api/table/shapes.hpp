// The shapes of everything that goes in and out of the API, beside people's (shapes_people.hpp).
#pragma once

#include <array>

#include "accounts/credentials.hpp"
#include "smtp/queue/management.hpp"
#include "web/api/table/shape.hpp"

namespace postern::web::shapes {

using enum Kind;
using enum Presence;

inline constexpr std::array<std::string_view, 2> kStatuses{"active", "suspended"};
inline constexpr std::array<std::string_view, 4> kLanes{"auth", "alert", "transactional", "bulk"};
inline constexpr std::array<std::string_view, 2> kQueueStates{"queued", "held"};

inline constexpr Member kCursor{"cursor", text, optional, "What the page before gave"};
inline constexpr std::array kPaged{kCursor};

// Server.
inline constexpr std::array kHealthMembers{Member{"status", text, required, "\"ok\" or \"ready\""}};
inline constexpr Shape kHealth{"Health", kHealthMembers};
inline constexpr std::array kStatusMembers{
    Member{"hostname", text, required, "The server's name"},
    Member{"version", text, required, "Of the program"},
    Member{"ready", flag, required, "It takes work"},
    Member{"disk_below_reserve", flag, required, "New mail is refused until there is room"},
    Member{"time", Kind::time, required, "The server's clock"}};
inline constexpr Shape kStatus{"Status", kStatusMembers};
inline constexpr std::array kBackupMembers{Member{
    "directory", text, required, "An absolute path on the server, not there or empty", 4096}};
inline constexpr Shape kBackup{"Backup", kBackupMembers};

// Tenants.
inline constexpr std::array kNewTenantMembers{
    Member{"name", text, required, "Letters, digits, '-', '_', '.'", 63}};
inline constexpr Shape kNewTenant{"NewTenant", kNewTenantMembers};
inline constexpr std::array kTenantMembers{
    Member{"id", text, required, "Stays when the name changes"},
    Member{"name", text, required, "Unique on this server"},
    Member{"status", text, required, "Whether it may log in and send", 16, kStatuses},
    Member{"owner", text, required, "The mailbox that gets postmaster's mail; empty: none yet"},
    Member{"shard", integer, required, "Which mail file"},
    Member{"created_at", Kind::time, required, ""}};
inline constexpr Shape kTenant{"Tenant", kTenantMembers};

// Domains.
inline constexpr std::array kNewDomainMembers{
    Member{"domain", text, required, "The domain's name"},
    Member{"tenant", text, optional, "Whose, by name or id; the caller's own by default"}};
inline constexpr Shape kNewDomain{"NewDomain", kNewDomainMembers};
inline constexpr std::array kDnsRecordMembers{
    Member{"purpose", text, required, "proof, mx, spf, dkim or dmarc"},
    Member{"name", text, required, "Where to publish it"},
    Member{"type", text, required, "MX or TXT"},
    Member{"ttl", integer, required, "Seconds, suggested"},
    Member{"value", text, required, "What a look-up answers", 4096},
    Member{"zone_value", text, required, "The same as a zone file has it", 4096}};
inline constexpr Shape kDnsRecord{"DnsRecord", kDnsRecordMembers};
inline constexpr std::array kDriftMembers{
    Member{"purpose", text, required, "mx, spf, dkim or dmarc"},
    Member{"name", text, required, "Of the record"},
    Member{"status", text, required, "missing, different, or gone: as is the whole domain"},
    Member{"since", Kind::time, required, "When it was first seen so"}};
inline constexpr Shape kDrift{"Drift", kDriftMembers};
inline constexpr std::array<std::string_view, 3> kDomainStatuses{"pending", "active", "suspended"};
inline constexpr std::array kDomainMembers{
    Member{"domain", text, required, "Its name"},
    Member{"tenant", text, required, "Whose"},
    Member{"status", text, required, "Pending: nothing is routed or signed until DNS proves it", 16,
           kDomainStatuses},
    Member{"created_at", Kind::time, required, ""},
    Member{"drifted", flag, required, "A DNS record is no longer what it was and should be"},
    Member{"drift", objects, optional, "Which ones; not in lists", 0, {}, &kDrift},
    Member{"records", objects, optional, "What to publish; not in lists", 0, {}, &kDnsRecord}};
inline constexpr Shape kDomain{"Domain", kDomainMembers};
inline constexpr std::array kCheckedRecordMembers{
    kDnsRecordMembers[0],
    kDnsRecordMembers[1],
    kDnsRecordMembers[2],
    kDnsRecordMembers[3],
    kDnsRecordMembers[4],
    kDnsRecordMembers[5],
    Member{"status", text, required,
           "ok, missing, different, unknown, or gone: as is the whole domain"},
    Member{"found", texts, required, "What DNS answered", 4096}};
inline constexpr Shape kCheckedRecord{"CheckedRecord", kCheckedRecordMembers};
inline constexpr std::array kDomainCheckMembers{
    Member{"domain", text, required, "Its name"},
    Member{"tenant", text, required, "Whose"},
    Member{"status", text, required, "Active, once the proof was found", 16, kDomainStatuses},
    Member{"created_at", Kind::time, required, ""},
    Member{"drifted", flag, required, "A DNS record is no longer what it was and should be"},
    Member{"drift", objects, required, "Which ones", 0, {}, &kDrift},
    Member{"ok", flag, required, "All records are as they should be"},
    Member{"records", objects, required, "", 0, {}, &kCheckedRecord}};
inline constexpr Shape kDomainCheck{"DomainCheck", kDomainCheckMembers};
inline constexpr std::array kDomainsQuery{
    Member{"tenant", text, optional, "Only this tenant's, by name or id"}, kCursor};

// Accounts.
inline constexpr std::array kNewAccountMembers{
    Member{"address", text, required, "In a hosted domain"},
    Member{"display_name", text, optional, "For people to read"},
    Member{"password", text, optional, "One is made and answered when it is missing",
           accounts::kMaxPassword}};
inline constexpr Shape kNewAccount{"NewAccount", kNewAccountMembers};
inline constexpr std::array kAccountMembers{
    Member{"id", text, required, ""},
    Member{"tenant", text, required, "The tenant's id"},
    Member{"address", text, required, ""},
    Member{"display_name", text, required, ""},
    Member{"status", text, required, "", 16, kStatuses},
    Member{"created_at", Kind::time, required, ""},
    Member{"password", text, optional, "Only when it was just made: it is shown once"}};
inline constexpr Shape kAccount{"Account", kAccountMembers};
inline constexpr std::array kPasswordMembers{Member{"password", text, optional,
                                                    "One is made and answered when it is missing",
                                                    accounts::kMaxPassword}};
inline constexpr Shape kPassword{"Password", kPasswordMembers};
inline constexpr std::array kOfDomainQuery{Member{"domain", text, required, "Of this domain"},
                                           kCursor};

// Grants, credentials, aliases.
inline constexpr std::array kNewGrantMembers{
    Member{"domain", text, required, "A domain of the same tenant"}};
inline constexpr Shape kNewGrant{"NewGrant", kNewGrantMembers};
inline constexpr std::array kGrantMembers{Member{"address", text, required, "Who may send"},
                                          Member{"domain", text, required, "As any address of it"}};
inline constexpr Shape kGrant{"Grant", kGrantMembers};
inline constexpr std::array kNewCredentialMembers{
    Member{"label", text, required, "Which device or program", 100}};
inline constexpr Shape kNewCredential{"NewCredential", kNewCredentialMembers};
inline constexpr std::array kCredentialMembers{
    Member{"id", text, required, ""},
    Member{"kind", text, required, "password or app_password"},
    Member{"label", text, required, ""},
    Member{"selector", text, required, "The public part of an app password"},
    Member{"created_at", Kind::time, required, ""},
    Member{"last_used_at", Kind::time, optional, "As of some minutes ago"},
    Member{"status", text, required, "active or revoked"},
    Member{"address", text, optional, "The account's, when it was just made"},
    Member{"password", text, optional, "Only when it was just made: it is shown once"}};
inline constexpr Shape kCredential{"Credential", kCredentialMembers};
inline constexpr std::array kNewAliasMembers{
    Member{"address", text, required, "\"*@domain\" for the domain's catch-all"},
    Member{"targets", texts, required, "Accounts or aliases of the same tenant"}};
inline constexpr Shape kNewAlias{"NewAlias", kNewAliasMembers};
inline constexpr std::array kAliasMembers{Member{"address", text, required, ""},
                                          Member{"targets", texts, required, ""}};
inline constexpr Shape kAlias{"Alias", kAliasMembers};

// Log-ins that are shut out.
inline constexpr std::array kLoginBlockMembers{
    Member{"login", text, required, "Empty: any from that network"},
    Member{"network", text, required, ""}, Member{"until", Kind::time, required, ""}};
inline constexpr Shape kLoginBlock{"LoginBlock", kLoginBlockMembers};
inline constexpr std::array kUnblockedMembers{Member{"ended", integer, required, "How many"}};
inline constexpr Shape kUnblocked{"Unblocked", kUnblockedMembers};

// The queue.
inline constexpr std::array kQueueQuery{
    Member{"tenant", text, optional, "Only this tenant's, by name or id"},
    Member{"destination", text, optional, "Only to this domain"},
    Member{"sender", text, optional, "Only with this return path"},
    Member{"recipient", text, optional, "Only to this address"},
    Member{"lane", text, optional, "", 32, kLanes},
    Member{"state", text, optional, "", 32, kQueueStates},
    Member{"limit", integer, optional, "Rows a page", smtp::queue::kMaxListPage},
    kCursor};
inline constexpr std::array kRecipientQuery{
    Member{"recipient", integer, optional, "Only this recipient, by number", 1'000'000}};
inline constexpr std::array kQueuedRecipientMembers{
    Member{"recipient", integer, required, "Its number in the message"},
    Member{"address", text, required, ""},
    Member{"destination", text, required, "Domain or route"},
    Member{"transport", text, required, "smtp or local"},
    Member{"state", text, required, ""},
    Member{"attempts", integer, required, ""},
    Member{"next_attempt_at", Kind::time, optional, ""},
    Member{"last_attempt_at", Kind::time, optional, ""},
    Member{"last_reply", text, required, "What the other side said", 4096},
    Member{"remote_mta", text, required, ""}};
inline constexpr Shape kQueuedRecipient{"QueuedRecipient", kQueuedRecipientMembers};
inline constexpr std::array kQueuedMembers{
    Member{"id", text, required, "As in \"queued as\""},
    Member{"tenant", text, required, "The tenant's id"},
    Member{"sender", text, required, "The return path"},
    Member{"size", integer, required, "Octets"},
    Member{"lane", text, required, "", 32, kLanes},
    Member{"stream", text, required, ""},
    Member{"submitter", text, required, "Who logged in"},
    Member{"origin", text, required, "From where it came"},
    Member{"created_at", Kind::time, required, ""},
    Member{"expires_at", Kind::time, required, ""},
    Member{"recipients", objects, required, "", 0, {}, &kQueuedRecipient}};
inline constexpr Shape kQueued{"QueuedMessage", kQueuedMembers};
inline constexpr std::array kQueueRowMembers{
    kQueuedMembers[0],          kQueuedMembers[1],          kQueuedMembers[2],
    kQueuedMembers[3],          kQueuedMembers[4],          kQueuedMembers[5],
    kQueuedMembers[6],          kQueuedMembers[7],          kQueuedMembers[8],
    kQueuedMembers[9],          kQueuedRecipientMembers[0], kQueuedRecipientMembers[1],
    kQueuedRecipientMembers[2], kQueuedRecipientMembers[3], kQueuedRecipientMembers[4],
    kQueuedRecipientMembers[5], kQueuedRecipientMembers[6], kQueuedRecipientMembers[7],
    kQueuedRecipientMembers[8], kQueuedRecipientMembers[9]};
inline constexpr Shape kQueueRow{"QueueRow", kQueueRowMembers};
inline constexpr std::array kActedMembers{Member{"id", text, required, "The message"},
                                          Member{"recipients", integer, required, "How many"}};
inline constexpr Shape kActed{"Acted", kActedMembers};

// Timelines.
inline constexpr std::array kEventMembers{
    Member{"id", text, required, ""},
    Member{"event", text, required, "accepted, delivered, deferred, bounced, ..."},
    Member{"at", Kind::time, required, ""},
    Member{"sender", text, required, "The return path"},
    Member{"lane", text, required, "", 32, kLanes},
    Member{"stream", text, required, ""},
    Member{"recipient", integer, optional, "Its number"},
    Member{"address", text, optional, ""},
    Member{"destination", text, optional, ""},
    Member{"attempts", integer, optional, ""},
    Member{"reply", text, optional, "What the other side said", 4096},
    Member{"remote_mta", text, optional, ""},
    Member{"bounce", text, optional, "The bounce's class"},
    Member{"next_attempt_at", Kind::time, optional, ""},
    Member{"age_seconds", number, optional, "Since the message was accepted"}};
inline constexpr Shape kEvent{"Event", kEventMembers};
inline constexpr std::array kTimelineMembers{
    Member{"id", text, required, "The message"},
    Member{"tenant", text, required, "The tenant's id"},
    Member{"items", objects, required, "In order of time", 0, {}, &kEvent},
    Member{"cursor", text, optional, "There is more"}};
inline constexpr Shape kTimeline{"Timeline", kTimelineMembers};

}  // namespace postern::web::shapes
