#include "smtp/server/session.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <string>

#include "core/id.hpp"
#include "core/log.hpp"
#include "core/watchdog.hpp"
#include "smtp/server/conversation.hpp"
#include "smtp/server/pace.hpp"
#include "smtp/server/server_metrics.hpp"

namespace postern::smtp {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// For the last reply to a client that may not be reading.
constexpr milliseconds kGoodbyeTime{2'000};

SessionInfo make_info(const Stream& stream, const ServerConfig& config) {
  SessionInfo info;
  info.id = to_string(make_uuid());
  info.kind = config.kind;
  info.remote = stream.remote();
  info.local = stream.local();
  return info;
}

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::unique_ptr<Stream> stream, Backend& backend,
          std::shared_ptr<const ServerConfig> config)
      : config_(std::move(config)),
        stream_(std::move(stream)),
        backend_(backend),
        conversation_(config_, make_info(*stream_, *config_)),
        timer_(stream_->executor()) {
    server_metrics::connection_opened(config_->kind);
  }
  ~Session() { server_metrics::connection_closed(config_->kind); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  static Task<void> run(std::shared_ptr<Session> self);
  void join(SessionRegistry::Guard guard) { guard_.emplace(std::move(guard)); }
  void watch();
  void drain();
  void log_begin() const;
  void log_end() const;
  [[nodiscard]] const std::string& id() const { return conversation_.info().id; }

 private:
  enum class Wait : std::uint8_t { none, input, output, pause };

  Task<bool> open();
  Task<bool> perform(Action action);
  Task<bool> flush();
  Task<bool> read();
  Task<bool> handshake();
  Task<void> pause();
  Task<void> wait_for_banner();
  void banner_due();
  static Task<void> say_goodbye(std::shared_ptr<Session> self, std::string last);
  void on_deadline();
  [[nodiscard]] milliseconds input_time();

  const std::shared_ptr<const ServerConfig> config_;
  const std::unique_ptr<Stream> stream_;
  Backend& backend_;
  Conversation conversation_;
  std::optional<SessionRegistry::Guard> guard_;
  std::optional<Watchdog> watchdog_;
  std::optional<Watchdog> goodbye_watchdog_;
  asio::steady_timer timer_;
  std::string output_;      // being written
  milliseconds waited_{0};  // for octets of the message under way
  Wait wait_ = Wait::none;
  bool banner_sent_ = false;
};

void Session::watch() {
  watchdog_.emplace(stream_->executor(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_deadline();
  });
}

Task<void> Session::say_goodbye(std::shared_ptr<Session> self, std::string last) {
  // Expiry is final for a watchdog, so the goodbye has its own.
  self->goodbye_watchdog_.emplace(self->stream_->executor(), [weak = std::weak_ptr(self)] {
    if (const auto session = weak.lock()) session->stream_->close();
  });
  self->goodbye_watchdog_->arm(kGoodbyeTime);
  const auto written = co_await self->stream_->write_all(last);
  static_cast<void>(written);  // it is closed either way
  self->stream_->close();
}

// A client that doesn't read gets no last word: the stream is closed under its write.
void Session::on_deadline() {
  if (goodbye_watchdog_) return;
  if (wait_ != Wait::input) {
    stream_->close();
    return;
  }
  conversation_.timed_out();
  asio::co_spawn(stream_->executor(), say_goodbye(shared_from_this(), conversation_.take_output()),
                 asio::detached);
}

void Session::drain() {
  conversation_.drain();
  if (wait_ == Wait::pause) timer_.cancel();
  if (wait_ != Wait::input || goodbye_watchdog_) return;
  if (!conversation_.at_rest()) {
    if (!conversation_.receiving()) watchdog_->arm(config_->limits.drain);
    return;
  }
  const Action end = conversation_.next();
  static_cast<void>(end);  // close, after the 421 that it queued
  asio::co_spawn(stream_->executor(), say_goodbye(shared_from_this(), conversation_.take_output()),
                 asio::detached);
}

Task<bool> Session::flush() {
  if (!conversation_.has_output()) co_return true;
  output_ = conversation_.take_output();
  wait_ = Wait::output;
  watchdog_->arm(config_->limits.write);
  const auto written = co_await stream_->write_all(output_);
  wait_ = Wait::none;
  watchdog_->disarm();
  co_return written.has_value();
}

milliseconds Session::input_time() {
  if (conversation_.receiving()) {
    return time_for_data(config_->limits, waited_, conversation_.transaction().text.size());
  }
  waited_ = milliseconds(0);
  return conversation_.connection().draining ? config_->limits.drain : config_->limits.idle;
}

Task<bool> Session::read() {
  watchdog_->arm(input_time());
  wait_ = Wait::input;
  const auto began = steady_clock::now();
  if (conversation_.at_rest()) {
    conversation_.input().release();
    const auto readable = co_await stream_->wait_readable();
    if (!readable) co_return false;
  }
  const auto count = co_await stream_->read_some(conversation_.input().room());
  wait_ = Wait::none;
  if (conversation_.receiving())
    waited_ += std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
  watchdog_->disarm();
  if (!count || *count == 0) co_return false;
  conversation_.input().commit(*count);
  co_return true;
}

Task<bool> Session::handshake() {
  watchdog_->arm(config_->limits.handshake);
  const auto started = co_await stream_->start_tls_server(config_->tls);
  watchdog_->disarm();
  server_metrics::tls_handshake(started ? server_metrics::Outcome::accepted
                                        : server_metrics::Outcome::refused);
  if (!started) {
    log::info("smtp.tls_failed", {{"session", id()}, {"cause", started.error().message}});
    co_return false;
  }
  conversation_.tls_started(
      {stream_->tls_version(), stream_->tls_cipher(), stream_->tls_cipher_bits()});
  co_return true;
}

Task<void> Session::pause() {
  if (conversation_.connection().draining) co_return;
  boost::system::error_code cancelled;
  timer_.expires_after(conversation_.pause_time());
  wait_ = Wait::pause;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  wait_ = Wait::none;
}

void Session::banner_due() {
  banner_sent_ = true;
  conversation_.greet();
  output_ = conversation_.take_output();
  asio::co_spawn(stream_->executor(), stream_->write_all(output_),
                 [self = shared_from_this()](const std::exception_ptr&, const Result<void>&) {});
}

Task<void> Session::wait_for_banner() {
  timer_.expires_after(config_->banner_delay);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self && self->stream_->is_open()) self->banner_due();
  });
  watchdog_->arm(config_->limits.idle);
  const auto readable = co_await stream_->wait_readable();
  watchdog_->disarm();
  timer_.cancel();
  if (readable && !banner_sent_) conversation_.early_talk();
}

Task<bool> Session::open() {
  if (config_->kind == Kind::submissions) {
    if (!config_->tls) {
      log::error("smtp.no_certificate", {{"session", id()}});
      co_return false;
    }
    const bool started = co_await handshake();
    if (!started) co_return false;
  }
  if (config_->banner_delay.count() > 0) {
    co_await wait_for_banner();
  } else {
    conversation_.greet();
  }
  co_return true;
}

// Does what the conversation asked for. False: the connection is over.
Task<bool> Session::perform(Action action) {
  switch (action) {
    case Action::again:
    case Action::flush: co_return co_await flush();
    case Action::need_input: {
      const bool flushed = co_await flush();
      if (!flushed) co_return false;
      co_return co_await read();
    }
    case Action::authenticate: {
      auto outcome =
          co_await backend_.authenticate(conversation_.info(), conversation_.credentials());
      conversation_.authenticated(std::move(outcome));
      co_return true;
    }
    case Action::check_sender: {
      auto outcome = co_await backend_.check_sender(conversation_.info(), conversation_.envelope());
      conversation_.sender_checked(std::move(outcome));
      co_return true;
    }
    case Action::check_recipient: {
      auto outcome = co_await backend_.check_recipient(
          conversation_.info(), conversation_.envelope(), conversation_.candidate());
      conversation_.recipient_checked(std::move(outcome));
      co_return true;
    }
    case Action::begin_message: {
      auto outcome =
          co_await backend_.begin_message(conversation_.info(), conversation_.envelope());
      conversation_.message_begun(std::move(outcome));
      co_return true;
    }
    case Action::append: {
      auto outcome = co_await conversation_.sink().append(conversation_.piece());
      conversation_.appended(std::move(outcome));
      co_return true;
    }
    case Action::commit: {
      auto reply = co_await conversation_.sink().commit();
      conversation_.committed(std::move(reply));
      co_return true;
    }
    case Action::start_tls: {
      const bool flushed = co_await flush();
      if (!flushed) co_return false;
      co_return co_await handshake();
    }
    case Action::pause: co_await pause(); co_return true;
    case Action::close: {
      const bool flushed = co_await flush();
      static_cast<void>(flushed);
      co_return false;
    }
  }
  co_return false;
}

Task<void> Session::run(std::shared_ptr<Session> self) {
  bool going = co_await self->open();
  while (going) going = co_await self->perform(self->conversation_.next());
  // A goodbye under way closes the stream itself.
  if (!self->goodbye_watchdog_) self->stream_->close();
}

void Session::log_begin() const {
  if (!log::enabled(log::Level::debug)) return;
  log::debug("smtp.connected", {{"session", id()},
                                {"kind", to_string(config_->kind)},
                                {"remote", stream_->remote().address().to_string()}});
}

void Session::log_end() const {
  const ConnectionState& connection = conversation_.connection();
  log::info("smtp.disconnected", {{"session", id()},
                                  {"kind", to_string(config_->kind)},
                                  {"remote", stream_->remote().address().to_string()},
                                  {"accepted", connection.accepted},
                                  {"mails", connection.mails},
                                  {"errors", connection.errors}});
}

Task<void> turn_away(std::shared_ptr<Stream> stream, std::string reply) {
  // A fresh connection's buffer takes one line: this never waits.
  const auto written = co_await stream->write_all(reply);
  static_cast<void>(written);
  stream->close();
}

void refuse_session(std::unique_ptr<Stream> stream, const ServerConfig& config) {
  log::warn("smtp.too_many_sessions",
            {{"kind", to_string(config.kind)}, {"remote", stream->remote().address().to_string()}});
  if (config.kind == Kind::submissions) return;  // no TLS, no words
  std::string reply;
  append_reply(reply, {421, {4, 3, 2}, config.hostname + " has too many connections"});
  const Executor executor = stream->executor();
  asio::co_spawn(executor, turn_away(std::move(stream), std::move(reply)), asio::detached);
}

}  // namespace

void start_session(std::unique_ptr<Stream> stream, Backend& backend,
                   std::shared_ptr<const ServerConfig> config, SessionRegistry& registry) {
  const Executor executor = stream->executor();
  auto reserve = std::make_shared<std::weak_ptr<Session>>();
  auto guard = registry.enter(executor, [reserve] {
    if (const auto session = reserve->lock()) session->drain();
  });
  if (!guard) {
    refuse_session(std::move(stream), *config);
    return;
  }
  auto session = std::make_shared<Session>(std::move(stream), backend, std::move(config));
  *reserve = session;
  session->join(std::move(*guard));
  session->watch();
  session->log_begin();
  asio::co_spawn(executor, Session::run(session), [session](const std::exception_ptr& error) {
    session->log_end();
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& e) {
      log::error("smtp.session_failed", {{"session", session->id()}, {"cause", e.what()}});
    }
  });
}

}  // namespace postern::smtp
