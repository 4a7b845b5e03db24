#include "app/server/options.hpp"

#include "app/server/endpoint.hpp"
#include "config/checks.hpp"
#include "core/log.hpp"

namespace postern::server {

namespace {

template <class To, class From>
To to(From value) {
  return static_cast<To>(value);
}

std::chrono::seconds seconds(config::Duration duration) {
  return std::chrono::ceil<std::chrono::seconds>(duration);
}

constexpr std::size_t kLineEnd = 2;  // the settings count CRLF, the decoders don't
constexpr std::chrono::seconds kLongestQuery{20};

smtp::Kind smtp_kind(config::ListenKind kind) {
  switch (kind) {
    case config::ListenKind::submission: return smtp::Kind::submission;
    case config::ListenKind::submissions: return smtp::Kind::submissions;
    default: return smtp::Kind::mx;
  }
}

smtp::Limits smtp_limits(const config::Settings& settings) {
  const auto& from = settings.limits;
  smtp::Limits limits;
  limits.command_line = from.command_line.bytes - kLineEnd;
  limits.text.message = from.message_size.bytes;
  limits.text.header = from.header_size.bytes;
  limits.text.line = from.text_line.bytes - kLineEnd;
  limits.recipients = to<std::size_t>(from.recipients);
  limits.messages = to<std::size_t>(from.transactions);
  limits.errors = to<std::size_t>(from.smtp_errors);
  limits.auth_failures = to<std::size_t>(from.auth_failures);
  limits.idle = from.smtp_idle;
  limits.data_total = from.message_time;
  return limits;
}

// An MX that leads to one of these is a loop. Wildcards are left to the comparison of host names.
std::vector<asio::ip::tcp::endpoint> own_mx_endpoints(const config::Settings& settings) {
  std::vector<asio::ip::tcp::endpoint> out;
  for (const auto& listen : settings.listen) {
    if (listen.kind != config::ListenKind::mx) continue;
    const auto endpoint = parse_endpoint(listen.address);
    if (endpoint && !endpoint->address().is_unspecified()) out.push_back(*endpoint);
  }
  return out;
}

smtp::reception::Alignment alignment(config::Alignment setting) {
  switch (setting) {
    case config::Alignment::off: return smtp::reception::Alignment::off;
    case config::Alignment::warn: break;
    case config::Alignment::enforce: return smtp::reception::Alignment::enforce;
  }
  return smtp::reception::Alignment::warn;
}

}  // namespace

dns::Options resolver_options(const config::Settings& settings) {
  dns::Options options;
  options.servers = settings.dns.servers;
  options.timeout_ms = to<int>(settings.dns.timeout.count());
  options.tries = to<int>(settings.dns.tries);
  // Each round over all servers waits twice as long as the one before.
  const auto rounds = (std::int64_t{1} << settings.dns.tries) - 1;
  const auto servers =
      static_cast<std::int64_t>(std::max<std::size_t>(1, settings.dns.servers.size()));
  options.total =
      std::min<std::chrono::milliseconds>(settings.dns.timeout * rounds * servers, kLongestQuery);
  options.cache_entries = to<std::size_t>(settings.dns.cache_entries);
  return options;
}

accounts::PasswordPoolOptions password_options(const config::Settings& settings) {
  accounts::PasswordPoolOptions options;
  options.parameters.memory_kib = to<std::uint32_t>(settings.auth.argon2_memory.bytes >> 10);
  options.parameters.time = to<std::uint32_t>(settings.auth.argon2_time);
  options.parameters.parallelism = to<std::uint32_t>(settings.auth.argon2_parallelism);
  options.threads = to<std::size_t>(settings.auth.threads);
  options.queue_limit = to<std::size_t>(settings.auth.queue);
  options.memory_limit = settings.auth.memory.bytes;
  return options;
}

accounts::AuthenticatorOptions authenticator_options(const config::Settings& settings) {
  accounts::AuthenticatorOptions options;
  options.cache_ttl = settings.auth.cache_ttl;
  options.cache_entries = to<std::size_t>(settings.auth.cache_entries);
  options.last_used_interval = settings.auth.last_used_interval;
  options.trail_interval = settings.audit.login_interval;
  options.limits.refusals_recorded = to<std::uint32_t>(settings.audit.login_refusals);
  options.limits.guesses = to<std::uint32_t>(settings.auth.guesses);
  options.limits.known_guesses = to<std::uint32_t>(settings.auth.known_guesses);
  options.limits.network_guesses = to<std::uint32_t>(settings.auth.network_guesses);
  options.limits.first_block = settings.auth.first_block;
  options.limits.longest_block = settings.auth.longest_block;
  return options;
}

smtp::delivery::DeliverySettings delivery_settings(const config::Settings& settings) {
  const auto& from = settings.delivery;
  smtp::delivery::DeliverySettings out;
  out.hostname = settings.hostname;
  out.port = to<std::uint16_t>(from.port);
  for (const auto& route : from.route) {
    out.routes.push_back({route.domain, route.host, to<std::uint16_t>(route.port)});
  }
  out.private_addresses = from.allow_private ? smtp::delivery::PrivateAddresses::allowed
                                             : smtp::delivery::PrivateAddresses::refused;
  out.ipv6 = from.ipv6 ? smtp::delivery::Ipv6::on : smtp::delivery::Ipv6::off;
  out.own_endpoints = own_mx_endpoints(settings);
  out.retry.waits.clear();
  for (const auto wait : from.retry) out.retry.waits.push_back(seconds(wait));
  out.retry.expiry = seconds(from.expiry);
  out.retry.delay_warning = seconds(from.delay_warning);
  out.timeouts.connect = from.connect_timeout;
  out.timeouts.greeting = out.timeouts.command = from.command_timeout;
  out.timeouts.data_end = from.data_timeout;
  out.scheduler.in_flight = to<std::size_t>(from.concurrency);
  out.scheduler.destination_max = to<std::size_t>(from.destination_concurrency);
  out.idle_connection = from.idle_connection;
  out.messages_per_connection = to<std::size_t>(from.messages_per_connection);
  return out;
}

smtp::reception::Policy reception_policy(const config::Settings& settings) {
  smtp::reception::Policy policy;
  policy.hostname = settings.hostname;
  policy.received_hops = to<std::size_t>(settings.limits.received_hops);
  policy.dns_budget = settings.inbound.dns_budget;
  policy.expiry = settings.delivery.expiry;
  policy.authenticate_inbound = settings.inbound.authenticate;
  policy.alignment = alignment(settings.delivery.alignment);
  policy.refusal = settings.inbound.dmarc_reject == config::DmarcReject::refuse
                       ? dkim::Refusal::on_policy
                       : dkim::Refusal::on_other_signal;
  return policy;
}

smtp::ServerConfig smtp_config(const config::Settings& settings, config::ListenKind kind,
                               std::shared_ptr<const tls::Context> tls,
                               std::shared_ptr<smtp::ByteBudget> budget) {
  smtp::ServerConfig out;
  out.hostname = settings.hostname;
  out.kind = smtp_kind(kind);
  out.tls = std::move(tls);
  out.plaintext_login =
      settings.plaintext_login ? smtp::PlaintextLogin::on_loopback : smtp::PlaintextLogin::refused;
  out.limits = smtp_limits(settings);
  out.budget = std::move(budget);
  return out;
}

imap::Options imap_options(const config::Settings& settings,
                           std::function<std::shared_ptr<const tls::Context>()> tls) {
  imap::Options options;
  options.hostname = settings.hostname;
  options.tls = std::move(tls);
  options.plaintext_login =
      settings.plaintext_login ? imap::PlaintextLogin::allow : imap::PlaintextLogin::refuse;
  options.limits.command = settings.limits.imap_line.bytes;
  options.limits.append = settings.limits.imap_literal.bytes;
  options.limits.login_failures = to<unsigned>(settings.limits.auth_failures);
  options.limits.bad_commands = to<unsigned>(settings.limits.imap_errors);
  options.timeouts.login = settings.limits.login_time;
  options.timeouts.idle = settings.limits.imap_idle;
  return options;
}

Result<void> configure_log(const config::Settings& settings) {
  const auto level = settings.log.level == config::LogLevel::debug  ? log::Level::debug
                     : settings.log.level == config::LogLevel::info ? log::Level::info
                     : settings.log.level == config::LogLevel::warn ? log::Level::warn
                                                                    : log::Level::error;
  const auto format =
      settings.log.format == config::LogFormat::json ? log::Format::json : log::Format::text;
  return log::configure(level, format, settings.log.file.string());
}

OutboundOptions outbound_options(const config::Settings& settings) {
  const auto& from = settings.outbound;
  OutboundOptions options;
  options.addresses.allow_loopback = from.allow_loopback;
  options.addresses.private_networks.reserve(from.private_networks.size());
  for (const auto& text : from.private_networks) {
    options.addresses.private_networks.push_back(outbound::parse_private_network(text).value());
  }
  options.any_port = from.allow_loopback;  // tests' servers are where there is room
  if (!from.proxy.empty()) {
    options.proxy = parse_outbound_proxy(from.proxy.substr(config::kProxyScheme.size())).value();
  }
  return options;
}

web::AccessOptions access_options(const config::Settings& settings) {
  web::AccessOptions options;
  options.session_idle = settings.web.session_idle;
  options.require_second_factor = settings.web.require_second_factor;
  options.address_requests = static_cast<std::uint32_t>(settings.web.address_requests);
  options.key_reads = static_cast<std::uint32_t>(settings.web.key_reads);
  options.key_writes = static_cast<std::uint32_t>(settings.web.key_writes);
  return options;
}

}  // namespace postern::server
