// What the client must not be made to do: reach an address that the policy refuses, by DNS, by a
// redirect, or by a second answer; hand a secret to another host.
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

#include "core/outbound/resolve.hpp"
#include "tests/core/outbound/client_fixture.hpp"

namespace {
using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string redirect(int status, const std::string& location) {
  return "HTTP/1.1 " + std::to_string(status) + " Elsewhere\r\nLocation: " + location +
         "\r\nContent-Length: 0\r\n\r\n";
}

// Answers the first question for a type with one address, and every later one with another.
class RebindingResolver final : public dns::Resolver {
 public:
  RebindingResolver(const char* first, const char* later)
      : first_(asio::ip::make_address(first)), later_(asio::ip::make_address(later)) {}
  Task<std::shared_ptr<const dns::Answer>> query(std::string /*name*/, dns::Type type) override {
    co_await asio::post(asio::use_awaitable);
    auto answer = std::make_shared<dns::Answer>();
    answer->status = dns::Status::nodata;
    if (type == dns::Type::a) {
      answer->status = dns::Status::ok;
      answer->addresses = {lookups++ == 0 ? first_ : later_};
    }
    co_return answer;
  }
  unsigned lookups = 0;

 private:
  asio::ip::address first_;
  asio::ip::address later_;
};

class SilentResolver final : public dns::Resolver {
 public:
  Task<std::shared_ptr<const dns::Answer>> query(std::string /*name*/,
                                                 dns::Type /*type*/) override {
    asio::steady_timer never(co_await asio::this_coro::executor,
                             std::chrono::steady_clock::time_point::max());
    co_await never.async_wait(asio::use_awaitable);
    co_return std::make_shared<dns::Answer>();
  }
};
}  // namespace

TEST_CASE("client_name_with_a_refused_address_is_denied_without_a_connection", "[outbound]") {
  for (const char* address :
       {"127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "::1",
        "::", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1",
        "2002:7f00:1::", "2001:0:a00:1::1", "fd00:ec2::254", "fe80::1"}) {
    CAPTURE(address);
    ClientFixture f;
    TestServer server(f.io, hook_files().server(), kOk);
    f.options.addresses.allow_loopback = false;
    f.resolver.clear();
    if (std::string_view(address).find(':') == std::string_view::npos) {
      f.resolver.add_a("hook.example.test", address);
    } else {
      f.resolver.add_aaaa("hook.example.test", address);
    }
    CHECK(f.failure(get(server.url())) == Errc::denied);
    CHECK(server.state().connections == 0);
    // The rule, not what the name means inside.
    CHECK(f.last.error().message.find(address) == std::string::npos);
  }
}

TEST_CASE("client_answer_with_one_refused_address_among_good_ones_is_denied", "[outbound]") {
  const std::pair<const char*, const char*> mixed[] = {{"10.0.0.1", nullptr},
                                                       {nullptr, "fd00::1"},
                                                       {"169.254.169.254", "::1"},
                                                       {nullptr, "::ffff:127.0.0.1"}};
  for (const auto& [v4, v6] : mixed) {
    ClientFixture f;
    TestServer server(f.io, hook_files().server(), kOk);
    if (v4 != nullptr) f.resolver.add_a("hook.example.test", v4);
    if (v6 != nullptr) f.resolver.add_aaaa("hook.example.test", v6);
    CHECK(f.failure(get(server.url())) == Errc::denied);
    CHECK(server.state().connections == 0);
  }
}

TEST_CASE("client_alias_of_an_internal_host_is_denied", "[outbound]") {
  ClientFixture f;
  f.resolver.add_cname("innocent.example.test", "db.corp.internal");
  f.resolver.add_a("db.corp.internal", "10.1.2.3");
  CHECK(f.failure(get("https://innocent.example.test/")) == Errc::denied);
  CHECK(f.last.error().message.find("10.1.2.3") == std::string::npos);
  CHECK(f.last.error().message.find("corp") == std::string::npos);
}

TEST_CASE("client_literal_or_local_name_that_is_refused_asks_no_dns", "[outbound]") {
  ClientFixture f;
  f.options.addresses.allow_loopback = false;
  for (const char* url : {"https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/",
                          "https://localhost/", "https://metadata.google.internal/"}) {
    CAPTURE(url);
    CHECK(f.failure(get(url)) == Errc::denied);
  }
  CHECK(f.resolver.queries() == 0);
}

TEST_CASE("resolved_name_in_a_private_network_passes_when_its_option_opens_it", "[outbound]") {
  ClientFixture f;
  f.resolver.add_a("intern.example.test", "10.1.2.3");
  const auto resolved = [&f] {
    const auto url = outbound::check_url("https://intern.example.test/", f.options).value();
    return run_task(f.io, outbound::resolve_checked(f.resolver, url, f.options,
                                                    std::chrono::steady_clock::now() + 10s));
  };
  CHECK(code(resolved()) == Errc::denied);
  f.options.addresses.private_networks = {outbound::parse_private_network("10.1.2.0/24").value()};
  CHECK(resolved().value() == outbound::Addresses{asio::ip::make_address("10.1.2.3")});
  f.resolver.add_a("intern.example.test", "10.1.3.1");
  CHECK(code(resolved()) == Errc::denied);
}

TEST_CASE("resolved_addresses_take_turns", "[outbound]") {
  ClientFixture f;
  for (const char* v4 : {"8.8.8.1", "8.8.8.2", "8.8.8.3"}) f.resolver.add_a("two.test", v4);
  f.resolver.add_aaaa("two.test", "2606:4700::1");
  const auto found = run_task(
      f.io, outbound::look_up(f.resolver, "two.test", std::chrono::steady_clock::now() + 10s));
  CHECK(found.value() == outbound::Addresses{asio::ip::make_address("8.8.8.1"),
                                             asio::ip::make_address("2606:4700::1"),
                                             asio::ip::make_address("8.8.8.2"),
                                             asio::ip::make_address("8.8.8.3")});
}

TEST_CASE("client_looks_a_name_up_once_a_hop_and_connects_to_that_answer", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, hook_files().server(), kOk);
  CHECK(f.fetch(get(server.url())));
  CHECK(f.resolver.queries("hook.example.test", dns::Type::a) == 1);
  CHECK(f.resolver.queries("hook.example.test", dns::Type::aaaa) == 1);
  CHECK(f.resolver.queries() == 2);
}

TEST_CASE("client_second_answer_that_differs_never_counts_within_a_hop", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, hook_files().server(), kOk);
  RebindingResolver rebinding("127.0.0.1", "10.0.0.1");
  OutboundClient client(rebinding, f.context, f.options);
  CHECK(run_task(f.io, client.fetch(get(server.url()))));
  CHECK(rebinding.lookups == 1);
}

TEST_CASE("client_name_that_turns_internal_between_hops_is_denied", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, hook_files().server(), redirect(302, "/again"));
  RebindingResolver rebinding("127.0.0.1", "10.0.0.1");
  OutboundClient client(rebinding, f.context, f.options);
  auto request = get(server.url());
  request.max_redirects = 3;
  CHECK(code(run_task(f.io, client.fetch(request))) == Errc::denied);
  CHECK(rebinding.lookups == 2);
  CHECK(server.state().requests.size() == 1);
}

TEST_CASE("client_dns_failures_are_io_errors_and_a_silent_dns_a_timeout", "[outbound]") {
  ClientFixture f;
  CHECK(f.failure(get("https://absent.example.test/")) == Errc::io);
  f.resolver.set_status("dead.example.test", dns::Status::temporary);
  CHECK(f.failure(get("https://dead.example.test/")) == Errc::io);
  SilentResolver silent;
  f.options.limits.total = 100ms;
  OutboundClient client(silent, f.context, f.options);
  CHECK(code(run_task(f.io, client.fetch(get("https://hook.example.test/")))) == Errc::timeout);
}

TEST_CASE("client_allowed_hosts_are_the_only_ones", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, hook_files().server(), redirect(307, "https://127.0.0.1/"));
  auto request = get(server.url());
  request.allowed_hosts.emplace();
  CHECK(f.failure(request) == Errc::denied);
  request.allowed_hosts = {"*.hook.example.test", "example.test"};
  CHECK(f.failure(request) == Errc::denied);
  CHECK(f.resolver.queries() == 0);
  request.allowed_hosts = {"*.example.test"};
  CHECK(f.fetch(request));
  // Redirects too.
  request.max_redirects = 1;
  CHECK(f.failure(request) == Errc::denied);
}

TEST_CASE("client_returns_a_redirect_when_it_may_not_follow", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, hook_files().server(), redirect(302, "https://10.0.0.1/"));
  const auto response = f.fetch(get(server.url()));
  REQUIRE(response);
  CHECK(response->status == 302);
  CHECK(response->header("location") == "https://10.0.0.1/");
}

TEST_CASE("client_follows_redirects_up_to_its_limit", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, hook_files().server());
  server.state().answer = [](const std::string& request) {
    // "/3" leads to "/2" and so on to "/0".
    const int left = request.at(5) - '0';
    return left == 0 ? std::string(kOk) : redirect(302, "/" + std::to_string(left - 1));
  };
  auto request = get(server.url("/3"));
  request.max_redirects = 4;
  CHECK(f.fetch(request).value().redirects == 3);
  request.max_redirects = 3;
  CHECK(f.fetch(request).value().redirects == 3);
  request.max_redirects = 2;
  CHECK(f.failure(request) == Errc::denied);
}

TEST_CASE("client_redirect_that_the_policy_refuses_is_denied_or_invalid", "[outbound]") {
  const std::pair<const char*, Errc> rows[] = {
      {"https://10.0.0.1/", Errc::denied},
      {"https://169.254.169.254/latest/meta-data/", Errc::denied},
      {"https://[::ffff:a9fe:a9fe]/", Errc::denied},
      {"//localhost/", Errc::denied},
      {"https://intern.example.test/", Errc::denied},
      {"http://hook.example.test/", Errc::denied},
      {"https://2852039166/", Errc::invalid},
      {"https://user@hook.example.test/", Errc::invalid},
      {"gopher://127.0.0.1:25/", Errc::invalid},
      {"file:///etc/passwd", Errc::invalid},
  };
  for (const auto& [to, wanted] : rows) {
    CAPTURE(to);
    ClientFixture f;
    f.resolver.add_a("intern.example.test", "192.168.0.1");
    TestServer server(f.io, hook_files().server(), redirect(302, to));
    auto request = get(server.url());
    request.max_redirects = 5;
    CHECK(f.failure(request) == wanted);
    CHECK(server.state().requests.size() == 1);
  }
}

TEST_CASE("client_redirect_with_two_locations_is_denied_and_with_none_returned", "[outbound]") {
  ClientFixture f;
  TestServer two(f.io, hook_files().server(),
                 "HTTP/1.1 302 x\r\nLocation: /a\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
  auto request = get(two.url());
  request.max_redirects = 1;
  CHECK(f.failure(request) == Errc::denied);
  TestServer none(f.io, hook_files().server(), "HTTP/1.1 302 x\r\nContent-Length: 0\r\n\r\n");
  request.url = none.url();
  CHECK(f.fetch(request).value().status == 302);
}

// RFC 9110 §15.4.2 to §15.4.9.
TEST_CASE("client_redirect_status_decides_the_method", "[outbound]") {
  struct Row {
    int status;
    OutboundMethod method;
    const char* second;
    bool body;
  };
  const Row rows[] = {
      {301, OutboundMethod::post, "GET", false}, {302, OutboundMethod::post, "GET", false},
      {303, OutboundMethod::post, "GET", false}, {307, OutboundMethod::post, "POST", true},
      {308, OutboundMethod::post, "POST", true}, {301, OutboundMethod::put, "PUT", true},
      {303, OutboundMethod::put, "GET", false},  {303, OutboundMethod::del, "GET", false},
      {302, OutboundMethod::del, "DELETE", true}};
  for (const Row& row : rows) {
    CAPTURE(row.status, row.second);
    ClientFixture f;
    TestServer server(f.io, hook_files().server());
    server.state().answer = [&row](const std::string& request) {
      return request.find(" /start ") != std::string::npos ? redirect(row.status, "/end") : kOk;
    };
    auto request = post(server.url("/start"), "the body");
    request.method = row.method;
    request.headers = {{"Content-Type", "text/plain", {}}, {"X-Id", "7", {}}};
    request.max_redirects = 1;
    CHECK(f.fetch(request));
    REQUIRE(server.state().requests.size() == 2);
    const auto& second = server.state().requests[1];
    CHECK(second.starts_with(std::string(row.second) + " /end HTTP/1.1\r\n"));
    CHECK(second.ends_with("\r\n\r\nthe body") == row.body);
    CHECK((second.find("Content-Type") != std::string::npos) == row.body);
    CHECK((second.find("Content-Length") != std::string::npos) == row.body);
    CHECK(second.find("X-Id: 7") != std::string::npos);
  }
}

TEST_CASE("client_drops_secrets_when_a_redirect_leaves_the_origin", "[outbound]") {
  ClientFixture f;
  TestServer there(f.io, hook_files().server(), kOk);
  TestServer here(f.io, hook_files().server());
  std::string target;
  here.state().answer = [&](const std::string& request) {
    return request.find(" /start ") != std::string::npos ? redirect(307, target) : kOk;
  };
  auto request = post(here.url("/start"), "x");
  request.max_redirects = 2;
  request.headers = {{"authorization", "Bearer s1", {}},
                     {"COOKIE", "s2", {}},
                     {"X-Signature", "s3", OutboundHeader::Kind::sensitive},
                     {"X-Event", "kept", {}}};
  const auto kept = [](const std::string& seen) {
    return seen.find("s1") != std::string::npos && seen.find("s2") != std::string::npos &&
           seen.find("s3") != std::string::npos;
  };
  const auto dropped = [](const std::string& seen) {
    return seen.find("Bearer") == std::string::npos && seen.find("COOKIE") == std::string::npos &&
           seen.find("X-Signature") == std::string::npos;
  };
  target = "/end";
  REQUIRE(f.fetch(request));
  CHECK(kept(here.state().requests.at(1)));
  // Another host, another port; the second comes back to where the secrets are at home.
  for (const auto& url : {here.url("/end", "127.0.0.1"), there.url("/end")}) {
    CAPTURE(url);
    here.state().requests.clear();
    there.state().requests.clear();
    target = url;
    REQUIRE(f.fetch(request));
    auto seen = here.state().requests;
    seen.insert(seen.end(), there.state().requests.begin(), there.state().requests.end());
    REQUIRE(seen.size() == 2);
    CHECK(kept(seen[0]));
    CHECK(dropped(seen[1]));
    CHECK(seen[1].find("X-Event: kept") != std::string::npos);
  }
  here.state().requests.clear();
  target = there.url("/");
  there.state().answer = [&](const std::string&) { return redirect(307, here.url("/back")); };
  REQUIRE(f.fetch(request));
  CHECK(here.state().requests.at(1).starts_with("POST /back "));
  CHECK(dropped(here.state().requests.at(1)));
}

TEST_CASE("client_time_bounds_all_redirects_together", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, hook_files().server(), redirect(302, "/again"));
  f.options.limits.total = 300ms;
  auto request = get(server.url());
  request.max_redirects = 1'000'000;
  CHECK(f.failure(request) == Errc::timeout);
  CHECK(server.state().requests.size() > 1);
}

TEST_CASE("client_proxy_is_told_the_checked_address_and_tls_the_name", "[outbound]") {
  ClientFixture f;
  TestServer server(f.io, hook_files().server(), kOk);
  TestServer proxy(f.io, nullptr, "HTTP/1.1 200 Connected\r\nVia: x\r\n\r\n");
  proxy.state().tunnels = true;
  proxy.state().target = server.port();
  f.options.proxy = OutboundProxy{"127.0.0.1", proxy.port()};
  auto request = get(server.url("/x"));
  request.headers = {{"Authorization", "secret", {}}};
  const auto response = f.fetch(request);
  REQUIRE(response);
  CHECK(response->body == "ok");
  const std::string target = "127.0.0.1:" + std::to_string(server.port());
  CHECK(proxy.state().requests.at(0) ==
        "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n");
  CHECK(server.state().requests.at(0).starts_with("GET /x HTTP/1.1\r\nHost: hook.example.test:"));
  CHECK(f.resolver.queries() == 2);
}

TEST_CASE("client_proxy_does_not_lift_the_policy", "[outbound]") {
  ClientFixture f;
  TestServer proxy(f.io, nullptr, "HTTP/1.1 200 Connected\r\n\r\n");
  f.options.proxy = OutboundProxy{"127.0.0.1", proxy.port()};
  f.options.addresses.allow_loopback = false;  // the proxy itself is under no policy
  f.resolver.add_a("intern.example.test", "10.0.0.1");
  CHECK(f.failure(get("https://intern.example.test/")) == Errc::denied);
  CHECK(f.failure(get("https://127.0.0.1/")) == Errc::denied);
  CHECK(proxy.state().connections == 0);
}

TEST_CASE("client_proxy_that_refuses_or_misbehaves_is_an_io_error", "[outbound]") {
  for (const char* answer : {"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\nsecret",
                             "HTTP/1.1 200 OK\r\n\r\nearly bytes", "220 mail ESMTP\r\n\r\n", ""}) {
    CAPTURE(answer);
    ClientFixture f;
    TestServer proxy(f.io, nullptr, answer);
    f.resolver.add_a("proxy.corp.test", "127.0.0.1");
    f.options.proxy = OutboundProxy{"proxy.corp.test", proxy.port()};
    CHECK(f.failure(get("https://hook.example.test/")) == Errc::io);
    CHECK(f.last.error().message.find("secret") == std::string::npos);
    CHECK(f.last.error().message.find("corp") == std::string::npos);
  }
  ClientFixture f;
  f.options.proxy = OutboundProxy{"absent.corp.test", 3128};
  CHECK(f.failure(get("https://hook.example.test/")) == Errc::io);
  CHECK(f.last.error().message == "no connection to the proxy");
}

TEST_CASE("client_check_says_what_is_known_without_a_connection", "[outbound]") {
  ClientFixture f;
  f.options = {};
  OutboundClient client(f.resolver, f.context, f.options);
  CHECK(client.check("https://hook.example.test/x").value().host == "hook.example.test");
  CHECK(code(client.check("https://10.0.0.1/")) == Errc::denied);
  CHECK(code(client.check("http://hook.example.test/")) == Errc::invalid);
  CHECK(f.resolver.queries() == 0);
}
