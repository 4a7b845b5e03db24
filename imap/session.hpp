// One client's IMAP session: reads commands, looks them up in the dispatch table, runs one handler
// at a time, tells the client what changed meanwhile.
//
// Owner: itself, by shared_ptr, while its coroutine runs; one io thread. Handlers (imap/cmd) use
// the public part. State is split by when it resets: the connection's, the login's (account_), the
// selected mailbox's (view_, watch_), the command's (tag_, reader_).
//
// Everything that comes from the peer is untrusted. Commands run strictly in the order they came,
// each to completion, so that pipelined ones are never ambiguous (RFC 3501 §5.5).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/session_registry.hpp"
#include "imap/backend.hpp"
#include "imap/connection.hpp"
#include "imap/mailbox_view.hpp"
#include "imap/options.hpp"
#include "imap/parse/parsers.hpp"
#include "imap/reply.hpp"
#include "imap/wire/command_reader.hpp"

namespace postern::imap {

struct CommandSpec;

enum class State : std::uint8_t { not_authenticated, authenticated, selected, logout };

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(asio::ip::tcp::socket socket, Security security, std::shared_ptr<Backend> backend,
          std::shared_ptr<const Options> options);
  ~Session();

  /// Spawns the session's coroutine; it lives until the connection ends. `registry` may be null.
  static void start(std::shared_ptr<Session> self, SessionRegistry* registry);

  // What handlers use.
  [[nodiscard]] const Options& options() const { return *options_; }
  [[nodiscard]] Backend& backend() { return *backend_; }
  [[nodiscard]] Connection& connection() { return *connection_; }
  [[nodiscard]] std::string& out() { return connection_->out(); }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] Account& account() { return *account_; }
  [[nodiscard]] MailboxView& view() { return *view_; }
  [[nodiscard]] std::string_view tag() const { return tag_; }
  [[nodiscard]] std::string remote() const;
  [[nodiscard]] bool plaintext_refused();  ///< credentials would travel in the clear
  [[nodiscard]] bool can_start_tls();

  /// A successful LOGIN or AUTHENTICATE.
  void log_in(std::unique_ptr<Account> account);
  /// A failed one: waits, counts; too many end the session after the reply.
  Task<void> login_failed();
  void select(MailboxView view);
  void deselect();
  void log_out() { state_ = State::logout; }
  /// STARTTLS has been answered: handshake, forget everything from before.
  Task<Result<void>> start_tls();

  /// Takes news from the store into the view; tells nothing yet. `always` asks even without
  /// notice.
  enum class Ask : std::uint8_t { if_noticed, always };
  Task<void> refresh(Ask ask);
  /// Writes the view's updates; flag changes carry the UID when `numbering` says so.
  void write_updates(ExpungePolicy policy, Numbering numbering);
  /// `* 12 FETCH (UID 7 FLAGS (\Seen))`.
  void write_flags(std::uint32_t sequence, Numbering numbering);
  /// Whether the login is still good; asked at most once in a while.
  Task<bool> still_valid();
  /// Ends the session after the current reply, with an untagged BYE.
  void end_with(std::string text);

 private:
  static Task<void> run(std::shared_ptr<Session> self, std::optional<SessionRegistry::Guard> guard);
  Task<Result<void>> serve();
  Task<Result<void>> greet();
  Task<Result<void>> next_command();
  Task<Result<void>> act_on(CommandReader::Event event);
  Task<Result<void>> execute();
  Task<Result<void>> finish(const CommandSpec* spec, Reply reply);
  Task<Result<void>> decide_literal();
  Task<Result<void>> invite_literal();
  Task<Result<void>> refuse_literal(Reply reply);
  Task<Result<void>> receive_message(AppendCommand command);
  Task<Result<void>> stream_message(std::unique_ptr<Append> target);
  Task<Result<std::optional<Reply>>> pump_literal(Append& target, std::uint64_t size);
  Task<Result<void>> bye(std::string text);

  /// The tag, and the table's entry for the name after it; `in` is left after the name.
  struct Head {
    std::string tag;
    const CommandSpec* spec = nullptr;
  };
  static Head read_head(Scanner& in);
  [[nodiscard]] std::chrono::milliseconds command_deadline() const;
  void write_tagged(const Reply& reply);
  void watch_selected();

  std::shared_ptr<Connection> connection_;
  Security security_;
  std::shared_ptr<Backend> backend_;
  std::shared_ptr<const Options> options_;
  State state_ = State::not_authenticated;
  unsigned login_failures_ = 0;
  unsigned bad_commands_ = 0;

  std::unique_ptr<Account> account_;
  std::chrono::steady_clock::time_point checked_;

  std::optional<MailboxView> view_;
  std::unique_ptr<Watch> watch_;
  bool changed_ = false;  ///< the store gave notice since the last refresh
  std::size_t announced_keywords_ = 0;

  CommandReader reader_;
  std::string tag_;
  std::optional<Reply> refusal_;  ///< to send when the refused command has been drained
};

}  // namespace postern::imap
