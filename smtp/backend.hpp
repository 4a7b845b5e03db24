// What the SMTP server asks of the floors below: who a client is, whether a sender and a recipient
// are acceptable, and where a message's bytes go. The protocol is tested against a fake of it.
//
// Ownership: a Backend outlives every session. All calls happen on the session's io thread and
// resume there; arguments by reference stay alive until the call completes. A call never throws for
// what a peer did; a refusal is the Reply that the peer gets (its `cause` goes to the log).
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/task.hpp"
#include "smtp/protocol/envelope.hpp"
#include "smtp/protocol/reply.hpp"

namespace postern::smtp {

/// The three listeners: port 25; 587 (STARTTLS); 465 (TLS from the first byte, RFC 8314 §3.3).
enum class Kind : std::uint8_t { mx, submission, submissions };
constexpr std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::mx: return "mx";
    case Kind::submission: return "submission";
    case Kind::submissions: return "submissions";
  }
  return "unknown";
}

/// Who logged in. Opaque to the protocol.
struct Identity {
  TenantId tenant{};
  AccountId account{};
  CredentialId credential{};
  std::string login{};  ///< the name given, for logs and the trace field
};

/// What the client called itself.
struct Hello {
  enum class Verb : std::uint8_t { none, helo, ehlo };
  Verb verb = Verb::none;
  std::string name{};  ///< a domain or an address literal by its grammar; not verified
};

struct TlsInfo {
  std::string version{};  ///< "TLSv1.3"; empty: not encrypted
  std::string cipher{};
  int bits = 0;

  [[nodiscard]] bool active() const { return !version.empty(); }
};

struct SessionInfo {
  std::string id{};  ///< unique, for logs
  Kind kind = Kind::mx;
  asio::ip::tcp::endpoint remote{};
  asio::ip::tcp::endpoint local{};
  Hello hello{};
  TlsInfo tls{};
  std::optional<Identity> identity{};  ///< set after a successful AUTH
};

/// What AUTH brought. The password is wiped by the session once authenticate() completed.
struct Credentials {
  std::string login{};
  std::string password{};
  std::string_view mechanism{};  ///< "PLAIN" or "LOGIN"
};

/// Where one message goes. Destroyed without a commit: everything is dropped, nothing was accepted.
class MessageSink {
 public:
  virtual ~MessageSink() = default;
  MessageSink() = default;
  MessageSink(const MessageSink&) = delete;
  MessageSink& operator=(const MessageSink&) = delete;

  /// The next octets of the message: dot-unstuffed, every line ended by CRLF, any slicing. `bytes`
  /// is valid until the call completes. After an error the sink is destroyed; the rest of the
  /// message is read and dropped, then the error is the answer.
  virtual Task<Outcome<>> append(std::string_view bytes) = 0;

  /// All octets were appended. Completes when the message is durable: `250 2.0.0 queued as ID`, or
  /// a refusal (policy, loop, disk). Called at most once, then the sink is destroyed.
  virtual Task<Reply> commit() = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  /// 535 5.7.8 for a wrong login (same for an unknown one), 454 4.7.0 when it can't be decided now.
  virtual Task<Outcome<Identity>> authenticate(const SessionInfo& session,
                                               const Credentials& credentials) = 0;

  /// MAIL FROM, before any recipient; `envelope.recipients` is empty.
  virtual Task<Outcome<>> check_sender(const SessionInfo& session, const Envelope& envelope) = 0;

  /// RCPT TO; `envelope` holds the recipients accepted so far, without `recipient`.
  virtual Task<Outcome<>> check_recipient(const SessionInfo& session, const Envelope& envelope,
                                          const Recipient& recipient) = 0;

  /// DATA, or the first BDAT: at least one recipient was accepted. Both references outlive the
  /// sink: the session keeps them unchanged until it has destroyed it.
  virtual Task<Outcome<std::unique_ptr<MessageSink>>> begin_message(const SessionInfo& session,
                                                                    const Envelope& envelope) = 0;
};

}  // namespace postern::smtp
