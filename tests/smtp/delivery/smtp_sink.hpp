// A small scripted SMTP server on loopback: what it offers and answers is the test's, what it got
// is kept.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/stream.hpp"
#include "core/tls/context.hpp"

namespace postern::test {

class SmtpSink {
 public:
  struct Mail {
    std::string from;
    std::vector<std::string> recipients;  ///< the accepted ones
    std::string body;                     ///< dots as on the wire
    bool tls = false;
    int connection = 0;
    bool operator==(const Mail&) const = default;
  };
  enum class Tls : std::uint8_t { none, good, broken };
  struct Script {
    std::string greeting = "220 sink";
    std::vector<std::string> keywords{"PIPELINING", "8BITMIME", "SIZE 100000000"};
    Tls tls = Tls::none;
    std::shared_ptr<const tls::Context> context;
    std::function<std::string(const std::string&)> rcpt = [](const std::string&) {
      return "250 2.1.5 ok";
    };
    std::function<std::string(const Mail&)> data = [](const Mail&) { return "250 2.0.0 taken"; };
    /// Commands that are answered by hanging up, with the number of the connection.
    std::function<bool(const std::string&, int)> hang_up = [](const std::string&, int) {
      return false;
    };
  };

  explicit SmtpSink(Script script) : state_(std::make_shared<State>()) {
    state_->script = std::move(script);
    acceptor_.open(asio::ip::tcp::v4());
    acceptor_.bind({asio::ip::make_address("127.0.0.1"), 0});
    acceptor_.listen();
    asio::co_spawn(context_, accept(&acceptor_, state_), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }
  ~SmtpSink() {
    context_.stop();
    thread_.join();
  }
  SmtpSink(const SmtpSink&) = delete;
  SmtpSink& operator=(const SmtpSink&) = delete;

  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  [[nodiscard]] std::vector<Mail> mails() const {
    std::scoped_lock lock(state_->mutex);
    return state_->mails;
  }
  [[nodiscard]] int connections() const {
    std::scoped_lock lock(state_->mutex);
    return state_->connections;
  }
  [[nodiscard]] std::string transcript() const {
    std::scoped_lock lock(state_->mutex);
    return state_->transcript;
  }

 private:
  struct State {
    Script script;
    mutable std::mutex mutex;
    std::vector<Mail> mails;
    int connections = 0;
    std::string transcript;
  };
  struct Session {
    Session(asio::ip::tcp::socket socket, std::shared_ptr<State> s)
        : stream(std::move(socket)), state(std::move(s)) {}
    Stream stream;
    std::shared_ptr<State> state;
    std::string input;
    Mail mail;
    int number = 0;
    std::array<char, 4096> buffer{};
  };
  using Live = std::shared_ptr<Session>;

  static Task<void> accept(asio::ip::tcp::acceptor* acceptor, std::shared_ptr<State> state) {
    for (;;) {
      auto socket = co_await acceptor->async_accept(asio::use_awaitable);
      auto session = std::make_shared<Session>(std::move(socket), state);
      {
        std::scoped_lock lock(state->mutex);
        session->number = ++state->connections;
      }
      asio::co_spawn(acceptor->get_executor(), serve(session), asio::detached);
    }
  }
  static Task<bool> say(Live s, std::string line) {
    line += "\r\n";
    const auto sent = co_await s->stream.write_all(line);
    co_return sent.has_value();
  }
  /// Up to and with `end`; false when the peer went away.
  static Task<bool> take(Live s, std::string end, std::string* out) {
    for (;;) {
      const auto at = s->input.find(end);
      if (at != std::string::npos) {
        *out = s->input.substr(0, at + end.size());
        s->input.erase(0, at + end.size());
        co_return true;
      }
      const auto got = co_await s->stream.read_some(s->buffer);
      if (!got || *got == 0) co_return false;
      s->input.append(s->buffer.data(), *got);
    }
  }
  static std::string argument(const std::string& line) {
    const auto open = line.find('<');
    return line.substr(open + 1, line.find('>') - open - 1);
  }
  static std::string hello(const Session& s) {
    auto words = s.state->script.keywords;
    if (s.state->script.tls != Tls::none && !s.stream.is_tls()) words.push_back("STARTTLS");
    std::string out = words.empty() ? "250 sink" : "250-sink";
    for (std::size_t i = 0; i < words.size(); ++i)
      out += (i + 1 == words.size() ? "\r\n250 " : "\r\n250-") + words[i];
    return out;
  }
  static Task<bool> start_tls(Live s) {
    if (s->state->script.tls == Tls::broken) {
      co_await say(s, "220 go");
      co_await s->stream.read_some(s->buffer);  // its ClientHello
      co_await say(s, "this is no TLS record at all, whatever you think of it");
      co_return false;
    }
    co_await say(s, "220 go");
    const auto done = co_await s->stream.start_tls_server(s->state->script.context);
    s->input.clear();
    co_return done.has_value();
  }
  static Task<bool> take_body(Live s) {
    if (s->mail.recipients.empty()) co_return co_await say(s, "503 5.5.1 no recipients");
    if (const bool said = co_await say(s, "354 go"); !said) co_return false;
    std::string body;
    const bool whole = co_await take(s, "\r\n.\r\n", &body);
    if (!whole) co_return false;
    s->mail.body = body.substr(0, body.size() - 3);
    s->mail.tls = s->stream.is_tls();
    s->mail.connection = s->number;
    const auto reply = s->state->script.data(s->mail);
    if (reply.starts_with('2')) {
      std::scoped_lock lock(s->state->mutex);
      s->state->mails.push_back(s->mail);
    }
    s->mail = {};
    if (reply.empty()) co_return false;
    co_return co_await say(s, reply);
  }
  static Task<bool> answer(Live s, std::string line) {
    if (line.starts_with("EHLO")) co_return co_await say(s, hello(*s));
    if (line.starts_with("STARTTLS")) co_return co_await start_tls(s);
    if (line.starts_with("DATA")) co_return co_await take_body(s);
    if (line.starts_with("MAIL")) {
      s->mail = {};
      s->mail.from = argument(line);
      co_return co_await say(s, "250 2.1.0 ok");
    }
    if (line.starts_with("RCPT")) {
      const auto reply = s->state->script.rcpt(argument(line));
      if (reply.starts_with('2')) s->mail.recipients.push_back(argument(line));
      co_return co_await say(s, reply);
    }
    co_await say(s, line.starts_with("QUIT") ? "221 bye" : "250 ok");
    co_return !line.starts_with("QUIT");
  }
  static Task<void> serve(Live s) {
    bool go_on = co_await say(s, s->state->script.greeting);
    while (go_on) {
      std::string line;
      go_on = co_await take(s, "\r\n", &line);
      if (!go_on || s->state->script.hang_up(line, s->number)) break;
      {
        std::scoped_lock lock(s->state->mutex);
        s->state->transcript += line;
      }
      go_on = co_await answer(s, line);
    }
    s->stream.close();
  }

  std::shared_ptr<State> state_;
  asio::io_context context_{1};
  asio::ip::tcp::acceptor acceptor_{context_};
  std::thread thread_;
};

}  // namespace postern::test
