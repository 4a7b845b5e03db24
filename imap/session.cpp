#include "imap/session.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <iterator>

#include "core/ascii.hpp"
#include "core/log.hpp"
#include "core/metrics.hpp"
#include "imap/capability.hpp"
#include "imap/commands.hpp"
#include "imap/wire/encoder.hpp"

namespace postern::imap {

namespace {
metrics::Gauge live_sessions("postern_imap_sessions", "IMAP sessions connected now");
metrics::Counter commands_done("postern_imap_commands_total", "IMAP commands answered");
}  // namespace

Session::Session(asio::ip::tcp::socket socket, Security security, std::shared_ptr<Backend> backend,
                 std::shared_ptr<const Options> options)
    : connection_(std::make_shared<Connection>(std::move(socket), options->timeouts)),
      security_(security),
      backend_(std::move(backend)),
      options_(std::move(options)),
      reader_(options_->limits.command_before_login, options_->limits.drained_literals) {
  live_sessions.add(1);
}

Session::~Session() { live_sessions.add(-1); }

void Session::start(std::shared_ptr<Session> self, SessionRegistry* registry) {
  std::optional<SessionRegistry::Guard> guard;
  const auto executor = self->connection_->stream().executor();
  if (registry != nullptr) {
    std::weak_ptr<Connection> weak = self->connection_;
    auto entered = registry->enter(executor, [weak] {
      if (const auto connection = weak.lock()) connection->end_when_idle("Server shutting down");
    });
    if (entered) {
      guard = std::move(*entered);
    } else {
      self->connection_->end_when_idle("Too many connections, try again later");
    }
  }
  asio::co_spawn(executor, run(self, std::move(guard)), [self](std::exception_ptr bug) {
    self->connection_->close();
    if (!bug) return;
    try {
      std::rethrow_exception(bug);
    } catch (const std::exception& error) {
      log::error("imap_session_failed", {{"error", std::string_view(error.what())}});
    }
  });
}

Task<void> Session::run(std::shared_ptr<Session> self,
                        std::optional<SessionRegistry::Guard> guard) {
  const auto served = co_await self->serve();
  if (!served) log::debug("imap_disconnected", {{"cause", served.error().message}});
  self->connection_->close();
  guard.reset();
}

std::string Session::remote() const { return connection_->stream().remote().address().to_string(); }

bool Session::plaintext_refused() {
  return !connection_->stream().is_tls() && options_->plaintext_login == PlaintextLogin::refuse;
}

bool Session::can_start_tls() {
  return !connection_->stream().is_tls() && options_->tls && options_->tls() != nullptr;
}

Task<Result<void>> Session::serve() {
  auto greeted = co_await greet();
  if (!greeted) co_return greeted;
  while (state_ != State::logout) {
    if (!connection_->ending().empty() && reader_.at_start()) {
      co_return co_await bye(connection_->ending());
    }
    auto done = co_await next_command();
    if (!done) co_return done;
  }
  co_return co_await connection_->flush();
}

Task<Result<void>> Session::greet() {
  if (security_ == Security::implicit_tls) {
    auto context = options_->tls ? options_->tls() : nullptr;
    if (!context) co_return fail(Errc::unsupported, "no TLS certificate is configured");
    auto secured = co_await connection_->start_tls(std::move(context));
    if (!secured) co_return secured;
  }
  if (!connection_->ending().empty()) co_return Result<void>{};
  out() += fmt::format("* OK [CAPABILITY {}] {} Postern ready\r\n", capabilities(*this),
                       options_->hostname);
  co_return co_await connection_->flush();
}

Task<Result<void>> Session::bye(std::string text) {
  out() += fmt::format("* BYE {}\r\n", response_text(text));
  state_ = State::logout;
  co_return co_await connection_->flush();
}

void Session::end_with(std::string text) { connection_->end_when_idle(std::move(text)); }

std::chrono::milliseconds Session::command_deadline() const {
  const auto& timeouts = options_->timeouts;
  if (!reader_.at_start()) return timeouts.within_command;
  return state_ == State::not_authenticated ? timeouts.login : timeouts.idle;
}

Task<Result<void>> Session::next_command() {
  while (true) {
    const auto step = reader_.consume(connection_->input());
    connection_->consume(step.consumed);
    if (step.event != CommandReader::Event::need_input) co_return co_await act_on(step.event);
    // Replies to pipelined commands leave together, when there is nothing more to read.
    auto flushed = co_await connection_->flush();
    if (!flushed) co_return flushed;
    if (!connection_->ending().empty() && reader_.at_start()) co_return Result<void>{};
    const auto wait =
        reader_.at_start() ? Connection::Wait::for_command : Connection::Wait::within_command;
    const auto more = co_await connection_->fill(command_deadline(), wait);
    if (!more) co_return std::unexpected(more.error());
    if (!*more) co_return fail(Errc::io, "the peer closed the connection");
  }
}

Task<Result<void>> Session::act_on(CommandReader::Event event) {
  using Event = CommandReader::Event;
  if (event == Event::literal) co_return co_await decide_literal();
  if (event == Event::command) co_return co_await execute();
  if (event == Event::hopeless) co_return co_await bye("[TOOBIG] Too much to throw away");
  if (event != Event::refused) {
    Scanner in(reader_.text());
    tag_ = read_head(in).tag;
    refusal_ = event == Event::too_long ? bad_reply("Command too long", "LIMIT")
                                        : bad_reply("Lines end with CR LF");
  }
  auto reply = refusal_.value_or(bad_reply("Command refused"));
  refusal_.reset();
  co_return co_await finish(nullptr, std::move(reply));
}

Session::Head Session::read_head(Scanner& in) {
  Head head;
  const auto tag = in.tag();
  if (!tag) return head;
  head.tag = std::string(*tag);
  if (!in.space()) return head;
  std::string name(in.word());
  if (ascii::iequals(name, "UID") && in.space()) {
    name += ' ';
    name += in.word();
  }
  head.spec = find_command(name);
  return head;
}

Task<Result<void>> Session::execute() {
  Scanner in(reader_.text());
  const Head head = read_head(in);
  tag_ = head.tag;
  if (tag_.empty()) co_return co_await finish(nullptr, bad_reply("Expected a tag"));
  if (head.spec == nullptr) co_return co_await finish(nullptr, bad_reply("Unknown command"));
  if (!head.spec->allowed_in(state_)) {
    co_return co_await finish(nullptr, bad_reply("Not valid in this state"));
  }
  auto parsed = head.spec->parse(in);
  if (!parsed) {
    const auto& error = parsed.error();
    auto reply = error.code.empty() ? bad_reply(error.text) : no(error.text, error.code);
    co_return co_await finish(nullptr, std::move(reply));
  }
  reader_.reset();  // its memory isn't needed while the command runs
  const bool valid = co_await still_valid();
  if (!valid) co_return co_await bye("[UNAVAILABLE] This login is no longer valid");
  co_await refresh(Ask::if_noticed);
  auto outcome = co_await head.spec->handle(*this, std::move(*parsed));
  if (!outcome) co_return std::unexpected(outcome.error());
  co_return co_await finish(head.spec, std::move(*outcome));
}

Task<Result<void>> Session::finish(const CommandSpec* spec, Reply reply) {
  reader_.reset();
  commands_done.add();
  const auto flags = spec != nullptr ? spec->flags : kHoldsExpunges;
  if (view_ && (flags & kQuiet) == 0) {
    co_await refresh((flags & kAsksForNews) != 0 ? Ask::always : Ask::if_noticed);
    write_updates((flags & kHoldsExpunges) != 0 ? ExpungePolicy::hold : ExpungePolicy::allow,
                  (flags & kNumbersUids) != 0 ? Numbering::uid : Numbering::sequence);
  }
  write_tagged(reply);
  if (reply.condition != Reply::Condition::bad) {
    bad_commands_ = 0;
  } else if (++bad_commands_ >= options_->limits.bad_commands) {
    co_return co_await bye("Too many bad commands");
  }
  co_return co_await connection_->flush_if_large();
}

void Session::write_tagged(const Reply& reply) {
  std::string_view word;
  switch (reply.condition) {
    case Reply::Condition::ok: word = "OK"; break;
    case Reply::Condition::no: word = "NO"; break;
    case Reply::Condition::bad: word = "BAD"; break;
    case Reply::Condition::sent: return;
  }
  const std::string_view tag = tag_.empty() ? std::string_view("*") : std::string_view(tag_);
  auto to = std::back_inserter(out());
  if (reply.code.empty()) {
    fmt::format_to(to, "{} {} {}\r\n", tag, word, response_text(reply.text));
  } else {
    fmt::format_to(to, "{} {} [{}] {}\r\n", tag, word, reply.code, response_text(reply.text));
  }
  tag_.clear();
}

Task<bool> Session::still_valid() {
  const auto now = std::chrono::steady_clock::now();
  if (!account_ || now - checked_ < options_->timeouts.login_check) co_return true;
  checked_ = now;
  const auto valid = co_await account_->still_valid();
  // Trouble while asking is no reason to throw someone out.
  co_return valid.value_or(true);
}

}  // namespace postern::imap
