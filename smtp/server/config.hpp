// What a listener's sessions share: settings and limits, immutable. A reload makes a new one; a
// session keeps the one that it began with.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/tls/context.hpp"
#include "smtp/backend.hpp"
#include "smtp/server/byte_budget.hpp"
#include "smtp/server/text_decoder.hpp"

namespace postern::smtp {

/// Each limit has its reply; none means "unlimited" at zero.
struct Limits {
  std::size_t command_line = 2048;    ///< octets without CRLF: 512 and room for extensions
  std::size_t auth_line = 12288;      ///< RFC 4954 §4: AUTH and its answers; 500 5.5.6
  TextLimits text{};                  ///< of a message
  std::size_t recipients = 1000;      ///< a message; 452 4.5.3 (RFC 5321 §4.5.3.1.8: 100 at least)
  std::size_t messages = 1000;        ///< MAIL commands a session; 421 4.7.0
  std::size_t errors = 20;            ///< 5yz answers since the last accepted message; 421 4.7.0
  std::size_t idle_commands = 100;    ///< NOOP, RSET and such since then; 421 4.7.0
  std::size_t auth_failures = 3;      ///< a session; 421 4.7.0
  std::size_t set_aside = 512 << 10;  ///< of the byte budget, for a message on its way to the sink

  std::chrono::milliseconds auth_delay{1000};       ///< after a failed login; doubles each time
  std::chrono::milliseconds idle{300'000};          ///< RFC 5321 §4.5.3.2.7: 5 minutes
  std::chrono::milliseconds data_idle{180'000};     ///< RFC 5321 §4.5.3.2.5: 3 minutes a block
  std::chrono::milliseconds data_total{3'600'000};  ///< a whole message
  std::chrono::milliseconds data_grace{60'000};     ///< before the minimum rate counts
  std::uint64_t data_rate = 512;                ///< octets a second, the least a message may have
  std::chrono::milliseconds write{60'000};      ///< for the peer to take a reply
  std::chrono::milliseconds handshake{30'000};  ///< TLS
  std::chrono::milliseconds drain{5'000};       ///< idle time within a transaction while stopping
};

enum class PlaintextLogin : std::uint8_t { refused, on_loopback };
enum class EarlyTalk : std::uint8_t { refused, counted };

struct ServerConfig {
  std::string hostname = "localhost";
  Kind kind = Kind::mx;
  std::shared_ptr<const tls::Context> tls{};  ///< null: no TLS (never for submissions)
  PlaintextLogin plaintext_login = PlaintextLogin::refused;
  Limits limits{};
  /// A client that speaks before the banner doesn't follow the protocol. Zero: the banner comes at
  /// once and nobody can.
  std::chrono::milliseconds banner_delay{0};
  EarlyTalk early_talk = EarlyTalk::counted;
  /// Shared by all listeners of the process. Null only in tests of what needs none.
  std::shared_ptr<ByteBudget> budget{};
};

}  // namespace postern::smtp
