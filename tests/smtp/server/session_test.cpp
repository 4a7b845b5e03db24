// Sessions over loopback sockets, plain and TLS, with a backend that remembers.
#include "smtp/server/session.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "core/encoding.hpp"
#include "core/listener.hpp"
#include "core/runtime.hpp"
#include "core/session_registry.hpp"

using namespace postern;
using namespace postern::smtp;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kPatience{10'000};

struct Stored {
  std::string text;
  std::string helo;
  std::string tls;
  std::string login;
};

// Accepts all but what it is told to refuse; lives on one io thread, is looked at from the test's.
class FakeBackend final : public Backend {
 public:
  Task<Outcome<Identity>> authenticate(const SessionInfo&,
                                       const Credentials& credentials) override {
    if (credentials.login == "ann" && credentials.password == "secret")
      co_return Identity{{}, {}, {}, "ann"};
    co_return refuse(535, {5, 7, 8}, "Wrong");
  }
  Task<Outcome<>> check_sender(const SessionInfo&, const Envelope& envelope) override {
    if (envelope.return_path.local == "throw") throw std::runtime_error("bug");
    co_return Outcome<>{};
  }
  Task<Outcome<>> check_recipient(const SessionInfo&, const Envelope&,
                                  const Recipient& recipient) override {
    if (recipient.path.local == "no") co_return refuse(550, {5, 1, 1}, "No such user");
    co_return Outcome<>{};
  }
  Task<Outcome<std::unique_ptr<MessageSink>>> begin_message(const SessionInfo& session,
                                                            const Envelope&) override;

  std::vector<Stored> stored() {
    std::scoped_lock lock(mutex_);
    return stored_;
  }
  void store(Stored message) {
    std::scoped_lock lock(mutex_);
    stored_.push_back(std::move(message));
  }

 private:
  std::mutex mutex_;
  std::vector<Stored> stored_;
};

class FakeSink final : public MessageSink {
 public:
  FakeSink(FakeBackend& backend, const SessionInfo& session)
      : backend_(backend),
        message_{{},
                 session.hello.name,
                 session.tls.version,
                 session.identity ? session.identity->login : ""} {}
  Task<Outcome<>> append(std::string_view bytes) override {
    message_.text += bytes;
    co_return Outcome<>{};
  }
  Task<Reply> commit() override {
    backend_.store(std::move(message_));
    co_return Reply{250, {2, 0, 0}, "queued as 1"};
  }

 private:
  FakeBackend& backend_;
  Stored message_;
};

Task<Outcome<std::unique_ptr<MessageSink>>> FakeBackend::begin_message(const SessionInfo& session,
                                                                       const Envelope&) {
  std::unique_ptr<MessageSink> sink = std::make_unique<FakeSink>(*this, session);
  co_return sink;
}

std::shared_ptr<const tls::Context> server_tls() {
  static const auto context = [] {
    const auto made = tls::make_self_signed("localhost");
    REQUIRE(made);
    const auto base =
        std::filesystem::temp_directory_path() / ("postern-smtp-" + std::to_string(::getpid()));
    const std::string certificate = base.string() + ".crt";
    const std::string key = base.string() + ".key";
    std::ofstream(certificate) << made->certificate_pem;
    std::ofstream(key) << made->key_pem;
    auto loaded = tls::Context::make_server(certificate, key);
    std::filesystem::remove(certificate);
    std::filesystem::remove(key);
    REQUIRE(loaded);
    return *loaded;
  }();
  return context;
}

// A listener of one kind on a free loopback port.
class Server {
 public:
  explicit Server(std::shared_ptr<ServerConfig> config, std::size_t sessions = 100)
      : registry(sessions), config_(std::move(config)), runtime_(1) {
    auto bound = Listener::bind(runtime_, {asio::ip::make_address("127.0.0.1"), 0},
                                [this](asio::ip::tcp::socket socket, std::size_t) {
                                  start_session(std::make_unique<Stream>(std::move(socket)),
                                                backend, config_, registry);
                                });
    REQUIRE(bound);
    listener_ = std::move(*bound);
    runtime_.start();
    listener_->start();
  }
  ~Server() {
    listener_->stop_accepting();
    runtime_.stop();
  }
  [[nodiscard]] asio::ip::tcp::endpoint address() const { return listener_->address(); }
  bool wait_for_sessions(std::size_t count) const {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (registry.live() != count) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(milliseconds(1));
    }
    return true;
  }

  FakeBackend backend;
  SessionRegistry registry;

 private:
  std::shared_ptr<ServerConfig> config_;
  Runtime runtime_;
  std::unique_ptr<Listener> listener_;
};

std::shared_ptr<ServerConfig> make(Kind kind) {
  auto config = std::make_shared<ServerConfig>();
  config->hostname = "mx.example";
  config->kind = kind;
  config->tls = server_tls();
  config->limits.auth_delay = milliseconds(1);
  return config;
}

// A client that does one thing at a time and waits for it, with a bound.
class Client {
 public:
  explicit Client(const Server& server) {
    asio::ip::tcp::socket socket(context_);
    socket.connect(server.address());
    stream_ = std::make_unique<Stream>(std::move(socket));
  }

  void send(std::string_view bytes) { REQUIRE(complete(stream_->write_all(bytes))); }
  void start_tls() {
    auto context = tls::Context::make_client(tls::Context::Verify::none);
    REQUIRE(context);
    REQUIRE(complete(stream_->start_tls_client(*context, "localhost")));
  }

  /// One whole reply, or "" when the server closed.
  std::string reply() {
    for (;;) {
      if (auto whole = take_reply(); !whole.empty()) return whole;
      char buffer[4096];
      const auto count = complete(stream_->read_some(buffer));
      if (!count || *count == 0) return {};
      received_.append(buffer, *count);
    }
  }
  std::string ask(std::string_view line) {
    send(line);
    return reply();
  }
  bool at_end() { return reply().empty(); }
  void close() { stream_->close(); }

 private:
  template <class T>
  T complete(Task<T> task) {
    std::optional<T> result;
    asio::co_spawn(context_, std::move(task),
                   [&result](const std::exception_ptr&, T value) { result = std::move(value); });
    context_.restart();
    context_.run_for(kPatience);
    REQUIRE(result);
    return std::move(*result);
  }

  std::string take_reply() {
    for (std::size_t at = 0;;) {
      const auto end = received_.find("\r\n", at);
      if (end == std::string::npos) return {};
      if (received_[at + 3] == ' ') {
        std::string whole = received_.substr(0, end + 2);
        received_.erase(0, end + 2);
        return whole;
      }
      at = end + 2;
    }
  }

  asio::io_context context_;
  std::unique_ptr<Stream> stream_;
  std::string received_;
};

std::string plain(const std::string& password) {
  return "AUTH PLAIN " + base64_encode(std::string("\0ann\0", 5) + password) + "\r\n";
}

const std::string kHello = "EHLO c.example\r\n";
const std::string kOpen = "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\n";

}  // namespace

TEST_CASE("session_takes_a_message") {
  Server server(make(Kind::mx));
  Client client(server);
  CHECK(client.reply() == "220 mx.example ESMTP Postern\r\n");
  CHECK(client.ask(kHello).starts_with("250-mx.example greets 127.0.0.1\r\n"));
  client.send(kOpen + "DATA\r\n");
  CHECK(client.reply() == "250 2.1.0 Sender ok\r\n");
  CHECK(client.reply() == "250 2.1.5 Recipient ok\r\n");
  CHECK(client.reply().starts_with("354 "));
  CHECK(client.ask("Subject: x\r\n\r\n..body\r\n.\r\n") == "250 2.0.0 queued as 1\r\n");
  CHECK(client.ask("QUIT\r\n") == "221 2.0.0 Bye\r\n");
  CHECK(client.at_end());
  REQUIRE(server.backend.stored().size() == 1);
  CHECK(server.backend.stored()[0].text == "Subject: x\r\n\r\n.body\r\n");
  CHECK(server.wait_for_sessions(0));
}

TEST_CASE("session_takes_a_large_message_by_data_and_bdat") {
  Server server(make(Kind::mx));
  Client client(server);
  client.reply();
  client.ask(kHello);
  std::string text = "Subject: x\r\n\r\n";
  while (text.size() < 5'000'000)
    text += "The quick brown fox jumps over the lazy dog, again and again.\r\n";
  client.send(kOpen + "DATA\r\n");
  for (int i = 0; i < 3; ++i) client.reply();
  CHECK(client.ask(text + ".\r\n").starts_with("250 2.0.0"));
  client.send(kOpen);
  client.reply();
  client.reply();
  client.send("BDAT 1000000\r\n" + text.substr(0, 1'000'000));
  CHECK(client.reply().starts_with("250 2.0.0 1000000"));
  CHECK(client
            .ask("BDAT " + std::to_string(text.size() - 1'000'000) + " LAST\r\n" +
                 text.substr(1'000'000))
            .starts_with("250 2.0.0"));
  REQUIRE(server.backend.stored().size() == 2);
  CHECK(server.backend.stored()[0].text == text);
  CHECK(server.backend.stored()[1].text == text);
}

TEST_CASE("session_starttls_then_login_and_submission") {
  Server server(make(Kind::submission));
  Client client(server);
  client.reply();
  CHECK(client.ask(kHello).find("250-STARTTLS\r\n") != std::string::npos);
  CHECK(client.ask(plain("secret")).starts_with("538"));
  CHECK(client.ask("STARTTLS\r\n").starts_with("220"));
  client.start_tls();
  CHECK(client.ask("MAIL FROM:<a@x>\r\n").starts_with("503"));
  CHECK(client.ask(kHello).find("250-AUTH PLAIN LOGIN\r\n") != std::string::npos);
  CHECK(client.ask("MAIL FROM:<a@x>\r\n").starts_with("530"));
  CHECK(client.ask(plain("wrong")).starts_with("535"));
  CHECK(client.ask(plain("secret")).starts_with("235"));
  client.send(kOpen + "DATA\r\n");
  for (int i = 0; i < 3; ++i) client.reply();
  CHECK(client.ask("x\r\n.\r\n").starts_with("250"));
  REQUIRE(server.backend.stored().size() == 1);
  CHECK(server.backend.stored()[0].login == "ann");
  CHECK(server.backend.stored()[0].helo == "c.example");
  CHECK(server.backend.stored()[0].tls.starts_with("TLSv1."));
}

TEST_CASE("session_implicit_tls") {
  Server server(make(Kind::submissions));
  Client client(server);
  client.start_tls();
  CHECK(client.reply().starts_with("220"));
  const std::string hello = client.ask(kHello);
  CHECK(hello.find("STARTTLS") == std::string::npos);
  CHECK(hello.find("AUTH PLAIN LOGIN") != std::string::npos);
  CHECK(client.ask(plain("secret")).starts_with("235"));
}

TEST_CASE("session_plain_words_to_implicit_tls_end_it") {
  Server server(make(Kind::submissions));
  Client client(server);
  client.send(kHello);
  client.reply();
  CHECK(server.wait_for_sessions(0));
}

TEST_CASE("session_input_before_the_handshake_is_never_run") {
  Server server(make(Kind::submission));
  Client client(server);
  client.reply();
  client.ask(kHello);
  CHECK(client.ask("STARTTLS\r\nNOOP\r\n").starts_with("421"));
  CHECK(client.at_end());
}

TEST_CASE("session_idle_client_gets_421") {
  auto config = make(Kind::mx);
  config->limits.idle = milliseconds(50);
  Server server(config);
  Client client(server);
  CHECK(client.reply().starts_with("220"));
  CHECK(client.reply().starts_with("421 4.4.2"));
  CHECK(client.at_end());
  CHECK(server.wait_for_sessions(0));
}

TEST_CASE("session_stalled_data_gets_421_and_nothing_is_stored") {
  for (const bool total : {true, false}) {
    auto config = make(Kind::mx);
    (total ? config->limits.data_grace : config->limits.data_idle) = milliseconds(50);
    Server server(config);
    Client client(server);
    client.reply();
    client.ask(kHello);
    client.send(kOpen + "DATA\r\n");
    for (int i = 0; i < 3; ++i) client.reply();
    client.send("half a li");
    CHECK(client.reply().starts_with("421 4.4.2"));
    CHECK(client.at_end());
    CHECK(server.wait_for_sessions(0));
    CHECK(server.backend.stored().empty());
  }
}

TEST_CASE("session_tls_handshake_has_a_deadline") {
  auto config = make(Kind::submissions);
  config->limits.handshake = milliseconds(50);
  Server server(config);
  Client client(server);
  CHECK(client.at_end());
  CHECK(server.wait_for_sessions(0));
}

TEST_CASE("session_client_leaving_at_any_step_leaves_nothing") {
  Server server(make(Kind::mx));
  const std::string whole = kHello + kOpen + "DATA\r\nSubject: x\r\n\r\nbody\r\n.\r";
  for (std::size_t n = 0; n <= whole.size(); n += 3) {
    Client client(server);
    client.send(whole.substr(0, n));
    client.close();
  }
  CHECK(server.wait_for_sessions(0));
  CHECK(server.backend.stored().empty());
}

TEST_CASE("session_too_many_connections_get_421") {
  Server server(make(Kind::mx), 1);
  Client first(server);
  first.reply();
  Client second(server);
  CHECK(second.reply().starts_with("421 4.3.2"));
  CHECK(second.at_end());
  CHECK(first.ask("NOOP\r\n").starts_with("250"));
}

TEST_CASE("session_drains_idle_at_once_and_busy_after_its_message") {
  Server server(make(Kind::mx));
  Client idle(server);
  idle.reply();
  idle.ask(kHello);
  Client busy(server);
  busy.reply();
  busy.ask(kHello);
  busy.send(kOpen + "DATA\r\n");
  for (int i = 0; i < 3; ++i) busy.reply();
  server.registry.drain();
  CHECK(idle.reply().starts_with("421 4.3.2"));
  CHECK(idle.at_end());
  CHECK(busy.ask("x\r\n.\r\n").starts_with("250"));
  CHECK(busy.reply().starts_with("421 4.3.2"));
  CHECK(busy.at_end());
  CHECK(server.wait_for_sessions(0));
  CHECK(server.backend.stored().size() == 1);
}

TEST_CASE("session_open_transaction_does_not_hold_up_draining") {
  auto config = make(Kind::mx);
  config->limits.drain = milliseconds(50);
  Server server(config);
  Client client(server);
  client.reply();
  client.ask(kHello);
  client.ask("MAIL FROM:<a@x>\r\n");
  server.registry.drain();
  CHECK(client.reply().starts_with("421"));
  CHECK(server.wait_for_sessions(0));
}

TEST_CASE("session_backend_exception_drops_that_session_alone") {
  Server server(make(Kind::mx));
  Client client(server);
  client.reply();
  client.ask(kHello);
  client.send("MAIL FROM:<throw@x>\r\n");
  CHECK(client.at_end());
  Client other(server);
  CHECK(other.reply().starts_with("220"));
}

TEST_CASE("session_banner_delay_catches_early_talkers") {
  auto config = make(Kind::mx);
  config->banner_delay = milliseconds(100);
  Server counted(config);
  Client patient(counted);
  CHECK(patient.reply().starts_with("220"));
  CHECK(patient.ask(kHello).starts_with("250"));
  Client early(counted);
  early.send(kHello);
  CHECK(early.reply().starts_with("220"));
  CHECK(early.reply().starts_with("250"));

  auto strict = make(Kind::mx);
  strict->banner_delay = milliseconds(5'000);
  strict->early_talk = EarlyTalk::refused;
  Server refusing(strict);
  Client refused(refusing);
  refused.send(kHello);
  CHECK(refused.reply().starts_with("554"));
  CHECK(refused.at_end());
}

TEST_CASE("session_client_that_does_not_read_is_cut_off") {
  auto config = make(Kind::mx);
  config->limits.write = milliseconds(200);
  config->limits.idle_commands = 100'000'000;
  Server server(config);
  asio::io_context context;
  asio::ip::tcp::socket socket(context, asio::ip::tcp::v4());
  socket.set_option(asio::socket_base::receive_buffer_size(4096));
  socket.connect(server.address());
  std::string flood;
  for (int i = 0; i < 20'000; ++i) flood += kHello;
  // Sends until the server is gone; never reads. The server's own send buffer has to fill first.
  boost::system::error_code error;
  socket.non_blocking(true);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    socket.write_some(asio::buffer(flood), error);
    if (error && error != asio::error::would_block) break;
    if (error) std::this_thread::sleep_for(milliseconds(5));
  }
  CHECK(server.wait_for_sessions(0));
}
