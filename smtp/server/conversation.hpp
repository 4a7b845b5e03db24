// The SMTP server protocol without I/O: octets in, replies and the next action out.
//
// The session (session.hpp) reads into input(), calls next() and does what it says; a test does the
// same without sockets. Actions that ask the backend something are answered by the completion of
// the same name; next() is not called in between. Owner: one session; one thread.
//
// Standards: RFC 5321, RFC 2920 (what may be buffered), RFC 3030, RFC 3207, RFC 4954. Untrusted:
// every octet of input.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "smtp/backend.hpp"
#include "smtp/server/config.hpp"
#include "smtp/server/input_buffer.hpp"
#include "smtp/server/line_decoder.hpp"
#include "smtp/server/state.hpp"
#include "smtp/server/text_decoder.hpp"

namespace postern::smtp {

/// What the driver does next. `again` is the handlers' word for "go on"; next() never returns it.
enum class Action : std::uint8_t {
  again,
  need_input,       ///< write the output, then read
  flush,            ///< write the output
  authenticate,     ///< credentials() -> authenticated()
  check_sender,     ///< envelope() -> sender_checked()
  check_recipient,  ///< envelope(), candidate() -> recipient_checked()
  begin_message,    ///< envelope() -> message_begun()
  append,           ///< sink(), piece() -> appended()
  commit,           ///< sink() -> committed()
  start_tls,        ///< write the output, handshake -> tls_started()
  pause,            ///< wait pause_time(), then go on
  close,            ///< write the output, close
};

class Conversation {
 public:
  Conversation(std::shared_ptr<const ServerConfig> config, SessionInfo info);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // --- for the driver ---
  void greet();       ///< queues the banner
  void early_talk();  ///< octets came before the banner
  InputBuffer& input() { return input_; }
  Action next();

  void authenticated(Outcome<Identity> outcome);
  void sender_checked(Outcome<> outcome);
  void recipient_checked(Outcome<> outcome);
  void message_begun(Outcome<std::unique_ptr<MessageSink>> outcome);
  void appended(Outcome<> outcome);
  void committed(Reply reply);
  void tls_started(TlsInfo tls);

  /// The server stops: at rest, says 421 and closes; otherwise after the transaction.
  void drain();
  void timed_out();  ///< queues 421 4.4.2; the next action is close
  /// Between messages, nothing buffered: may be cut off without loss.
  [[nodiscard]] bool at_rest() const;
  [[nodiscard]] bool receiving() const;  ///< message octets are being read or awaited
  std::string take_output();
  [[nodiscard]] bool has_output() const { return !output_.empty(); }
  [[nodiscard]] std::string_view piece() const { return piece_; }
  [[nodiscard]] std::chrono::milliseconds pause_time() const { return pause_; }
  [[nodiscard]] const Credentials& credentials() const { return sasl_.credentials; }
  [[nodiscard]] const Recipient& candidate() const { return transaction_.candidate; }
  [[nodiscard]] const Envelope& envelope() const { return transaction_.envelope; }
  [[nodiscard]] MessageSink& sink() { return *transaction_.sink; }

  // --- for handlers (cmd_*.cpp) ---
  Action answer(const Reply& reply);  ///< not an error of the client
  Action reject(Reply reply);         ///< counted; past the limit it becomes 421 4.7.0 and the end
  Action finish(const Reply& reply);  ///< the last reply; then close
  void reset_transaction();
  /// Starts the transfer of a message (transaction().transfer says how): memory first.
  Action begin_transfer(Transaction::Transfer transfer);
  Action begin_chunk(const Bdat& bdat, std::optional<Reply> refusal);
  Action expect_sasl();                      ///< the next line is an AUTH answer
  [[nodiscard]] bool login_allowed() const;  ///< this connection may carry a password

  SessionInfo& info() { return info_; }
  [[nodiscard]] const SessionInfo& info() const { return info_; }
  [[nodiscard]] const ServerConfig& config() const { return *config_; }
  [[nodiscard]] const Limits& limits() const { return config_->limits; }
  ConnectionState& connection() { return connection_; }
  [[nodiscard]] const ConnectionState& connection() const { return connection_; }
  Transaction& transaction() { return transaction_; }
  [[nodiscard]] const Transaction& transaction() const { return transaction_; }
  SaslState& sasl() { return sasl_; }

 private:
  enum class Mode : std::uint8_t { command, sasl, data, chunk, closing };

  Action step();
  Action line_step();
  Action take_line(std::string_view line);
  Action line_fault(const LineDecoder::Result& result);
  Action data_step();
  Action chunk_step();
  Action chunk_done();
  Action absorb(std::string_view text);
  Action complete();
  void fail(Reply reply);
  bool note_fault();
  void set_message_refused(Reply reply);

  std::shared_ptr<const ServerConfig> config_;
  SessionInfo info_;
  InputBuffer input_;
  LineDecoder lines_;
  std::string output_;
  Mode mode_ = Mode::command;
  ConnectionState connection_;
  SaslState sasl_;
  Transaction transaction_;
  ChunkState chunk_;
  std::string_view piece_;              // into input_, under Action::append
  std::chrono::milliseconds pause_{0};  // before the pending reply
  bool pause_due_ = false;
};

}  // namespace postern::smtp
