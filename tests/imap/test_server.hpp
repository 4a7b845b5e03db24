// A server on a loopback port with a fake backend, and a blocking client that speaks raw IMAP to
// it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "imap/options.hpp"
#include "imap/server.hpp"
#include "tests/imap/fake_backend.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace postern::imap::test {

/// Logins allowed without TLS, no delays: what most tests want.
Options test_options();
/// A server context with a fresh self-signed certificate, made once.
std::shared_ptr<const tls::Context> test_tls();

class TestServer {
 public:
  explicit TestServer(Options options = test_options(), Security security = Security::starttls,
                      std::shared_ptr<Backend> backend = nullptr);
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  FakeBackend& backend() { return *fake_; }
  SessionRegistry& registry() { return registry_; }
  /// For tests whose backend has threads: a thread that resumed a session may still be inside its
  /// post, so the context must outlive the backend.
  std::shared_ptr<asio::io_context> context() { return context_; }

 private:
  void accept_next();

  std::shared_ptr<asio::io_context> context_ = std::make_shared<asio::io_context>(1);
  asio::ip::tcp::acceptor acceptor_{*context_};
  std::shared_ptr<FakeBackend> fake_ = std::make_shared<FakeBackend>();
  SessionRegistry registry_{1000};
  Server server_;
  Security security_;
  std::thread thread_;
};

/// The responses up to and including a tagged one.
struct Response {
  std::vector<std::string> untagged;  ///< without "* ", each with its literals
  std::string tagged;                 ///< without the tag

  [[nodiscard]] bool ok() const { return tagged.starts_with("OK"); }
  [[nodiscard]] bool has(std::string_view line) const;
  /// The first untagged line that contains `text`, or "".
  [[nodiscard]] std::string find(std::string_view text) const;
  [[nodiscard]] std::string all() const;  ///< untagged lines joined by "|"
};

class Client {
 public:
  explicit Client(const TestServer& server) : Client(server.port()) {}
  explicit Client(std::uint16_t port);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes);
  /// One line without CRLF; literals are inside, with their `{n}` CRLF. Throws when nothing comes
  /// in time, or the server has closed.
  std::string line();
  /// Sends `tag text CRLF` with a fresh tag; reads up to the tagged response.
  Response run(std::string_view text);
  Response until(std::string_view tag);
  /// run("LOGIN mrc secret") after the greeting.
  void log_in();
  void select(std::string_view mailbox = "INBOX");
  /// True when the server has closed and nothing more comes.
  bool closed();
  void start_tls();
  void close();

 private:
  std::size_t read_some(char* out, std::size_t size);
  bool fill();

  int fd_ = -1;
  ssl_st* tls_ = nullptr;
  ssl_ctx_st* tls_context_ = nullptr;
  std::string buffer_;
  int next_tag_ = 1;
};

/// Runs a script: lines "C: ..." are sent, lines "S: ..." are expected, exactly. Blank lines are
/// skipped. Gives the first difference, or "".
std::string converse(Client& client, std::string_view script);

}  // namespace postern::imap::test
