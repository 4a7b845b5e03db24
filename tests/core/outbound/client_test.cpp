// The client against servers of its own machine: answers good and bad, limits, time.
#include "core/outbound/client.hpp"

#include <catch2/catch.hpp>

#include "tests/core/outbound/client_fixture.hpp"

namespace {
using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string of_length(std::size_t size) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
         std::string(size, 'x');
}
}  // namespace

TEST_CASE("client_get_sends_one_request_and_returns_the_answer", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, hook_files().server(),
                    "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nX-Two: a\r\nX-Two: b\r\n"
                    "Content-Length: 5\r\n\r\nhello");
  auto request = get(server.url("/a/b?c=d#e"));
  request.headers = {{"X-Event", "bounce", {}}};
  const auto response = f.fetch(request);
  REQUIRE(response);
  CHECK(response->status == 201);
  CHECK(response->body == "hello");
  CHECK(response->header("content-type") == "text/plain");
  CHECK(response->count("x-two") == 2);
  CHECK(response->redirects == 0);
  REQUIRE(server.state().requests.size() == 1);
  CHECK(server.state().requests[0] ==
        "GET /a/b?c=d HTTP/1.1\r\nHost: hook.example.test:" + std::to_string(server.port()) +
            "\r\nUser-Agent: Test/1\r\nAccept-Encoding: identity\r\nConnection: close\r\n"
            "X-Event: bounce\r\n\r\n");
}

TEST_CASE("client_reads_the_head_alone_when_nothing_else_is_asked_for", "[outbound]") {
  ClientFixture f;
  f.options.limits.body_bytes = 10;
  const std::pair<std::string, bool> cases[] = {
      {of_length(5), false},
      {of_length(1'000'000), false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", true},
      {"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", true}};
  for (const auto& [answer, hangs] : cases) {
    CAPTURE(answer.substr(0, 60));
    TestServer server(f.io, hook_files().server(), answer);
    server.state().hangs = hangs;
    auto request = post(server.url(), "x");
    request.answer = OutboundAnswer::head;
    const auto response = f.fetch(request);
    REQUIRE(response);
    CHECK(response->status == 200);
    CHECK(response->body.empty());
  }
  TestServer server(f.io, hook_files().server(), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n");
  auto request = get(server.url());
  request.answer = OutboundAnswer::head;
  CHECK(f.failure(request) == Errc::io);  // not even the head
}

TEST_CASE("client_post_put_and_delete_send_their_bodies", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, hook_files().server(), kOk);
  const std::string body(100'000, 'b');
  CHECK(f.fetch(post(server.url(), body)));
  auto put = post(server.url(), "");
  put.method = OutboundMethod::put;
  CHECK(f.fetch(put));
  auto del = get(server.url());
  del.method = OutboundMethod::del;
  CHECK(f.fetch(del));
  const auto& seen = server.state().requests;
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].starts_with("POST / HTTP/1.1\r\n"));
  CHECK(seen[0].find("\r\nContent-Length: 100000\r\n") != std::string::npos);
  CHECK(seen[0].ends_with("\r\n\r\n" + body));
  CHECK(seen[1].starts_with("PUT / "));
  CHECK(seen[1].ends_with("Content-Length: 0\r\n\r\n"));
  CHECK(seen[2].starts_with("DELETE / "));
  CHECK(seen[2].find("Content-Length") == std::string::npos);
}

TEST_CASE("client_reads_every_framing_however_it_is_sliced", "[outbound]") {
  const char* answers[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-T: 1\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\nhello world",
      "HTTP/1.0 200 OK\r\n\r\nhello world",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world",
  };
  for (const char* answer : answers) {
    for (const bool drips : {false, true}) {
      CAPTURE(answer, drips);
      ClientFixture f;
      TestServer server(f.io, hook_files().server(), answer);
      server.state().drips = drips;
      const auto response = f.fetch(get(server.url()));
      REQUIRE(response);
      CHECK(response->status == 200);
      CHECK(response->body == "hello world");
    }
  }
}

TEST_CASE("client_does_not_wait_for_the_peer_to_close_when_the_answer_is_whole", "[outbound]") {
  ClientFixture f;
  for (const char* answer : {kOk, "HTTP/1.1 204 No Content\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    CAPTURE(answer);
    TestServer server(f.io, hook_files().server(), answer);
    server.state().hangs = true;
    CHECK(f.fetch(get(server.url())));
  }
}

TEST_CASE("client_body_at_below_and_above_its_limit", "[outbound]") {
  ClientFixture f;
  f.options.limits.body_bytes = 1'000;
  const auto fetched = [&f](const std::string& answer) {
    TestServer server(f.io, hook_files().server(), answer);
    return f.failure(get(server.url()));
  };
  const auto chunked = [](std::size_t size) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\ny\r\n" +
           fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", size - 1, std::string(size - 1, 'x'));
  };
  const auto endless = [](std::size_t size) {
    return "HTTP/1.1 200 OK\r\n\r\n" + std::string(size, 'x');
  };
  for (const std::size_t size : {999U, 1'000U}) {
    CHECK_FALSE(fetched(of_length(size)));
    CHECK_FALSE(fetched(chunked(size)));
    CHECK_FALSE(fetched(endless(size)));
  }
  CHECK(fetched(of_length(1'001)) == Errc::too_large);
  CHECK(fetched(chunked(1'001)) == Errc::too_large);
  CHECK(fetched(endless(1'001)) == Errc::too_large);
  CHECK(fetched("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n") ==
        Errc::too_large);
}

TEST_CASE("client_limits_of_the_request_come_before_those_of_the_options", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, hook_files().server(), of_length(100));
  auto request = get(server.url());
  request.limits = OutboundLimits{};
  request.limits->body_bytes = 99;
  CHECK(f.failure(request) == Errc::too_large);
  request.limits->body_bytes = 100;
  CHECK_FALSE(f.failure(request));
}

TEST_CASE("client_header_at_and_above_its_limit", "[outbound]") {
  ClientFixture f;
  const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
  f.options.limits.header_bytes = start.size() + 100 + 4;
  for (const auto& [size, wanted] : {std::pair<std::size_t, std::optional<Errc>>{99, std::nullopt},
                                     {100, std::nullopt},
                                     {101, Errc::too_large}}) {
    TestServer server(f.io, hook_files().server(), start + std::string(size, 'x') + "\r\n\r\n");
    CHECK(f.failure(get(server.url())) == wanted);
  }
  TestServer server(f.io, hook_files().server(), start + std::string(100'000, 'x'));
  CHECK(f.failure(get(server.url())) == Errc::too_large);
}

TEST_CASE("client_answer_that_is_cut_off_or_not_http_is_an_io_error", "[outbound]") {
  for (const char* answer :
       {"", "H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "+PONG\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\n\nhello"}) {
    CAPTURE(answer);
    ClientFixture f;
    TestServer server(f.io, hook_files().server(), answer);
    CHECK(f.failure(get(server.url())) == Errc::io);
    CHECK(f.last.error().message.find("SSH") == std::string::npos);
    CHECK(f.last.error().message.find("PONG") == std::string::npos);
  }
}

TEST_CASE("client_total_time_ends_a_fetch_wherever_it_is", "[outbound]") {
  ClientFixture f;
  f.options.limits.total = 150ms;
  const auto started = std::chrono::steady_clock::now();
  // An answer that never comes, one that stops in the middle, a peer that never speaks TLS.
  for (const char* answer : {"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"}) {
    TestServer server(f.io, hook_files().server(), answer);
    server.state().hangs = true;
    CHECK(f.failure(get(server.url())) == Errc::timeout);
  }
  TestServer silent(f.io, nullptr, "");
  silent.state().hangs = true;
  CHECK(f.failure(get(silent.url())) == Errc::timeout);
  CHECK(std::chrono::steady_clock::now() - started < 10s);
}

TEST_CASE("client_connect_time_bounds_the_handshake", "[outbound]") {
  ClientFixture f;
  f.options.limits.connect = 100ms;
  f.options.limits.total = 60s;
  Tcp::acceptor silent(f.io, Tcp::endpoint(kLoopback, 0));  // the kernel accepts, nobody answers
  const auto url =
      "https://hook.example.test:" + std::to_string(silent.local_endpoint().port()) + "/";
  CHECK(f.failure(get(url)) == Errc::timeout);
}

TEST_CASE("client_connection_that_nobody_accepts_is_an_io_error", "[outbound]") {
  ClientFixture f;
  Tcp::acceptor closed(f.io, Tcp::endpoint(kLoopback, 0));
  const auto port = closed.local_endpoint().port();
  closed.close();
  CHECK(f.failure(get("https://hook.example.test:" + std::to_string(port) + "/")) == Errc::io);
}

TEST_CASE("client_tries_the_next_address_when_one_does_not_answer", "[outbound]") {
  ClientFixture f;
  f.resolver.clear();
  for (const char* address : {"127.0.0.2", "127.0.0.3", "127.0.0.1"}) {
    f.resolver.add_a("hook.example.test", address);
  }
  TestServer server(f.io, hook_files().server(), kOk);
  CHECK(f.fetch(get(server.url())));
}

TEST_CASE("client_refuses_a_certificate_that_does_not_verify", "[outbound]") {
  ClientFixture f;
  const TlsFiles stranger("hook.example.test");
  TestServer untrusted(f.io, stranger.server(), kOk);
  CHECK(f.failure(get(untrusted.url())) == Errc::denied);
  CHECK(untrusted.state().requests.empty());
  // Trusted, for another name.
  f.resolver.add_a("other.example.test", "127.0.0.1");
  TestServer server(f.io, hook_files().server(), kOk);
  CHECK(f.failure(get(server.url("/", "other.example.test"))) == Errc::denied);
  CHECK(f.failure(get(server.url("/", "127.0.0.2"))) == Errc::io);  // nobody listens there
  CHECK(server.state().requests.empty());
  CHECK(f.fetch(get(server.url("/", "127.0.0.1"))));
}

TEST_CASE("client_needs_a_context_that_verifies", "[outbound]") {
  ClientFixture f;
  CHECK_THROWS_AS(OutboundClient(f.resolver, opportunistic(), f.options), std::invalid_argument);
  CHECK_THROWS_AS(OutboundClient(f.resolver, nullptr, f.options), std::invalid_argument);
  f.options.user_agent = "a\r\nb";
  CHECK_THROWS_AS(OutboundClient(f.resolver, f.context, f.options), std::invalid_argument);
}

TEST_CASE("client_http_without_tls_is_for_loopback_and_its_option", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, nullptr, kOk);
  const auto url = server.url("/", "hook.example.test", "http");
  CHECK(f.fetch(get(url)));
  f.resolver.add_a("public.example.test", "93.184.216.34");
  CHECK(f.failure(get("http://public.example.test/")) == Errc::denied);
  f.options.allow_http_on_loopback = false;
  CHECK(f.failure(get(url)) == Errc::invalid);
  CHECK(server.state().requests.size() == 1);
}

TEST_CASE("client_request_with_a_bad_header_is_invalid", "[outbound]") {
  ClientFixture f;
  using namespace std::string_literals;
  const std::pair<std::string, std::string> wrong[] = {{"X", "a\r\nY: b"},
                                                       {"X", "a\nb"},
                                                       {"X", "a\rb"},
                                                       {"X", "a\0b"s},
                                                       {"X", "\xc3\xbc"},
                                                       {"X", " a"},
                                                       {"X", "a "},
                                                       {"X\r\nY", "a"},
                                                       {"X: y", "a"},
                                                       {"", "a"},
                                                       {"X Y", "a"},
                                                       {"X\0"s, "a"},
                                                       {"Host", "evil"},
                                                       {"HOST", "evil"},
                                                       {"content-length", "1"},
                                                       {"Transfer-Encoding", "chunked"},
                                                       {"Connection", "keep-alive"},
                                                       {"Upgrade", "h2c"},
                                                       {"Expect", "100-continue"},
                                                       {"TE", "trailers"},
                                                       {"Proxy-Authorization", "x"},
                                                       {"Proxy-Connection", "x"},
                                                       {"User-Agent", "x"},
                                                       {"Accept-Encoding", "gzip"}};
  for (const auto& [name, value] : wrong) {
    CAPTURE(name, value);
    auto request = post("https://hook.example.test/", "x");
    request.headers = {{name, value, {}}};
    CHECK(f.failure(request) == Errc::invalid);
  }
  CHECK(f.resolver.queries() == 0);
  auto with_body = get("https://hook.example.test/");
  with_body.body = "x";
  CHECK(f.failure(with_body) == Errc::invalid);
}

TEST_CASE("client_request_at_and_above_its_limits", "[outbound]") {
  using namespace postern::outbound;
  auto request = post("https://hook.example.test/", "");
  request.headers.assign(kMaxRequestHeaders, {"X", "y", {}});
  CHECK(check_request(request));
  request.headers.push_back({"X", "y", {}});
  CHECK(code(check_request(request)) == Errc::too_large);
  request.headers = {{"X", std::string(kMaxRequestHeaderBytes - 1, 'y'), {}}};
  CHECK(check_request(request));
  request.headers[0].value += 'y';
  CHECK(code(check_request(request)) == Errc::too_large);
  request.headers.clear();
  request.body.assign(kMaxRequestBody, 'x');
  CHECK(check_request(request));
  request.body += 'x';
  CHECK(code(check_request(request)) == Errc::too_large);
}
