// The entries. To add a setting: a member with its default in settings.hpp, one line here, then
// docs/settings.md anew: `POSTERN_WRITE_DOCS=1 test_config` writes it, and says when it is out of
// date.
#include "config/table.hpp"

#include <array>

#include "config/checks.hpp"

namespace postern::config {

namespace {

using S = Settings;
using L = Listen;
using R = Route;

// The member of section `a` named `b`: what makes an entry one line.
#define POSTERN_AT(path) [](S& s) -> auto& { return s.path; }
#define POSTERN_CHOICE(owner, path, words)                                 \
  ChoiceKind<owner> {                                                      \
    words, [](const owner& o) { return static_cast<int>(o.path); },        \
        [](owner& o, int v) { o.path = static_cast<decltype(o.path)>(v); } \
  }

constexpr std::array<std::string_view, 8> kListenKinds{
    "mx", "submission", "submissions", "imap", "imaps", "http", "https", "metrics"};
constexpr std::array<std::string_view, 3> kAlignments{"off", "warn", "enforce"};
constexpr std::array<std::string_view, 2> kDmarcRejects{"junk", "refuse"};
constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> kFormats{"text", "json"};

constexpr std::int64_t ms(std::chrono::milliseconds d) { return d.count(); }
constexpr std::int64_t kMs = 1;
constexpr std::int64_t kSecond = ms(std::chrono::seconds(1));
constexpr std::int64_t kMinute = ms(std::chrono::minutes(1));
constexpr std::int64_t kHour = ms(std::chrono::hours(1));
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kKiB = 1 << 10;
constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kGiB = 1 << 30;
constexpr std::int64_t kTiB = kGiB << 10;

using Flag = BoolKind<S>;
using Int = IntegerKind<S>;
using Time = DurationKind<S>;
using Size = SizeKind<S>;
using Text = TextKind<S>;
using Path = PathKind<S>;

// clang-format off
const Field<S> kTable[] = {
    {"hostname", Text{POSTERN_AT(hostname), is_public_name, "a host name like mail.example.com"}, Reload::restart,
     "The server's name in greetings, `Received`, `Authentication-Results` and its certificate.", Presence::required},
    {"data", Path{POSTERN_AT(data), ""}, Reload::restart,
     "The data directory, made by `postern init`: databases, keys, staged bodies.", Presence::required},
    {"plaintext_login", Flag{POSTERN_AT(plaintext_login)}, Reload::restart,
     "Allow logins before TLS. `true` only with all `submission`, `imap` and `http` listeners on loopback."},

    {"runtime.threads", Int{POSTERN_AT(runtime.threads), {0, 1024}}, Reload::restart,
     "Threads for connections; 0 is one for each core."},
    {"runtime.shutdown_deadline", Time{POSTERN_AT(runtime.shutdown_deadline), {kSecond, kHour}}, Reload::yes,
     "How long SIGTERM waits for sessions to finish."},

    {"admin.socket", Path{POSTERN_AT(admin.socket), "postern.sock"}, Reload::restart,
     "The unix socket (mode 0600) that the command line talks to."},

    {"tls.certificate", Path{POSTERN_AT(tls.certificate), "tls/certificate.pem"}, Reload::yes,
     "PEM file of the certificate and its chain."},
    {"tls.key", Path{POSTERN_AT(tls.key), "tls/key.pem"}, Reload::yes,
     "PEM file of the certificate's private key."},

    {"dns.servers", TextsKind<S>{POSTERN_AT(dns.servers), is_dns_server, "an address like \"127.0.0.1:53\"", 8}, Reload::restart,
     "Recursive resolvers, asked in order; none means those of `/etc/resolv.conf`. A validating one on this host is best."},
    {"dns.timeout", Time{POSTERN_AT(dns.timeout), {10 * kMs, 30 * kSecond}}, Reload::restart,
     "How long one question waits for one server the first time; twice as long the next, and 20 s in all at most."},
    {"dns.tries", Int{POSTERN_AT(dns.tries), {1, 10}}, Reload::restart,
     "Rounds over all servers before a question fails for now."},
    {"dns.cache_entries", Int{POSTERN_AT(dns.cache_entries), {100, 10'000'000}}, Reload::restart,
     "Answers kept by each thread."},

    {"delivery.port", Int{POSTERN_AT(delivery.port), {1, 65535}}, Reload::restart,
     "The port of other mail servers; another one is for tests."},
    {"delivery.allow_private", Flag{POSTERN_AT(delivery.allow_private)}, Reload::restart,
     "Deliver to mail servers at private and loopback addresses that DNS names. Off, only a route reaches one."},
    {"delivery.alignment", POSTERN_CHOICE(S, delivery.alignment, kAlignments), Reload::restart,
     "Submitted mail whose From domain has no DKIM key, so that nothing aligns for DMARC: send, send and log, or refuse."},
    {"delivery.ipv6", Flag{POSTERN_AT(delivery.ipv6)}, Reload::restart,
     "Deliver over IPv6 where the destination has it."},
    {"delivery.retry", DurationsKind<S>{POSTERN_AT(delivery.retry), {kSecond, kDay}, 50}, Reload::restart,
     "Waits between attempts; the last one repeats. Each is spread by up to a fifth."},
    {"delivery.expiry", Time{POSTERN_AT(delivery.expiry), {kMinute, 30 * kDay}}, Reload::restart,
     "How long a message is tried before it returns to its sender."},
    {"delivery.delay_warning", Time{POSTERN_AT(delivery.delay_warning), {kSecond, 30 * kDay}}, Reload::restart,
     "After how long the sender hears that a message is still waiting."},
    {"delivery.concurrency", Int{POSTERN_AT(delivery.concurrency), {1, 100'000}}, Reload::restart,
     "Outbound connections in all."},
    {"delivery.destination_concurrency", Int{POSTERN_AT(delivery.destination_concurrency), {2, 1000}}, Reload::restart,
     "Outbound connections to one destination; one of them is kept for auth and alert mail."},
    {"delivery.messages_per_connection", Int{POSTERN_AT(delivery.messages_per_connection), {1, 100'000}}, Reload::restart,
     "Messages sent over one connection before it is closed."},
    {"delivery.connect_timeout", Time{POSTERN_AT(delivery.connect_timeout), {100 * kMs, 10 * kMinute}}, Reload::restart,
     "How long to wait for a connection."},
    {"delivery.command_timeout", Time{POSTERN_AT(delivery.command_timeout), {kSecond, 30 * kMinute}}, Reload::restart,
     "How long to wait for the reply to a command (RFC 5321 §4.5.3.2 says 5 minutes)."},
    {"delivery.data_timeout", Time{POSTERN_AT(delivery.data_timeout), {kSecond, kHour}}, Reload::restart,
     "How long to wait for the reply to the message itself (RFC 5321 §4.5.3.2.6 says 10 minutes)."},
    {"delivery.idle_connection", Time{POSTERN_AT(delivery.idle_connection), {100 * kMs, 5 * kMinute}}, Reload::restart,
     "How long an outbound connection stays open for the next message."},

    {"limits.message_size", Size{POSTERN_AT(limits.message_size), {64 * kKiB, kGiB}}, Reload::yes,
     "The largest message accepted (SIZE, RFC 1870)."},
    {"limits.header_size", Size{POSTERN_AT(limits.header_size), {16 * kKiB, 16 * kMiB}}, Reload::yes,
     "The largest header section of a message."},
    {"limits.text_line", Size{POSTERN_AT(limits.text_line), {1000, 64 * kKiB}}, Reload::yes,
     "The longest line of a message, with its CRLF (RFC 5321 §4.5.3.1.6: 1000)."},
    {"limits.command_line", Size{POSTERN_AT(limits.command_line), {512, 64 * kKiB}}, Reload::yes,
     "The longest SMTP command, with its CRLF (RFC 5321 §4.5.3.1.4: at least 512). AUTH answers may be 12288 (RFC 4954 §4)."},
    {"limits.recipients", Int{POSTERN_AT(limits.recipients), {100, 1'000}}, Reload::yes,
     "Recipients of one message (RFC 5321 §4.5.3.1.8: at least 100)."},
    {"limits.smtp_errors", Int{POSTERN_AT(limits.smtp_errors), {1, 1000}}, Reload::yes,
     "Errors in one SMTP session before it is closed."},
    {"limits.transactions", Int{POSTERN_AT(limits.transactions), {1, 1'000'000}}, Reload::yes,
     "Messages in one SMTP session."},
    {"limits.received_hops", Int{POSTERN_AT(limits.received_hops), {10, 500}}, Reload::restart,
     "`Received` fields of a message, beyond which it is going round in a loop."},
    {"limits.auth_failures", Int{POSTERN_AT(limits.auth_failures), {1, 100}}, Reload::yes,
     "Failed logins in one session before it is closed."},
    {"limits.mx_sessions", Int{POSTERN_AT(limits.mx_sessions), {1, 1'000'000}}, Reload::restart,
     "Sessions on `mx` listeners at a time."},
    {"limits.submission_sessions", Int{POSTERN_AT(limits.submission_sessions), {1, 1'000'000}}, Reload::restart,
     "Sessions on `submission` and `submissions` listeners at a time."},
    {"limits.imap_sessions", Int{POSTERN_AT(limits.imap_sessions), {1, 1'000'000}}, Reload::restart,
     "Sessions on `imap` and `imaps` listeners at a time."},
    {"limits.http_sessions", Int{POSTERN_AT(limits.http_sessions), {1, 1'000'000}}, Reload::restart,
     "Connections on `http`, `https` and `metrics` listeners at a time."},
    {"limits.smtp_idle", Time{POSTERN_AT(limits.smtp_idle), {kSecond, kHour}}, Reload::yes,
     "How long an SMTP session may be silent (RFC 5321 §4.5.3.2.7: 5 minutes)."},
    {"limits.message_time", Time{POSTERN_AT(limits.message_time), {kMinute, kDay}}, Reload::yes,
     "How long one message may take to arrive over SMTP."},
    {"limits.login_time", Time{POSTERN_AT(limits.login_time), {kSecond, kHour}}, Reload::yes,
     "How long an IMAP client may be silent before it has logged in."},
    {"limits.imap_idle", Time{POSTERN_AT(limits.imap_idle), {30 * kMinute, kDay}}, Reload::yes,
     "How long an IMAP session may be silent (RFC 9051 §5.4: at least 30 minutes)."},
    {"limits.imap_line", Size{POSTERN_AT(limits.imap_line), {8 * kKiB, 4 * kMiB}}, Reload::yes,
     "The longest IMAP command, literals included but for messages (RFC 7162 §4: 8192 at least)."},
    {"limits.imap_literal", Size{POSTERN_AT(limits.imap_literal), {64 * kKiB, kGiB}}, Reload::yes,
     "The largest message that APPEND takes."},
    {"limits.imap_errors", Int{POSTERN_AT(limits.imap_errors), {1, 1000}}, Reload::yes,
     "BAD commands in a row before an IMAP session is closed."},
    {"limits.http_body", Size{POSTERN_AT(limits.http_body), {16 * kKiB, kGiB}}, Reload::yes,
     "The largest body of an HTTP request."},
    {"limits.message_memory", Size{POSTERN_AT(limits.message_memory), {16 * kMiB, kTiB}}, Reload::restart,
     "Memory for messages that are being received, over all sessions."},

    {"storage.shards", Int{POSTERN_AT(storage.shards), {1, 64}}, Reload::restart,
     "Mail databases, taken when the data directory is made and fixed for its life."},
    {"storage.readers", Int{POSTERN_AT(storage.readers), {1, 64}}, Reload::restart,
     "Reader threads of each database."},
    {"storage.queue", Int{POSTERN_AT(storage.queue), {100, 1'000'000}}, Reload::restart,
     "Writes that may wait for one database."},
    {"storage.disk_reserve", Size{POSTERN_AT(storage.disk_reserve), {16 * kMiB, 16 * kTiB}}, Reload::restart,
     "Free space below which new mail is refused for now, so that results and deletions still commit."},
    {"storage.master_key", Path{POSTERN_AT(storage.master_key), "master.key"}, Reload::restart,
     "The file (mode 0600) with the key that wraps all others. Back it up apart from the data."},

    {"auth.argon2_memory", Size{POSTERN_AT(auth.argon2_memory), {8 * kKiB, kGiB}}, Reload::yes,
     "Memory of one Argon2id run. Passwords are hashed anew at the next login."},
    {"auth.argon2_time", Int{POSTERN_AT(auth.argon2_time), {1, 16}}, Reload::yes,
     "Passes of one Argon2id run."},
    {"auth.argon2_parallelism", Int{POSTERN_AT(auth.argon2_parallelism), {1, 16}}, Reload::yes,
     "Lanes of one Argon2id run."},
    {"auth.threads", Int{POSTERN_AT(auth.threads), {1, 256}}, Reload::restart,
     "Threads that check passwords."},
    {"auth.queue", Int{POSTERN_AT(auth.queue), {1, 100'000}}, Reload::restart,
     "Logins that may wait for one; further ones fail for now."},
    {"auth.memory", Size{POSTERN_AT(auth.memory), {8 * kMiB, kTiB}}, Reload::restart,
     "Memory of all Argon2id runs at a time; fewer threads run where they would exceed it."},
    {"auth.cache_ttl", Time{POSTERN_AT(auth.cache_ttl), {kSecond, 10 * kMinute}}, Reload::restart,
     "How long a verified login is remembered. A changed or revoked password counts at once all the same."},
    {"auth.cache_entries", Int{POSTERN_AT(auth.cache_entries), {1, 1'000'000}}, Reload::restart,
     "Verified logins remembered."},
    {"auth.last_used_interval", Time{POSTERN_AT(auth.last_used_interval), {kSecond, kDay}}, Reload::restart,
     "How often at most the last use of a password is written down."},
    {"auth.directory_entries", Int{POSTERN_AT(auth.directory_entries), {100, 10'000'000}}, Reload::restart,
     "Look-ups of addresses and domains that are kept in memory."},
    {"auth.guesses", Int{POSTERN_AT(auth.guesses), {1, 1'000'000}}, Reload::restart,
     "Different wrong passwords for one login from one network (an IPv4 address, an IPv6 /64) before it is shut out there."},
    {"auth.known_guesses", Int{POSTERN_AT(auth.known_guesses), {1, 1'000'000}}, Reload::restart,
     "The same where that login succeeded in the last 14 days."},
    {"auth.network_guesses", Int{POSTERN_AT(auth.network_guesses), {1, 1'000'000}}, Reload::restart,
     "Different wrong passwords from one network, over all logins, before it is shut out."},
    {"auth.first_block", Time{POSTERN_AT(auth.first_block), {kSecond, kDay}}, Reload::restart,
     "How long the first shutting out lasts; each further one lasts twice as long..."},
    {"auth.longest_block", Time{POSTERN_AT(auth.longest_block), {kSecond, 30 * kDay}}, Reload::restart,
     "...up to this. A day after its first guess a count begins anew."},

    {"web.public_url", Text{POSTERN_AT(web.public_url), is_origin, "an origin like \"https://mail.example.com\""}, Reload::restart,
     "Where people reach the `https` listener: links in emails begin with it, and passkeys belong to its host. Default: `https://` and the hostname."},
    {"web.mail_from", Text{POSTERN_AT(web.mail_from), is_mail_address, "an email address"}, Reload::restart,
     "Sender of the emails that people get to sign in. Default: `postern@` and the hostname."},
    {"web.sign_up", Flag{POSTERN_AT(web.sign_up)}, Reload::restart,
     "Let anybody make a tenant of their own, once they have shown that they read mail at their address."},
    {"web.require_second_factor", Flag{POSTERN_AT(web.require_second_factor)}, Reload::restart,
     "People who have no second factor may do nothing but set one up."},
    {"web.session_idle", Time{POSTERN_AT(web.session_idle), {kMinute, 30 * kDay}}, Reload::restart,
     "A session ends after this time without a request..."},
    {"web.session_lifetime", Time{POSTERN_AT(web.session_lifetime), {kMinute, 365 * kDay}}, Reload::restart,
     "...and after this time in any case."},
    {"web.lock_failures", Int{POSTERN_AT(web.lock_failures), {1, 1'000}}, Reload::restart,
     "Failed sign-ins in a row after which a person is locked out. Running sessions go on."},
    {"web.lock_time", Time{POSTERN_AT(web.lock_time), {kSecond, kDay}}, Reload::restart, "For how long."},
    {"web.address_requests", Int{POSTERN_AT(web.address_requests), {1, 1'000'000}}, Reload::restart,
     "Requests a minute from one network (an IPv4 address, an IPv6 /64) by callers who aren't signed in."},
    {"web.key_reads", Int{POSTERN_AT(web.key_reads), {1, 10'000'000}}, Reload::restart,
     "Reading requests a minute with one API key, unless the key says otherwise."},
    {"web.key_writes", Int{POSTERN_AT(web.key_writes), {1, 10'000'000}}, Reload::restart,
     "Changing requests a minute with one API key, unless the key says otherwise."},

    {"audit.retention", Time{POSTERN_AT(audit.retention), {kDay, 36'500 * kDay}}, Reload::restart,
     "How long audit records are kept; what is cut off stays provable."},
    {"audit.login_interval", Time{POSTERN_AT(audit.login_interval), {0, 365 * kDay}}, Reload::restart,
     "A mailbox's login from a network that it logged in from is recorded again after this time. Blocks are always recorded, wrong passwords up to `audit.login_refusals`."},
    {"audit.login_refusals", Int{POSTERN_AT(audit.login_refusals), {1, 1'000'000}}, Reload::restart,
     "How many refused logins of mailboxes and people are recorded in a minute, of all names together: strangers must not fill the disk. Those beyond are counted in `postern_logins_total` and `postern_http_requests_total`; blocks are recorded in any case."},
    {"audit.witness_socket", Path{POSTERN_AT(audit.witness_socket), ""}, Reload::restart,
     "A unix socket that gives the audit chains' heads and nothing else, for `postern witness` under another user. Its directory decides who may open it."},
    {"audit.stream_backlog", Int{POSTERN_AT(audit.stream_backlog), {10, 100'000'000}}, Reload::restart,
     "How many records may wait for the receiver of a streamed audit trail. Beyond it the oldest are skipped, which is counted and on record; nothing is removed from the trail."},

    {"domains.check_every", Time{POSTERN_AT(domains.check_every), {kSecond, 7 * kDay}}, Reload::restart,
     "How often the DNS records of a hosted domain are compared with what they should be; `postern domain check` does it at once."},
    {"domains.recheck_after", Time{POSTERN_AT(domains.recheck_after), {kSecond, kDay}}, Reload::restart,
     "How long after a record was seen missing or different a second look decides that it drifted; later where the answer may be cached for longer."},

    {"outbound.proxy", Text{POSTERN_AT(outbound.proxy), is_proxy, "\"http://host:port\""}, Reload::restart,
     "An HTTP proxy that every connection to a URL that a user supplied goes through (CONNECT), such as `\"http://proxy.example.net:3128\"`. Names are still looked up and addresses checked here."},
    {"outbound.private_networks", TextsKind<S>{POSTERN_AT(outbound.private_networks), is_private_network, "a private network like \"10.1.2.0/24\"", 16}, Reload::restart,
     "Parts of private address ranges that URLs of users may reach all the same, such as where your log server is. Every tenant's URLs may reach them."},
    {"outbound.allow_loopback", Flag{POSTERN_AT(outbound.allow_loopback)}, Reload::restart,
     "Let URLs that users supply reach loopback addresses, at any port. For tests only: whoever may set such a URL then reaches what listens on this machine."},

    {"inbound.authenticate", Flag{POSTERN_AT(inbound.authenticate)}, Reload::restart,
     "Check SPF, DKIM and DMARC of mail from other servers and write `Authentication-Results` (RFC 8601)."},
    {"inbound.dmarc_reject", POSTERN_CHOICE(S, inbound.dmarc_reject, kDmarcRejects), Reload::restart,
     "What a failing DMARC policy of `reject` does: file into Junk, or refuse."},
    {"inbound.dns_budget", Time{POSTERN_AT(inbound.dns_budget), {100 * kMs, kMinute}}, Reload::restart,
     "How long the checks of one message may wait for DNS; then it is accepted with `temperror`."},

    {"events.retention", Time{POSTERN_AT(events.retention), {kDay, 3650 * kDay}}, Reload::yes,
     "How long message timelines are kept. A month's events go together, when the youngest is that old."},

    {"log.level", POSTERN_CHOICE(S, log.level, kLevels), Reload::yes, "The least severe events that are logged."},
    {"log.format", POSTERN_CHOICE(S, log.format, kFormats), Reload::yes, "Lines for people, or JSON for programs."},
    {"log.file", Path{POSTERN_AT(log.file), ""}, Reload::yes,
     "Where logs go; unset means standard error. SIGHUP opens the file anew (log rotation)."},
};

const Field<L> kListen[] = {
    {"kind", POSTERN_CHOICE(L, kind, kListenKinds), Reload::restart,
     "`mx` (port 25), `submission` (587, STARTTLS), `submissions` (465), `imap` (143, STARTTLS), `imaps` (993), `http`, `https`, `metrics`.",
     Presence::required},
    {"address", TextKind<L>{[](L& l) -> auto& { return l.address; }, is_endpoint, "an address and port like \"127.0.0.1:2525\" or \"[::1]:2525\""},
     Reload::restart, "Numeric address and port; IPv6 in brackets.", Presence::required},
};

const Field<R> kRoute[] = {
    {"domain", TextKind<R>{[](R& r) -> auto& { return r.domain; }, is_host_name, "a domain name"}, Reload::restart,
     "Mail for this domain...", Presence::required},
    {"host", TextKind<R>{[](R& r) -> auto& { return r.host; }, is_host_or_address, "a host name or address"}, Reload::restart,
     "...goes to this host, whatever its MX records say.", Presence::required},
    {"port", IntegerKind<R>{[](R& r) -> auto& { return r.port; }, {1, 65535}}, Reload::restart, "At this port."},
};

const Section kSections[] = {
    {"", "The server itself."},
    {"listen", "One `[[listen]]` for each address that the server answers at."},
    {"runtime", "Threads and shutdown."},
    {"admin", "Local administration."},
    {"tls", "The server's certificate. SIGHUP takes up a renewed one."},
    {"dns", "Resolvers."},
    {"delivery", "Mail to other servers."},
    {"delivery.route", "One `[[delivery.route]]` for each domain that goes by another way than its MX records."},
    {"limits", "What one client, session or message may take."},
    {"storage", "Databases and keys."},
    {"auth", "Passwords and logins."},
    {"web", "The HTTP API and the people who sign in."},
    {"audit", "The record of administrative and security acts."},
    {"domains", "Watching the DNS records of the hosted domains."},
    {"outbound", "Requests to URLs that users supply, such as the receiver of an audit stream."},
    {"inbound", "Checks of mail from other servers."},
    {"events", "What happened to messages (`postern message trace`)."},
    {"log", "Logs."},
};
// clang-format on

#undef POSTERN_AT
#undef POSTERN_CHOICE

}  // namespace

std::string_view to_string(ListenKind kind) { return kListenKinds[static_cast<std::size_t>(kind)]; }

std::span<const Field<Settings>> settings_table() { return kTable; }
std::span<const Field<Listen>> listen_table() { return kListen; }
std::span<const Field<Route>> route_table() { return kRoute; }
std::span<const Section> sections() { return kSections; }

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const auto& field : kTable) names.emplace_back(field.name);
  for (const auto& field : kListen) names.push_back("listen." + std::string(field.name));
  for (const auto& field : kRoute) names.push_back("delivery.route." + std::string(field.name));
  return names;
}

}  // namespace postern::config
