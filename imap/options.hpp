// How the IMAP server behaves: settings and limits, one immutable object shared by its sessions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/tls/context.hpp"

namespace postern::imap {

/// What a listener begins with.
enum class Security : std::uint8_t { starttls, implicit_tls };
/// Whether LOGIN and AUTHENTICATE work before TLS; `allow` is for loopback listeners only.
enum class PlaintextLogin : std::uint8_t { refuse, allow };
/// RFC 7888; a server offers one of the two.
enum class LiteralPlus : std::uint8_t { any_size, small_only };

struct Limits {
  std::size_t command_before_login = 8UL * 1024;  ///< bytes of a command, its literals included
  std::size_t command = 64UL * 1024;              ///< the same once logged in
  std::uint64_t append = 64ULL << 20;             ///< bytes of one message
  std::uint64_t drained_literals = 256ULL << 20;  ///< bytes read only to be thrown away, a command
  unsigned login_failures = 4;                    ///< then the connection ends
  unsigned bad_commands = 20;                     ///< in a row; then the connection ends
  std::uint64_t search_bytes = 1ULL << 30;        ///< read from bodies by one SEARCH
};

struct Timeouts {
  std::chrono::milliseconds greeting = std::chrono::seconds(30);  ///< for a TLS handshake
  std::chrono::milliseconds login = std::chrono::minutes(3);      ///< idle before login
  std::chrono::milliseconds idle = std::chrono::minutes(30);      ///< RFC 3501 §5.4: 30 min or more
  std::chrono::milliseconds within_command = std::chrono::minutes(2);      ///< without a byte
  std::chrono::milliseconds write = std::chrono::minutes(5);               ///< one flush
  std::chrono::milliseconds login_delay = std::chrono::milliseconds(700);  ///< times the failures
  std::chrono::milliseconds login_check =
      std::chrono::seconds(60);  ///< between checks that it still stands
};

struct Options {
  std::string hostname = "localhost";
  /// The context for new handshakes (a reload changes it); unset or null: no TLS here.
  std::function<std::shared_ptr<const tls::Context>()> tls;
  PlaintextLogin plaintext_login = PlaintextLogin::refuse;
  LiteralPlus literal_plus = LiteralPlus::any_size;
  Limits limits;
  Timeouts timeouts;
};

}  // namespace postern::imap
