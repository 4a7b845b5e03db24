#include "tests/imap/test_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "core/log.hpp"
#include "imap/wire/literal.hpp"
#include "tests/support/temp_directory.hpp"

namespace postern::imap::test {

Options test_options() {
  Options options;
  options.hostname = "mail.test";
  options.plaintext_login = PlaintextLogin::allow;
  options.timeouts.login_delay = std::chrono::milliseconds(1);
  return options;
}

std::shared_ptr<const tls::Context> test_tls() {
  static const std::shared_ptr<const tls::Context> context = [] {
    const postern::test::TempDirectory directory;
    const auto made = tls::make_self_signed("mail.test").value();
    const auto certificate = directory.file("cert.pem");
    const auto key = directory.file("key.pem");
    std::ofstream(certificate) << made.certificate_pem;
    std::ofstream(key) << made.key_pem;
    return tls::Context::make_server(certificate, key).value();
  }();
  return context;
}

TestServer::TestServer(Options options, Security security, std::shared_ptr<Backend> backend)
    : server_(backend ? std::move(backend) : fake_, std::move(options), &registry_),
      security_(security) {
  log::configure(log::Level::error, log::Format::text, "");
  const asio::ip::tcp::endpoint address(asio::ip::address_v4::loopback(), 0);
  acceptor_.open(address.protocol());
  acceptor_.bind(address);
  acceptor_.listen();
  accept_next();
  thread_ = std::thread([this] { context_->run(); });
}

TestServer::~TestServer() {
  context_->stop();
  thread_.join();
}

std::uint16_t TestServer::port() const { return acceptor_.local_endpoint().port(); }

void TestServer::accept_next() {
  acceptor_.async_accept([this](boost::system::error_code error, asio::ip::tcp::socket socket) {
    if (error) return;
    server_.accept(std::move(socket), security_);
    accept_next();
  });
}

bool Response::has(std::string_view line) const {
  for (const auto& one : untagged) {
    if (one == line) return true;
  }
  return false;
}

std::string Response::find(std::string_view text) const {
  for (const auto& one : untagged) {
    if (one.contains(text)) return one;
  }
  return {};
}

std::string Response::all() const {
  std::string out;
  for (const auto& one : untagged) out += (out.empty() ? "" : "|") + one;
  return out;
}

Client::Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("cannot connect to the test server");
  }
}

Client::~Client() { close(); }

void Client::close() {
  SSL_free(tls_);
  SSL_CTX_free(tls_context_);
  tls_ = nullptr;
  tls_context_ = nullptr;
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

void Client::start_tls() {
  tls_context_ = SSL_CTX_new(TLS_client_method());
  tls_ = SSL_new(tls_context_);
  SSL_set_fd(tls_, fd_);
  if (SSL_connect(tls_) != 1) throw std::runtime_error("TLS handshake failed");
}

void Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = tls_ != nullptr
                          ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error("cannot send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::size_t Client::read_some(char* out, std::size_t size) {
  const auto got =
      tls_ != nullptr ? SSL_read(tls_, out, static_cast<int>(size)) : ::recv(fd_, out, size, 0);
  if (got < 0 && (tls_ == nullptr)) {
    if (errno == ECONNRESET) return 0;
    throw std::runtime_error("nothing came in time; so far: " + buffer_);
  }
  return got <= 0 ? 0 : static_cast<std::size_t>(got);
}

bool Client::fill() {
  char bytes[16384];
  const auto got = read_some(bytes, sizeof bytes);
  buffer_.append(bytes, got);
  return got > 0;
}

std::string Client::line() {
  std::size_t begin = 0;
  while (true) {
    const auto end = buffer_.find("\r\n", begin);
    if (end == std::string::npos) {
      if (!fill()) throw std::runtime_error("the server closed; so far: " + buffer_);
      continue;
    }
    const auto literal = find_literal(std::string_view(buffer_).substr(begin, end - begin));
    if (!literal) {
      auto out = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      return out;
    }
    begin = end + 2 + static_cast<std::size_t>(literal->size);
    while (buffer_.size() < begin) {
      if (!fill()) throw std::runtime_error("the server closed within a literal");
    }
  }
}

Response Client::until(std::string_view tag) {
  Response out;
  while (true) {
    auto one = line();
    if (one.starts_with(std::string(tag) + " ")) {
      out.tagged = one.substr(tag.size() + 1);
      return out;
    }
    out.untagged.push_back(one.starts_with("* ") ? one.substr(2) : one);
  }
}

Response Client::run(std::string_view text) {
  const auto tag = "t" + std::to_string(next_tag_++);
  send(tag + " " + std::string(text) + "\r\n");
  return until(tag);
}

void Client::log_in() {
  if (!line().starts_with("* OK")) throw std::runtime_error("no greeting");
  if (!run("LOGIN mrc secret").ok()) throw std::runtime_error("login failed");
}

void Client::select(std::string_view mailbox) {
  if (!run("SELECT " + std::string(mailbox)).ok()) throw std::runtime_error("select failed");
}

bool Client::closed() {
  while (fill()) {
  }
  return true;
}

std::string converse(Client& client, std::string_view script) {
  while (!script.empty()) {
    const auto end = script.find('\n');
    const auto text = script.substr(0, end);
    script.remove_prefix(end == std::string_view::npos ? script.size() : end + 1);
    if (text.starts_with("C: ")) client.send(std::string(text.substr(3)) + "\r\n");
    if (text.starts_with("S: ")) {
      const auto got = client.line();
      if (got != text.substr(3))
        return "expected: " + std::string(text.substr(3)) + "\ngot: " + got;
    }
  }
  return {};
}

}  // namespace postern::imap::test
