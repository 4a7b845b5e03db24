// The client's side of SMTP as a state machine without I/O: events in, the next action out.
//
// One object a connection. The driver asks next(), does what it says, and tells the result:
//   send       write `bytes`, then ask next() again
//   read       read some bytes, then feed() them (or eof())
//   start_tls  handshake, then tls_started() (a failed handshake ends the connection)
//   send_body  write the dot-stuffed body and its final dot, then body_sent()
//   idle       take_result() when a transaction has ended; then begin() another, or quit()
//   close      the connection is of no more use; error() says why, if it wasn't quit()
//
// Pipelines where the peer offers it (RFC 2920): RSET, MAIL, all RCPT and DATA in one group. Bytes
// that come before they were asked for are an error, after STARTTLS above all (RFC 3207 §6).
// Standards: RFC 5321 §3, §4; 1870 (SIZE), 6152 (8BITMIME), 6531 (SMTPUTF8), 3461 (DSN), 9422
// (LIMITS).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "smtp/delivery/ehlo.hpp"
#include "smtp/delivery/reply_parser.hpp"
#include "smtp/delivery/settings.hpp"
#include "smtp/queue/message.hpp"
#include "smtp/queue/outcome.hpp"

namespace postern::smtp::delivery {

/// What one transaction is to do. The recipients are those of one job.
struct TransactionPlan {
  std::shared_ptr<const queue::QueuedMessage> message;
  std::vector<queue::Recipient> recipients;
};

struct TransactionResult {
  std::vector<queue::AttemptResult> recipients;  ///< one for each of the plan, in its order
};

class ClientFsm {
 public:
  struct Options {
    std::string hostname;  ///< for EHLO
    TlsPolicy tls = TlsPolicy::opportunistic;
    std::string peer;  ///< host name, for remote_mta
  };
  explicit ClientFsm(Options options);

  enum class Do : std::uint8_t { send, read, start_tls, send_body, idle, close };
  /// Which of the settings' time-outs bounds the step.
  enum class Patience : std::uint8_t { greeting, command, data_start, data_block, data_end, quit };
  struct Action {
    Do what = Do::close;
    Patience patience = Patience::command;
    std::string bytes;  ///< for send
  };

  Action next();
  void feed(std::string_view bytes);
  void eof(const std::string& why);
  void tls_started();
  void body_sent();

  /// Only when idle.
  void begin(TransactionPlan plan);
  void quit();
  /// Set once a transaction has ended, on an idle or a closed connection.
  std::optional<TransactionResult> take_result();

  /// Why the connection ended, or couldn't be used: a reply of the peer (greeting, EHLO, 421) or of
  /// ours.
  [[nodiscard]] const std::optional<queue::Reply>& error() const { return error_; }
  /// The end came between the peer's leave to begin TLS and the end of the handshake.
  [[nodiscard]] bool tls_failed() const { return tls_failed_; }
  /// Some reply other than 421 to the last transaction has come. None on a reused connection: it
  /// was dead or closing, and the transaction may go over another at once.
  [[nodiscard]] bool heard_in_transaction() const { return heard_; }
  [[nodiscard]] const Capabilities& capabilities() const { return capabilities_; }

 private:
  enum class State : std::uint8_t {
    greeting,
    ehlo,
    helo,
    starttls,
    handshake,
    idle,
    envelope,
    body,
    body_end,
    quit,
    closed
  };
  enum class Command : std::uint8_t { rset, mail, rcpt, data };
  struct Awaited {
    Command command = Command::mail;
    std::size_t recipient = 0;  ///< index in the plan, for rcpt
  };
  // Of one transaction; reset by assigning {}.
  struct Transaction {
    TransactionPlan plan;
    std::vector<std::optional<queue::AttemptResult>> results;
    std::vector<bool> accepted;   ///< RCPT said yes, the message isn't there yet
    std::deque<Awaited> awaited;  ///< replies to come, in order
    std::optional<Command> following = Command::mail;  ///< the next command to send
    std::size_t next_rcpt = 0;
    bool mail_ok = false;
  };

  [[nodiscard]] bool expects_reply() const;
  void send(std::string bytes, Patience patience, State state);
  void take_reply(const queue::Reply& reply);
  void on_greeting(const queue::Reply& reply);
  void on_hello(const queue::Reply& reply);
  void on_starttls(const queue::Reply& reply);
  void on_envelope(const queue::Reply& reply);
  void on_mail(const queue::Reply& reply);
  void on_rcpt(std::size_t index, const queue::Reply& reply);
  void on_data(const queue::Reply& reply);
  void on_body_end(const queue::Reply& reply);
  void after_hello();
  void bad_sequence(const queue::Reply& reply);

  [[nodiscard]] std::optional<queue::Reply> refusal() const;
  [[nodiscard]] std::string mail_command() const;
  [[nodiscard]] std::string rcpt_command(const queue::Recipient& recipient) const;
  bool append_command(std::string& group);
  void send_group();
  void step_envelope();
  [[nodiscard]] std::size_t accepted_count() const;
  /// Whose words a reply is: a report may quote only the peer's as its diagnostic.
  enum class Voice : std::uint8_t { peer, ours };
  void settle(std::size_t index, const queue::Reply& reply, queue::AttemptResult::Kind kind,
              Voice voice);
  void settle_all(const queue::Reply& reply, Voice voice);
  void end_transaction();
  void fail(const queue::Reply& reply, Voice voice);

  Options options_;
  State state_ = State::greeting;
  ReplyParser parser_;
  Capabilities capabilities_;
  std::string out_;
  Patience patience_ = Patience::greeting;
  std::optional<queue::Reply> error_;
  std::optional<Transaction> transaction_;
  std::optional<TransactionResult> result_;
  bool tls_ = false;
  bool tls_failed_ = false;
  bool dirty_ = false;  ///< the peer may hold a transaction: RSET goes first
  bool heard_ = false;
};

}  // namespace postern::smtp::delivery
