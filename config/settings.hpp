// The settings of a server, typed. A default-constructed Settings is the default configuration: the
// initial value of each member is the setting's default, and table.cpp binds each member to its
// name, bounds and documentation.
//
// Immutable once loaded; a reload makes a new one. Paths are absolute after loading (relative ones
// are taken from the settings file's directory). Durations are milliseconds, sizes bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace postern::config {

using Duration = std::chrono::milliseconds;

/// A number of bytes, "25MiB" in the file.
struct ByteSize {
  std::uint64_t bytes = 0;
  auto operator<=>(const ByteSize&) const = default;
};
constexpr ByteSize operator""_B(unsigned long long n) { return {n}; }
constexpr ByteSize operator""_KiB(unsigned long long n) { return {n << 10}; }
constexpr ByteSize operator""_MiB(unsigned long long n) { return {n << 20}; }
constexpr ByteSize operator""_GiB(unsigned long long n) { return {n << 30}; }

enum class ListenKind : std::uint8_t {
  mx,
  submission,
  submissions,
  imap,
  imaps,
  http,
  https,
  metrics
};
std::string_view to_string(ListenKind kind);

struct Listen {
  ListenKind kind = ListenKind::mx;
  std::string address;  ///< "192.0.2.1:25", "[2001:db8::1]:25"
  bool operator==(const Listen&) const = default;
};

struct Route {
  std::string domain;  ///< lower case
  std::string host;
  std::int64_t port = 25;
  bool operator==(const Route&) const = default;
};

enum class Alignment : std::uint8_t { off, warn, enforce };
enum class DmarcReject : std::uint8_t { junk, refuse };
enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class LogFormat : std::uint8_t { text, json };

struct Settings {
  std::string hostname;
  std::filesystem::path data;
  bool plaintext_login = false;

  std::vector<Listen> listen;

  struct Runtime {
    std::int64_t threads = 0;  ///< 0: one for each core
    Duration shutdown_deadline = std::chrono::seconds(30);
  } runtime;

  struct Admin {
    std::filesystem::path socket;
  } admin;

  struct Tls {
    std::filesystem::path certificate;
    std::filesystem::path key;
  } tls;

  struct Dns {
    std::vector<std::string> servers;
    Duration timeout = std::chrono::seconds(2);
    std::int64_t tries = 2;
    std::int64_t cache_entries = 20'000;
  } dns;

  struct Delivery {
    std::int64_t port = 25;
    bool allow_private = false;
    Alignment alignment = Alignment::warn;
    bool ipv6 = true;
    std::vector<Duration> retry = {std::chrono::minutes(1),  std::chrono::minutes(5),
                                   std::chrono::minutes(15), std::chrono::minutes(30),
                                   std::chrono::hours(1),    std::chrono::hours(2),
                                   std::chrono::hours(4)};
    Duration expiry = std::chrono::hours(120);
    Duration delay_warning = std::chrono::hours(4);
    std::int64_t concurrency = 200;
    std::int64_t destination_concurrency = 20;
    std::int64_t messages_per_connection = 100;
    Duration connect_timeout = std::chrono::seconds(30);
    Duration command_timeout = std::chrono::minutes(5);
    Duration data_timeout = std::chrono::minutes(10);
    Duration idle_connection = std::chrono::seconds(10);
    std::vector<Route> route;
  } delivery;

  struct Limits {
    ByteSize message_size = 25_MiB;
    ByteSize header_size = 1_MiB;
    ByteSize text_line = 1000_B;
    ByteSize command_line = 2_KiB;
    std::int64_t recipients = 1000;
    std::int64_t smtp_errors = 10;
    std::int64_t transactions = 1000;
    std::int64_t received_hops = 100;
    std::int64_t auth_failures = 3;
    std::int64_t mx_sessions = 2000;
    std::int64_t submission_sessions = 2000;
    std::int64_t imap_sessions = 10'000;
    std::int64_t http_sessions = 500;
    Duration smtp_idle = std::chrono::minutes(5);
    Duration message_time = std::chrono::hours(1);
    Duration login_time = std::chrono::minutes(1);
    Duration imap_idle = std::chrono::minutes(30);
    ByteSize imap_line = 64_KiB;
    ByteSize imap_literal = 25_MiB;
    std::int64_t imap_errors = 20;
    ByteSize http_body = 1_MiB;
    ByteSize message_memory = 256_MiB;
  } limits;

  struct Storage {
    std::int64_t shards = 2;
    std::int64_t readers = 2;
    std::int64_t queue = 10'000;
    ByteSize disk_reserve = 256_MiB;
    std::filesystem::path master_key;
  } storage;

  struct Auth {
    ByteSize argon2_memory = 19_MiB;
    std::int64_t argon2_time = 2;
    std::int64_t argon2_parallelism = 1;
    std::int64_t threads = 2;
    std::int64_t queue = 64;
    ByteSize memory = 256_MiB;
    Duration cache_ttl = std::chrono::minutes(5);
    std::int64_t cache_entries = 10'000;
    Duration last_used_interval = std::chrono::minutes(5);
    std::int64_t directory_entries = 20'000;
    std::int64_t guesses = 10;
    std::int64_t known_guesses = 50;
    std::int64_t network_guesses = 100;
    Duration first_block = std::chrono::minutes(1);
    Duration longest_block = std::chrono::hours(1);
  } auth;

  struct Web {
    std::string public_url;  ///< origin in mailed links; empty: https:// and the hostname
    std::string mail_from;   ///< of mailed links; empty: postern@ and the hostname
    bool sign_up = false;
    bool require_second_factor = false;
    Duration session_idle = std::chrono::minutes(30);
    Duration session_lifetime = std::chrono::hours(12);
    std::int64_t lock_failures = 5;
    Duration lock_time = std::chrono::minutes(15);
    std::int64_t address_requests = 300;
    std::int64_t key_reads = 600;
    std::int64_t key_writes = 120;
  } web;

  struct Audit {
    Duration retention = std::chrono::days(730);
    Duration login_interval = std::chrono::hours(24);
    std::int64_t login_refusals = 300;
    std::filesystem::path witness_socket;  ///< empty: none
    std::int64_t stream_backlog = 100'000;
  } audit;

  struct Outbound {
    std::string proxy;  ///< empty: none
    bool allow_loopback = false;
    std::vector<std::string> private_networks;
  } outbound;

  struct Inbound {
    bool authenticate = true;
    DmarcReject dmarc_reject = DmarcReject::junk;
    Duration dns_budget = std::chrono::seconds(5);
  } inbound;

  struct Events {
    Duration retention = std::chrono::days(90);
  } events;

  struct Log {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    std::filesystem::path file;  ///< empty: standard error
  } log;

  struct Domains {
    Duration check_every = std::chrono::hours(6);
    Duration recheck_after = std::chrono::minutes(10);
  } domains;
};

}  // namespace postern::config
