// Streams of other protocols than HTTP: the same rules, the same checks.
#include <catch2/catch.hpp>

#include "tests/core/outbound/client_fixture.hpp"

namespace {
using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;

constexpr std::uint16_t kUsual = 6514;

struct Connecting : ClientFixture {
  using Opened = Result<std::unique_ptr<outbound::BoundedStream>>;
  Opened connect(OutboundEndpoint endpoint) {
    endpoint.usual_port = kUsual;
    OutboundClient client(resolver, context, options);
    return run_task(io, client.connect(std::move(endpoint)));
  }
  std::optional<Errc> connect_failure(std::string authority) {
    OutboundEndpoint endpoint;
    endpoint.authority = std::move(authority);
    const auto opened = connect(std::move(endpoint));
    return opened ? std::nullopt : std::optional(opened.error().code);
  }
  Result<outbound::Url> check(std::string_view authority) {
    return OutboundClient(resolver, context, options).check_endpoint(authority, kUsual);
  }
  std::optional<Errc> check_failure(std::string_view authority) {
    const auto checked = check(authority);
    return checked ? std::nullopt : std::optional(checked.error().code);
  }
};

std::string at(const TestServer& server, std::string_view host = "hook.example.test") {
  return std::string(host) + ":" + std::to_string(server.port());
}
}  // namespace

TEST_CASE("connect_gives_a_tls_stream_to_the_checked_address", "[outbound]") {
  Connecting f;
  TestServer server(f.io, hook_files().server(), "hello");
  OutboundEndpoint endpoint;
  endpoint.authority = at(server);
  auto opened = f.connect(endpoint);
  REQUIRE(opened);
  auto& stream = (*opened)->stream();
  CHECK(stream.is_tls());
  CHECK(stream.remote() == Tcp::endpoint(kLoopback, server.port()));
  CHECK(run_task(f.io, stream.write_all("abc\r\n\r\n")));
  CHECK(run_task(f.io, read_exactly(stream, 5)) == "hello");
  CHECK(f.resolver.queries("hook.example.test", dns::Type::a) == 1);
}

TEST_CASE("connect_verifies_name_and_authority_of_the_certificate", "[outbound]") {
  Connecting f;
  f.resolver.add_a("other.example.test", "127.0.0.1");
  TestServer server(f.io, hook_files().server(), "");
  CHECK(f.connect_failure(at(server, "other.example.test")) == Errc::denied);
  f.context = tls::Context::make_client(tls::Context::Verify::system_roots).value();
  CHECK(f.connect_failure(at(server)) == Errc::denied);
}

TEST_CASE("connect_refuses_addresses_that_are_not_public", "[outbound]") {
  Connecting f;
  TestServer server(f.io, hook_files().server(), "");
  f.options = OutboundOptions{};
  f.resolver.add_a("inside.example.test", "10.1.2.3");
  f.resolver.add_a("metadata.example.test", "169.254.169.254");
  f.resolver.add_a("mixed.example.test", "203.0.114.1");
  f.resolver.add_a("mixed.example.test", "127.0.0.1");
  for (const auto* host : {"hook.example.test", "inside.example.test", "metadata.example.test",
                           "mixed.example.test", "127.0.0.1", "[::1]", "10.1.2.3"}) {
    CAPTURE(host);
    CHECK(f.connect_failure(at(server, host)) == Errc::denied);
  }
  CHECK(server.state().connections == 0);
}

TEST_CASE("connect_goes_to_allowed_hosts_alone", "[outbound]") {
  Connecting f;
  TestServer server(f.io, hook_files().server(), "");
  OutboundEndpoint endpoint;
  endpoint.authority = at(server);
  for (const auto& hosts :
       {std::vector<std::string>{}, {"example.test"}, {"*.hook.example.test"}}) {
    endpoint.allowed_hosts = hosts;
    const auto opened = f.connect(endpoint);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::denied);
  }
  CHECK(server.state().connections == 0);
  CHECK(f.resolver.queries() == 0);
  endpoint.allowed_hosts = {"*.example.test"};
  CHECK(f.connect(endpoint));
}

TEST_CASE("connection_is_closed_when_the_time_is_over", "[outbound]") {
  Connecting f;
  TestServer server(f.io, hook_files().server(), "");
  server.state().hangs = true;
  OutboundEndpoint endpoint;
  endpoint.authority = at(server);
  endpoint.limits = OutboundLimits{.connect = 2s, .total = 300ms};
  auto opened = f.connect(endpoint);
  REQUIRE(opened);
  auto& bounded = **opened;
  REQUIRE(run_task(f.io, bounded.stream().write_all("abc\r\n\r\n")));  // or else it goes
  const auto done = run_task(f.io, bounded.stream().finish());
  REQUIRE_FALSE(done);
  CHECK(bounded.failure(done.error()).error().code == Errc::timeout);
}

TEST_CASE("endpoint_is_a_host_and_a_port_that_may_be_used", "[outbound]") {
  Connecting f;
  f.options = OutboundOptions{};
  const std::pair<const char*, int> good[] = {
      {"logs.example.net", 6514},      {"logs.example.net.", 6514},
      {"LOGS.example.net:6514", 6514}, {"logs.example.net:443", 443},
      {"logs.example.net:1024", 1024}, {"logs.example.net:65535", 65535},
      {"8.8.8.8:6514", 6514}};
  for (const auto& [authority, port] : good) {
    CAPTURE(authority);
    const auto url = f.check(authority);
    REQUIRE(url);
    CHECK(url->port == port);
    CHECK(url->scheme == outbound::Scheme::https);
  }
  for (const auto* authority : {"logs.example.net:1023", "logs.example.net:25", "localhost:6514",
                                "a.internal", "127.0.0.1", "192.168.1.1:6514"}) {
    CAPTURE(authority);
    CHECK(f.check_failure(authority) == Errc::denied);
  }
  for (const auto* authority :
       {"", ":6514", "logs", "logs.example.net:", "logs.example.net:0", "logs.example.net:65536",
        "logs.example.net:06514", "u@logs.example.net", "logs.example.net/x", "logs.example.net?x",
        "logs.example.net#", "0x7f.1", "[::1", "logs.example.net:6514/"}) {
    CAPTURE(authority);
    CHECK(f.check_failure(authority) == Errc::invalid);
  }
}
