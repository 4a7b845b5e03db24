// The shapes of what is about people and programs: sessions, members, roles, keys, connections,
// audit records.
#pragma once

#include <array>

#include "accounts/access/permission.hpp"
#include "accounts/audit/stream/destination.hpp"
#include "accounts/factors/password_policy.hpp"
#include "accounts/keys/api_key.hpp"
#include "accounts/people/connection.hpp"
#include "web/api/table/shapes.hpp"

namespace postern::web::shapes {

inline constexpr std::size_t kToken = 128;     // octets of a mailed or cookie token
inline constexpr std::size_t kCode = 64;       // octets of a typed code
inline constexpr std::size_t kBinary = 32768;  // octets of base64url
inline constexpr std::size_t kMonthly = 1'000'000'000'000;

inline constexpr Member kEmail{"email", text, required, "The person's address", 254};
inline constexpr Member kNewPassword{"password", text, required,
                                     "At least 12 characters, and not a common one",
                                     accounts::kMaxPersonPassword};

// Signing in.
inline constexpr std::array kSignInMembers{
    kEmail, Member{"password", text, required, "", accounts::kMaxPersonPassword}};
inline constexpr Shape kSignIn{"SignIn", kSignInMembers};
inline constexpr std::array kEmailOnlyMembers{kEmail};
inline constexpr Shape kEmailOnly{"EmailOnly", kEmailOnlyMembers};
inline constexpr std::array kTokenMembers{Member{"token", text, required, "From the link", kToken}};
inline constexpr Shape kLinkToken{"LinkToken", kTokenMembers};
inline constexpr std::array kEmailCodeMembers{
    kEmail, Member{"code", text, required, "From the email", kCode}};
inline constexpr Shape kEmailCode{"EmailCode", kEmailCodeMembers};
inline constexpr std::array<std::string_view, 2> kCodeKinds{"totp", "recovery_code"};
inline constexpr std::array kSecondFactorMembers{
    Member{"kind", text, required, "", 32, kCodeKinds},
    Member{"code", text, required, "From the app, or a recovery code", kCode}};
inline constexpr Shape kSecondFactor{"SecondFactor", kSecondFactorMembers};
inline constexpr std::array kRequestedMembers{
    Member{"status", text, required, "\"sent\", whether or not there is such a person"}};
inline constexpr Shape kRequested{"Requested", kRequestedMembers};
inline constexpr std::array kTenantAccessMembers{
    Member{"id", text, required, "The tenant's id"},
    Member{"name", text, required, "The tenant's name"},
    Member{"role", text, required, "A built-in role's name, or a custom role's id"}};
inline constexpr Shape kTenantAccess{"TenantAccess", kTenantAccessMembers};
inline constexpr std::array kSessionMembers{
    Member{"id", text, required, "Of the session"},
    Member{"person", text, required, "The person's id"},
    kEmail,
    Member{"name", text, required, ""},
    Member{"sign_in", text, required, "whole, half (a second factor is due) or enrolling"},
    Member{"second_factors", texts, required, "What can be given: totp, passkey, recovery_code"},
    Member{"operator", flag, required, "May run the platform"},
    Member{"tenants", objects, required, "Where the person belongs", 0, {}, &kTenantAccess},
    Member{"permissions", texts, required, "What this caller may do, in this tenant"},
    Member{"verified_at", Kind::time, optional, "When a second factor was last given"},
    Member{"expires_at", Kind::time, required, ""},
    Member{"csrf_token", text, required, "For the header X-CSRF-Token", kToken}};
inline constexpr Shape kSession{"Session", kSessionMembers};
inline constexpr std::array kSessionRowMembers{
    Member{"id", text, required, ""},
    Member{"current", flag, required, "The one that asks"},
    Member{"created_at", Kind::time, required, ""},
    Member{"seen_at", Kind::time, required, "As of a minute ago"},
    Member{"expires_at", Kind::time, required, ""},
    Member{"address", text, required, "From where"},
    Member{"user_agent", text, required, "The browser's own words"}};
inline constexpr Shape kSessionRow{"SessionRow", kSessionRowMembers};

// About oneself.
inline constexpr std::array kRenameMembers{Member{"name", text, required, "", 100}};
inline constexpr Shape kRename{"Rename", kRenameMembers};
inline constexpr std::array kPasswordChangeMembers{
    Member{"current_password", text, optional, "Unless there is none yet",
           accounts::kMaxPersonPassword},
    kNewPassword};
inline constexpr Shape kPasswordChange{"PasswordChange", kPasswordChangeMembers};
inline constexpr std::array kPasswordResetMembers{
    Member{"token", text, required, "From the link", kToken}, kNewPassword};
inline constexpr Shape kPasswordReset{"PasswordReset", kPasswordResetMembers};
inline constexpr std::array kTotpSecretMembers{
    Member{"secret", text, required, "Base32, for the authenticator app", kCode},
    Member{"uri", text, required, "The same for a QR code", 1024}};
inline constexpr Shape kTotpSecret{"TotpSecret", kTotpSecretMembers};
inline constexpr std::array kTotpProofMembers{
    Member{"secret", text, required, "As it was given", kCode},
    Member{"code", text, required, "The app's first code", kCode}};
inline constexpr Shape kTotpProof{"TotpProof", kTotpProofMembers};
inline constexpr std::array kRecoveryCodesMembers{
    Member{"codes", texts, required, "Each good for one sign-in; shown once", kCode}};
inline constexpr Shape kRecoveryCodes{"RecoveryCodes", kRecoveryCodesMembers};

// Passkeys.
inline constexpr std::array kCeremonyMembers{
    Member{"flow", text, required, "To be given back with the answer", kCode},
    Member{"options", object, required, "For navigator.credentials, as JSON"}};
inline constexpr Shape kCeremony{"PasskeyCeremony", kCeremonyMembers};
inline constexpr std::array kNewPasskeyMembers{
    Member{"flow", text, required, "From the options", kCode},
    Member{"label", text, required, "Which device", 100},
    Member{"client_data_json", text, required, "Base64url", kBinary},
    Member{"attestation_object", text, required, "Base64url", kBinary},
    Member{"transports", texts, optional, "As the browser tells them: \"internal\", \"hybrid\"",
           32}};
inline constexpr Shape kNewPasskey{"NewPasskey", kNewPasskeyMembers};
inline constexpr std::array kPasskeyMembers{
    Member{"id", text, required, "Base64url", 2048}, Member{"label", text, required, ""},
    Member{"backed_up", flag, required, "Synchronised between devices"},
    Member{"created_at", Kind::time, required, ""},
    Member{"last_used_at", Kind::time, optional, ""}};
inline constexpr Shape kPasskey{"Passkey", kPasskeyMembers};
inline constexpr std::array kPasskeyProofMembers{
    Member{"flow", text, required, "From the options", kCode},
    Member{"credential_id", text, required, "Base64url", 2048},
    Member{"client_data_json", text, required, "Base64url", kBinary},
    Member{"authenticator_data", text, required, "Base64url", kBinary},
    Member{"signature", text, required, "Base64url", 4096},
    Member{"user_handle", text, required, "Base64url", 128}};
inline constexpr Shape kPasskeyProof{"PasskeyProof", kPasskeyProofMembers};

// Members and invitations.
inline constexpr std::array kMemberMembers{
    Member{"person", text, required, "The person's id"},
    kEmail,
    Member{"name", text, required, ""},
    Member{"role", text, required, "A built-in role's name, or a custom role's id"},
    Member{"owner", flag, required, ""},
    Member{"domains", texts, required, "Narrowed to these; empty with no accounts either: all"},
    Member{"accounts", texts, required, "Narrowed to these mailboxes"},
    Member{"created_at", Kind::time, required, ""},
    Member{"sign_in_link", text, optional, "Only when just added by an operator; shown once",
           1024}};
inline constexpr Shape kMember{"Member", kMemberMembers};
inline constexpr std::array kNewMemberMembers{
    kEmail,
    Member{"name", text, optional, "", 100},
    Member{"role", text, required, "A built-in role's name, or a custom role's id", 64},
    Member{"domains", texts, optional, "Only these domains", 253},
    Member{"accounts", texts, optional, "Only these mailboxes", 254},
    Member{"tenant", text, optional, "Which, by name or id; the caller's own by default"}};
inline constexpr Shape kNewMember{"NewMember", kNewMemberMembers};
inline constexpr std::array kMemberChangeMembers{
    Member{"role", text, optional, "", 64},
    Member{"domains", texts, optional, "Only these domains; with accounts, replaces both", 253},
    Member{"accounts", texts, optional, "Only these mailboxes", 254}};
inline constexpr Shape kMemberChange{"MemberChange", kMemberChangeMembers};
inline constexpr std::array kInvitationMembers{kEmail, Member{"role", text, required, ""},
                                               Member{"created_at", Kind::time, required, ""},
                                               Member{"expires_at", Kind::time, required, ""}};
inline constexpr Shape kInvitation{"Invitation", kInvitationMembers};
inline constexpr std::array kAcceptanceMembers{
    Member{"token", text, required, "From the link", kToken},
    Member{"name", text, optional, "", 100},
    Member{"password", text, optional, "For a new person; without one, links sign in",
           accounts::kMaxPersonPassword}};
inline constexpr Shape kAcceptance{"Acceptance", kAcceptanceMembers};
inline constexpr std::array kSignUpMembers{
    Member{"token", text, required, "From the link", kToken},
    Member{"tenant", text, required, "The new tenant's name", 63},
    Member{"name", text, optional, "One's own", 100}, kNewPassword};
inline constexpr Shape kSignUp{"SignUp", kSignUpMembers};
inline constexpr std::array kTenantQuery{
    Member{"tenant", text, optional, "Which, by name or id; the caller's own by default"}, kCursor};
inline constexpr std::array kWhichTenantQuery{kTenantQuery[0]};

// Operators.
inline constexpr std::array kNewOperatorMembers{
    kEmail, Member{"name", text, optional, "", 100},
    Member{"break_glass", flag, optional, "For emergencies: gets a password, shown once"}};
inline constexpr Shape kNewOperator{"NewOperator", kNewOperatorMembers};
inline constexpr std::array kOperatorMembers{
    Member{"person", text, required, "The person's id"},
    kEmail,
    Member{"name", text, required, ""},
    Member{"break_glass", flag, required, ""},
    Member{"last_sign_in_at", Kind::time, optional, ""},
    Member{"sign_in_link", text, optional, "Only when just made; shown once", 1024},
    Member{"password", text, optional, "Of a break-glass account just made; shown once"}};
inline constexpr Shape kOperator{"Operator", kOperatorMembers};

// Roles.
inline constexpr std::array kNewRoleMembers{
    Member{"name", text, required, "", 100},
    Member{"permissions", texts, required, "Names such as \"domain.read\"", 64}};
inline constexpr Shape kNewRole{"NewRole", kNewRoleMembers};
inline constexpr std::array kRoleMembers{
    Member{"id", text, required, "A built-in role's is its name"},
    Member{"name", text, required, ""}, Member{"built_in", flag, required, ""},
    Member{"permissions", texts, required, ""}};
inline constexpr Shape kRole{"Role", kRoleMembers};

// API keys.
inline constexpr std::array kNewKeyMembers{
    Member{"label", text, required, "Which program", 100},
    Member{"scopes", texts, required, "Permissions, such as \"message.send\" or \"domain.*\"", 64},
    Member{"domains", texts, optional, "Only these domains", 253},
    Member{"accounts", texts, optional, "Only these mailboxes", 254},
    Member{"addresses", texts, optional, "Only from these networks, such as 192.0.2.0/24", 64},
    Member{"expires_at", Kind::time, optional, "Never, by default"},
    Member{"reads_per_minute", integer, optional, "The server's default otherwise", 10'000'000},
    Member{"writes_per_minute", integer, optional, "The server's default otherwise", 10'000'000},
    Member{"monthly_cap", integer, optional, "Requests a calendar month", kMonthly},
    Member{"tenant", text, optional, "Which, by name or id; the caller's own by default"}};
inline constexpr Shape kNewKey{"NewKey", kNewKeyMembers};
inline constexpr std::array kKeyMembers{
    Member{"id", text, required, ""},
    Member{"label", text, required, ""},
    Member{"prefix", text, required, "To recognise it by"},
    Member{"scopes", texts, required, ""},
    Member{"domains", texts, required, ""},
    Member{"accounts", texts, required, ""},
    Member{"addresses", texts, required, "Empty: from everywhere"},
    Member{"reads_per_minute", integer, optional, ""},
    Member{"writes_per_minute", integer, optional, ""},
    Member{"monthly_cap", integer, optional, ""},
    Member{"requests_this_month", integer, optional, "As of a minute ago; not in lists"},
    Member{"created_by", text, required, ""},
    Member{"created_at", Kind::time, required, ""},
    Member{"expires_at", Kind::time, optional, ""},
    Member{"last_used_at", Kind::time, optional, "As of a minute ago"},
    Member{"last_used_address", text, optional, ""},
    Member{"status", text, required, "active, expired, replaced or revoked"},
    Member{"key", text, optional, "Only when it was just made: it is shown once", kToken}};
inline constexpr Shape kKey{"ApiKey", kKeyMembers};
inline constexpr std::array kRotationMembers{
    Member{"overlap_seconds", integer, optional, "How long the old key goes on; a day by default",
           30UL * 24 * 3600}};
inline constexpr Shape kRotation{"KeyRotation", kRotationMembers};

// Connections: others who may act in a tenant.
inline constexpr std::array kNewConnectionMembers{
    kEmail, Member{"permissions", texts, required, "What they may do here", 64},
    Member{"reason", text, required, "Why", accounts::kMaxReason},
    Member{"expires_at", Kind::time, required, "Within 90 days"}};
inline constexpr Shape kNewConnection{"NewConnection", kNewConnectionMembers};
inline constexpr std::array kConnectionMembers{
    Member{"id", text, required, ""},
    kEmail,
    Member{"permissions", texts, required, ""},
    Member{"reason", text, required, ""},
    Member{"granted_by", text, required, ""},
    Member{"created_at", Kind::time, required, ""},
    Member{"expires_at", Kind::time, required, ""},
    Member{"status", text, required, "active, expired or revoked"}};
inline constexpr Shape kConnection{"Connection", kConnectionMembers};

// The audit trail.
inline constexpr std::array kAuditQuery{
    kTenantQuery[0],
    Member{"action", text, optional, "What the action begins with", 64},
    Member{"actor", text, optional, "The actor's id or name"},
    Member{"target", text, optional, "Such as \"domain:example.org\""},
    Member{"from", text, optional, "Not older than this time", 40},
    Member{"to", text, optional, "Older than this time", 40},
    Member{"limit", integer, optional, "Records a page", 1000},
    Member{"cursor", integer, optional, "What the page before gave", kMonthly}};
inline constexpr std::array<std::string_view, 2> kExportFormats{"json", "csv"};
inline constexpr std::array kExportQuery{
    kTenantQuery[0], Member{"format", text, optional, "json by default", 8, kExportFormats},
    Member{"after", integer, optional, "Records with higher numbers", kMonthly}};
inline constexpr std::array kRecordMembers{
    Member{"number", integer, required, "In its chain"},
    Member{"id", text, required, ""},
    Member{"at", Kind::time, required, ""},
    Member{"action", text, required, "The operation's name"},
    Member{"outcome", text, required, "success, denied or failure"},
    Member{"actor_kind", text, required, ""},
    Member{"actor_id", text, required, ""},
    Member{"actor", text, required, "Who"},
    Member{"original_actor", text, required, "Who really acts, when somebody acts for another"},
    Member{"door", text, required, "management, http, smtp, imap or server"},
    Member{"address", text, required, "From where"},
    Member{"target", text, required, "On what"},
    Member{"details", object, required, ""},
    Member{"request_id", text, required, ""},
    Member{"mac", text, required, "Chains it to the record before"}};
inline constexpr Shape kRecord{"AuditRecord", kRecordMembers};
inline constexpr std::array kNewStreamMembers{
    Member{"url", text, required, "https://host/path, or syslog+tls://host:6514", 2048},
    Member{"secret", text, optional, "Sent to an https URL as a bearer token; never shown again",
           accounts::audit::kMaxStreamSecret},
    Member{"after", integer, optional,
           "Begin behind this record (0: with the oldest that is kept). At most as many records as "
           "the setting audit.stream_backlog says are sent; older ones are skipped. By default a "
           "new stream begins with the next record, and a changed one goes on where it was",
           kMonthly}};
inline constexpr Shape kNewStream{"NewAuditStream", kNewStreamMembers};
inline constexpr std::array<std::string_view, 3> kStreamStates{"ok", "waiting", "failing"};
inline constexpr std::array kStreamMembers{
    Member{"destination", text, required, "Without path and query, which may be secret"},
    Member{"state", text, required, "Ok: the receiver has taken everything", 16, kStreamStates},
    Member{"last", integer, required, "The newest record that was taken or skipped"},
    Member{"waiting", integer, required, "Records behind it"},
    Member{"delivered", integer, required, "Records that were taken"},
    Member{"delivered_at", Kind::time, optional, "When the last ones were"},
    Member{"skipped", integer, required,
           "Records that were not sent: too many waited, or retention removed them"},
    Member{"failures", integer, required, "In a row"},
    Member{"failing_since", Kind::time, optional, ""},
    Member{"retry_at", Kind::time, optional, ""},
    Member{"last_error", text, optional, "Why the last attempt failed"},
    Member{"changed_at", Kind::time, required,
           "When the destination was set, or the trail was resumed"}};
inline constexpr Shape kStream{"AuditStream", kStreamMembers};
inline constexpr std::array kOutboundHostsMembers{Member{
    "hosts", texts, required, "Such as \"logs.example.net\" or \"*.example.net\"; none: all", 255}};
inline constexpr Shape kOutboundHosts{"OutboundHosts", kOutboundHostsMembers};
inline constexpr std::array kFindingMembers{
    Member{"chain", text, required, "A tenant's id, or \"platform\""},
    Member{"number", integer, required, "The first record"},
    Member{"last", integer, required, "The last one"}, Member{"problem", text, required, ""}};
inline constexpr Shape kFinding{"AuditFinding", kFindingMembers};
inline constexpr std::array kResumeMembers{
    Member{"tenant", text, optional, "Whose chain, by name or id; the platform's by default"}};
inline constexpr Shape kResume{"AuditResume", kResumeMembers};
inline constexpr std::array kVerificationMembers{
    Member{"sound", flag, required, ""}, Member{"chains", integer, required, ""},
    Member{"records", integer, required, ""}, Member{"problems", integer, required, ""},
    Member{"findings", objects, required, "The first 1,000", 0, {}, &kFinding}};
inline constexpr Shape kVerification{"AuditVerification", kVerificationMembers};
inline constexpr std::array kHeadMembers{
    Member{"chain", text, required, "A tenant's id, or \"platform\""},
    Member{"number", integer, required, "The newest record"},
    Member{"mac", text, required, "Of that record, in hex"}};
inline constexpr Shape kHead{"AuditHead", kHeadMembers};
inline constexpr std::array kHeadsMembers{
    Member{"at", Kind::time, required, "When that was so"},
    Member{"heads", objects, required, "Of every open chain", 0, {}, &kHead}};
inline constexpr Shape kHeads{"AuditHeads", kHeadsMembers};

}  // namespace postern::web::shapes
