#include "web/http/session.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

#include "core/log.hpp"
#include "tests/core/sockets.hpp"
#include "tests/support/eventually.hpp"

using namespace postern;
using namespace postern::web;
using namespace postern::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kAll = 1 << 20;

// Echoes the path; "/empty" has nothing to say, "/long" much. While it is held it doesn't answer.
struct Stub final : Application {
  std::vector<Request> seen;
  bool held = false;

  Task<Response> answer(Request request) override {
    seen.push_back(request);
    const auto executor = co_await asio::this_coro::executor;
    while (held) co_await asio::post(executor, asio::use_awaitable);
    if (request.path == "/empty") co_return no_content();
    Response response;
    response.content_type = "text/plain";
    response.body = request.path == "/long" ? std::string(5000, 'x') : request.path;
    response.headers.emplace_back("X-Own", "yes");
    co_return response;
  }
};

struct Server {
  Server() { log::configure(log::Level::error, log::Format::text, ""); }

  Stub application;
  SessionRegistry registry{2};
  asio::io_context context{1};
  HttpOptions options{{}, {Door::http, Transport::plain, "192.0.2.1", 7}, {}};

  Stream connect() {
    auto pair = connected_sockets(context);
    start_http_session(std::make_unique<Stream>(std::move(pair.server)), options, application,
                       registry);
    return Stream(std::move(pair.client));
  }
  void send(Stream& client, std::string_view bytes) {
    REQUIRE(run_task(context, client.write_all(bytes)));
  }
  /// All that comes until the server closes.
  std::string rest(Stream& client) { return run_task(context, read_exactly(client, kAll)); }
  /// What comes until `end` does.
  std::string until(Stream& client, std::string_view end) {
    std::string all;
    while (!all.ends_with(end)) {
      const auto byte = run_task(context, read_exactly(client, 1));
      if (byte.empty()) return all + "(closed)";
      all += byte;
    }
    return all;
  }
  std::string exchange(std::string_view bytes) {
    auto client = connect();
    send(client, bytes);
    return rest(client);
  }
};

std::string request_for(std::string_view path, std::string_view more = "") {
  return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n{}\r\n", path, more);
}
constexpr std::string_view kLast = "Connection: close\r\n";

}  // namespace

TEST_CASE("answer_of_204_has_no_length_no_type_and_no_body") {
  Server server;
  const auto answer = server.exchange(request_for("/empty", kLast));
  CHECK(answer.starts_with("HTTP/1.1 204 No Content\r\n"));
  CHECK_FALSE(answer.contains("Content-Length"));  // RFC 9110 §8.6
  CHECK_FALSE(answer.contains("Content-Type"));
  CHECK(answer.find("\r\n\r\n") == answer.size() - 4);
}

TEST_CASE("answer_to_head_has_the_length_of_gets_body_and_none") {
  Server server;
  const auto answer =
      server.exchange("HEAD /path HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  CHECK(answer.contains("\r\nContent-Length: 5\r\n"));  // RFC 9110 §9.3.2
  CHECK(answer.find("\r\n\r\n") == answer.size() - 4);
  REQUIRE(server.application.seen.size() == 1);
  CHECK(server.application.seen[0].method == Method::get);
  const auto longer = server.exchange(
      "HEAD /long HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
  CHECK(longer.contains("Content-Encoding: gzip"));
  CHECK_FALSE(longer.contains("Content-Length: 5000"));
}

TEST_CASE("connection_is_kept_until_the_client_says_close") {
  Server server;
  auto client = server.connect();
  server.send(client, request_for("/one"));
  auto answer = server.until(client, "/one");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.contains("\r\nConnection: keep-alive\r\n"));
  CHECK(answer.contains("\r\nX-Own: yes\r\n"));
  server.send(client, request_for("/two", kLast));
  answer = server.rest(client);
  CHECK(answer.ends_with("\r\n\r\n/two"));
  CHECK(answer.contains("\r\nConnection: close\r\n"));
  CHECK(eventually(server.context, [&] { return server.registry.live() == 0; }));
  CHECK(server.exchange("GET /old HTTP/1.0\r\n\r\n").contains("\r\nConnection: close\r\n"));
}

TEST_CASE("pipelined_requests_are_answered_in_order") {
  Server server;
  server.application.held = true;
  auto client = server.connect();
  server.send(client, request_for("/1") + request_for("/2") + request_for("/3", kLast) +
                          request_for("/after-close"));
  CHECK(eventually(server.context, [&] { return server.application.seen.size() == 1; }));
  for (int i = 0; i < 100; ++i) server.context.run_one_for(1ms);
  CHECK(server.application.seen.size() == 1);  // one at a time
  server.application.held = false;
  const auto answers = server.rest(client);
  const auto first = answers.find("\r\n\r\n/1HTTP/1.1 200");
  const auto second = answers.find("\r\n\r\n/2HTTP/1.1 200");
  CHECK(first < second);
  CHECK(second != std::string::npos);
  CHECK(answers.ends_with("\r\n\r\n/3"));
  CHECK(server.application.seen.size() == 3);
}

TEST_CASE("drain_lets_a_busy_session_answer_and_then_closes_it") {
  Server server;
  server.application.held = true;
  auto client = server.connect();
  server.send(client, request_for("/slow") + request_for("/next"));
  REQUIRE(eventually(server.context, [&] { return server.application.seen.size() == 1; }));
  server.registry.drain();
  for (int i = 0; i < 100; ++i) server.context.run_one_for(1ms);
  server.application.held = false;
  const auto answer = server.rest(client);
  CHECK(answer.ends_with("\r\n\r\n/slow"));
  CHECK(answer.contains("\r\nConnection: close\r\n"));  // RFC 9112 §9.6
  CHECK(server.application.seen.size() == 1);
}

TEST_CASE("drain_closes_an_idle_session_at_once") {
  Server server;
  auto client = server.connect();
  server.send(client, request_for("/one"));
  server.until(client, "/one");
  server.registry.drain();
  CHECK(server.rest(client).empty());
}

TEST_CASE("requests_carry_their_peer_and_an_id_that_the_answer_echoes") {
  Server server;
  auto client = server.connect();
  server.send(client, request_for("/1") + request_for("/2", kLast));
  const auto answers = server.rest(client);
  const auto& seen = server.application.seen;
  REQUIRE(seen.size() == 2);
  for (const auto& request : seen) {
    CHECK(request.peer.door == Door::http);
    CHECK(request.peer.transport == Transport::plain);
    CHECK(request.peer.address == "192.0.2.1");
    CHECK(request.peer.uid == 7);
    CHECK(answers.contains("\r\nX-Request-Id: " + request.id + "\r\n"));
  }
  CHECK(seen[0].id != seen[1].id);
}

TEST_CASE("refusal_of_the_parser_is_a_problem_with_security_headers") {
  Server server;
  server.options.limits.header_bytes = 1024;
  server.options.peer.transport = Transport::tls;
  const auto large =
      server.exchange(request_for("/", "X-Long: " + std::string(2000, 'x') + "\r\n"));
  CHECK(large.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
  for (const auto* header :
       {"Content-Type: application/problem+json", "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: default-src 'none'",
        "Strict-Transport-Security: max-age=", "Cache-Control: no-store", "Connection: close"}) {
    INFO(header);
    CHECK(large.contains("\r\n" + std::string(header)));
  }
  const auto broken = server.exchange("NONSENSE\r\n\r\n" + request_for("/smuggled"));
  CHECK(broken.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(broken.find("HTTP/1.1 ", 1) == std::string::npos);
  CHECK(server.application.seen.empty());
}

TEST_CASE("connection_beyond_the_limit_is_told_so") {
  Server server;
  auto first = server.connect();
  auto second = server.connect();
  auto third = server.connect();
  const auto refusal = server.until(third, "}\n");
  CHECK(refusal.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(refusal.contains("\r\nRetry-After: "));
  CHECK(refusal.contains("\r\nX-Content-Type-Options: nosniff\r\n"));
  third.close();
  server.send(first, request_for("/still", kLast));
  CHECK(server.rest(first).ends_with("/still"));
  CHECK(eventually(server.context, [&] { return server.registry.live() == 1; }));
  CHECK(server.exchange(request_for("/room", kLast)).ends_with("/room"));
}

TEST_CASE("request_that_never_ends_is_cut_off_although_bytes_keep_coming") {
  Server server;
  server.options.request_timeout = 100ms;
  auto client = server.connect();
  server.send(client, "GET / HTTP/1.1\r\n");
  const auto start = std::chrono::steady_clock::now();
  bool open = true;
  while (open && std::chrono::steady_clock::now() - start < 10s) {
    open = run_task(server.context, client.write_all("x")).has_value() &&
           !eventually(server.context, [&] { return server.registry.live() == 0; }, 5ms);
  }
  CHECK_FALSE(open);
  CHECK(std::chrono::steady_clock::now() - start >= 90ms);
  CHECK(server.application.seen.empty());
}

TEST_CASE("answer_that_takes_too_long_ends_the_connection") {
  Server server;
  server.options.request_timeout = 20ms;
  server.application.held = true;
  auto client = server.connect();
  server.send(client, request_for("/slow"));
  CHECK(server.rest(client).empty());
  CHECK(server.application.seen.size() == 1);
  server.application.held = false;
  CHECK(eventually(server.context, [&] { return server.registry.live() == 0; }));
}
