#include "web/http/session.hpp"

#include <boost/asio/co_spawn.hpp>

#include "core/log.hpp"
#include "core/watchdog.hpp"
#include "web/http/compression.hpp"
#include "web/http/security_headers.hpp"

namespace postern::web {

namespace {

constexpr std::size_t kReadSize = 16 * 1024;
constexpr std::chrono::seconds kRefusalTime{1};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(std::unique_ptr<Stream> stream, HttpOptions options, Application& application)
      : stream_(std::move(stream)),
        options_(std::move(options)),
        application_(application),
        parser_(options.limits),
        watchdog_(stream_->executor(), [this] { stream_->close(); }) {}

  void hold(SessionRegistry::Guard guard) { guard_.emplace(std::move(guard)); }
  void drain() {
    draining_ = true;
    if (!busy_) stream_->close();
  }
  Stream& stream() { return *stream_; }
  Task<void> run(std::shared_ptr<HttpSession> self);
  /// Over the limit of sessions, or draining: says so without looking at the request.
  Task<void> refuse(std::shared_ptr<HttpSession> self);

 private:
  Task<bool> read_request();
  Task<bool> answer();
  enum class After : std::uint8_t { keep_alive, close };
  struct Form {
    After after = After::close;
    Content content = Content::sent;
    std::string request_id{};
  };
  Task<bool> send(Response response, Form form);

  std::unique_ptr<Stream> stream_;
  HttpOptions options_;
  Application& application_;
  RequestParser parser_;
  Watchdog watchdog_;
  std::optional<SessionRegistry::Guard> guard_;
  std::string input_;
  bool draining_ = false;
  bool busy_ = false;
};

std::string_view reason(unsigned status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
  }
}

// True when the connection goes on.
Task<bool> HttpSession::send(Response response, Form form) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
  // RFC 9110 §8.6: none of these says a length.
  if (response.status != 204 && response.status != 304) {
    head += fmt::format("Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type,
                        response.body.size());
  }
  if (!form.request_id.empty()) head += fmt::format("X-Request-Id: {}\r\n", form.request_id);
  for (const auto& [name, value] : response.headers) head += fmt::format("{}: {}\r\n", name, value);
  const bool goes_on = form.after == After::keep_alive;
  head += goes_on ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
  head += "\r\n";
  if (form.content == Content::sent) head += response.body;
  auto sent = co_await stream_->write_all(head);
  co_return sent.has_value() && goes_on;
}

// False when the connection is over; true when parser_ holds a whole request.
Task<bool> HttpSession::read_request() {
  watchdog_.arm(options_.idle_timeout);
  bool begun = false;
  for (;;) {
    std::size_t consumed = 0;
    const auto state = parser_.feed(input_, consumed);
    input_.erase(0, consumed);
    if (state == RequestParser::State::complete) co_return true;
    if (state == RequestParser::State::failed) {
      Response refusal = problem(parser_.failure_status(), reason(parser_.failure_status()),
                                 "the request is not one this server takes");
      add_security_headers(refusal, options_.peer.transport);
      co_await send(std::move(refusal), {});
      co_return false;
    }
    // Once a request: a client that sends a byte now and then must not hold the connection.
    if (parser_.started() && !std::exchange(begun, true)) watchdog_.arm(options_.request_timeout);
    const auto old = input_.size();
    input_.resize(old + kReadSize);
    auto got = co_await stream_->read_some(std::span<char>(input_).subspan(old));
    input_.resize(old + (got ? *got : 0));
    if (!got || *got == 0) co_return false;
  }
}

Task<bool> HttpSession::answer() {
  Form form;
  form.after = parser_.keep_alive() ? After::keep_alive : After::close;
  Request request = parser_.take();
  form.content = request.content;
  form.request_id = request.id;
  const auto started = std::chrono::steady_clock::now();
  const std::string_view method = to_string(request.method);
  const std::string path = request.path;
  const auto accepted = accepted_encodings(request);
  request.peer = options_.peer;
  Response response = co_await application_.answer(std::move(request));
  if (draining_) form.after = After::close;  // it began meanwhile
  compress(response, accepted);
  const auto elapsed = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - started);
  log::info("http_request", {{"id", form.request_id},
                             {"method", method},
                             {"path", path},
                             {"status", response.status},
                             {"peer", options_.peer.address},
                             {"us", elapsed.count()}});
  co_return co_await send(std::move(response), std::move(form));
}

Task<void> HttpSession::run(std::shared_ptr<HttpSession> self) {
  bool more = true;
  if (options_.tls) {
    watchdog_.arm(options_.request_timeout);
    auto started = co_await stream_->start_tls_server(options_.tls);
    more = started.has_value();
  }
  while (more && !draining_) {
    busy_ = false;
    const bool have = co_await read_request();
    if (!have) break;
    busy_ = true;
    watchdog_.arm(options_.request_timeout);
    more = co_await answer();
  }
  watchdog_.stop();
  stream_->close();
  self.reset();
}

Task<void> HttpSession::refuse(std::shared_ptr<HttpSession> self) {
  watchdog_.arm(kRefusalTime);
  if (!options_.tls) {  // a handshake would cost more than the refusal is worth
    Response refusal = problem(503, "Service Unavailable", "too many connections, try again soon");
    add_security_headers(refusal, options_.peer.transport);
    co_await send(std::move(refusal), {});
    // A client that finds the connection closed while it writes may not read the answer.
    input_.resize(kReadSize);
    for (auto got = co_await stream_->read_some(input_); got && *got > 0;)
      got = co_await stream_->read_some(input_);
  }
  watchdog_.stop();
  stream_->close();
  self.reset();
}

void finished(const std::exception_ptr& error) {
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    log::error("http_session_failed", {{"error", e.what()}});
  }
}

}  // namespace

void start_http_session(std::unique_ptr<Stream> stream, HttpOptions options,
                        Application& application, SessionRegistry& registry) {
  auto session = std::make_shared<HttpSession>(std::move(stream), std::move(options), application);
  auto executor = session->stream().executor();
  std::weak_ptr<HttpSession> weak = session;
  auto guard = registry.enter(executor, [weak] {
    if (auto held = weak.lock()) held->drain();
  });
  if (!guard) {
    asio::co_spawn(executor, session->refuse(session),
                   [](std::exception_ptr error) { finished(error); });
    return;
  }
  session->hold(std::move(*guard));
  asio::co_spawn(executor, session->run(session),
                 [](std::exception_ptr error) { finished(error); });
}

}  // namespace postern::web
