// One attempt of an audit stream against receivers of the test's own: what is sent, what counts as
// taken, and what a failure leaves.
#include "app/server/audit_delivery.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "accounts/audit/stream/destination.hpp"
#include "accounts/audit/stream/syslog.hpp"
#include "accounts/outbound_hosts.hpp"
#include "storage/keystore.hpp"
#include "tests/accounts/audit/world.hpp"
#include "tests/core/outbound/client_fixture.hpp"

using namespace postern;
using namespace postern::accounts::audit;
using namespace postern::accounts::audit::test;
using postern::server::Attempt;
using namespace std::chrono_literals;

namespace {

constexpr const char* kTaken = "HTTP/1.1 204 No Content\r\n\r\n";
constexpr std::string_view kSecret = "collector-secret-31337";

// Outlives the database, whose threads post to it.
struct Context {
  asio::io_context io{1};
};

struct Streaming : Context, World {
  Streaming() {
    resolver.add_a("hook.example.test", "127.0.0.1");
    const auto file = directory.file("master.key");
    must(storage::make_master_key_file(file));
    master = must(storage::open_master_key_file(file));
    client = std::make_unique<OutboundClient>(resolver, postern::test::trusting(),
                                              postern::test::loopback_options());
    work = make_work();
  }
  std::shared_ptr<const server::StreamWork> make_work() {
    return std::make_shared<const server::StreamWork>(
        server::StreamWork{registry, chain, *master, *client, clock, "mx.example.org", bound});
  }

  void set(const std::string& url, std::string_view secret = {}) {
    NewStream fresh;
    auto destination = must(parse_destination(url));
    destination.secret = secret;
    fresh.origin = destination.origin;
    fresh.sealed =
        must(seal_destination(*master, stream_context(mine, fresh.revision), destination));
    fresh.after = 0;
    fresh.now = clock.now();
    must(scoped(mine, [fresh](sql::TenantScope& scope) { return set_stream(scope, fresh); }));
  }
  Attempt attempt() { return postern::test::run_task(io, server::attempt_stream(work, mine)); }
  TrailStream now() {
    return must(scoped(mine, [](sql::TenantScope& scope) { return find_stream(scope); }));
  }

  std::uint64_t bound = 20;
  postern::test::FakeResolver resolver;
  std::unique_ptr<storage::MasterKey> master;
  std::unique_ptr<OutboundClient> client;
  accounts::Registry registry{*control};
  std::shared_ptr<const server::StreamWork> work;
};

std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

bool directory_holds(const std::filesystem::path& directory, std::string_view text) {
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::string all{std::istreambuf_iterator<char>(in), {}};
    if (all.find(text) != std::string::npos) return true;
  }
  return false;
}

/// A syslog receiver: reads until the sender's end, then does as it is told.
struct Receiver {
  enum class Then : std::uint8_t { answers, ends_tcp_alone, leaves_early };
  Receiver(asio::io_context& io, Then then)
      : acceptor(io, postern::test::Tcp::endpoint(postern::test::kLoopback, 0)) {
    asio::co_spawn(io, run(this, then), [](std::exception_ptr) {});
  }
  ~Receiver() { acceptor.close(); }
  static Task<> run(Receiver* self, Then then) {
    boost::system::error_code ec;
    auto socket =
        co_await self->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return;
    self->wire = socket.native_handle();
    self->stream = std::make_unique<Stream>(std::move(socket));
    auto& stream = *self->stream;
    auto secured = co_await stream.start_tls_server(postern::test::hook_files().server());
    if (!secured) co_return;
    if (then == Then::leaves_early) {
      stream.close();
      co_return;
    }
    self->got = co_await postern::test::read_exactly(stream, 1'000'000);
    if (then == Then::ends_tcp_alone) ::shutdown(self->wire, SHUT_WR);
    if (then == Then::answers) stream.close();
  }
  [[nodiscard]] std::string url() const {
    return "syslog+tls://hook.example.test:" + std::to_string(acceptor.local_endpoint().port());
  }
  postern::test::Tcp::acceptor acceptor;
  std::unique_ptr<Stream> stream;
  int wire = -1;
  std::string got;
};

}  // namespace

TEST_CASE("https_receiver_gets_json_lines_and_takes_them_with_2xx", "[audit][stream]") {
  Streaming world;
  postern::test::TestServer receiver(world.io, postern::test::hook_files().server(), kTaken);
  world.append(world.mine, 3);
  world.set(receiver.url("/in?token=path-secret"), kSecret);
  CHECK(world.attempt() == Attempt::moved);
  CHECK(world.now().cursor == 3);
  CHECK(world.now().delivered == 3);
  CHECK(world.now().delivered_at == world.clock.now());
  REQUIRE(receiver.state().requests.size() == 1);
  const auto& request = receiver.state().requests[0];
  CHECK(request.starts_with("POST /in?token=path-secret HTTP/1.1\r\n"));
  CHECK(request.find("\r\nContent-Type: application/x-ndjson\r\n") != std::string::npos);
  CHECK(request.find("\r\nAuthorization: Bearer " + std::string(kSecret) + "\r\n") !=
        std::string::npos);
  CHECK(body_of(request) == json_lines(world.all(world.mine)));
  CHECK(world.attempt() == Attempt::idle);
  CHECK(receiver.state().requests.size() == 1);
}

TEST_CASE("https_without_a_secret_has_no_authorization", "[audit][stream]") {
  Streaming world;
  postern::test::TestServer receiver(world.io, postern::test::hook_files().server(), kTaken);
  world.append(world.mine, 1);
  world.set(receiver.url());
  CHECK(world.attempt() == Attempt::moved);
  CHECK(receiver.state().requests.at(0).find("Authorization") == std::string::npos);
}

TEST_CASE("https_receiver_that_answers_2xx_has_taken_the_batch_whatever_follows",
          "[audit][stream]") {
  const std::string long_body(100'000, 'x');
  const std::pair<std::string, bool> cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + long_body, false},
      {"HTTP/1.1 202 Accepted\r\n\r\n" + long_body, false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nnever", true},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut", false},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk", false}};
  for (const auto& [answer, hangs] : cases) {
    CAPTURE(answer.substr(0, 80));
    Streaming world;
    postern::test::TestServer receiver(world.io, postern::test::hook_files().server(), answer);
    receiver.state().hangs = hangs;
    world.append(world.mine, 2);
    world.set(receiver.url());
    CHECK(world.attempt() == Attempt::moved);
    CHECK(world.now().cursor == 2);
    CHECK(receiver.state().requests.size() == 1);
  }
}

TEST_CASE("batch_that_is_refused_for_its_size_gets_there_in_smaller_ones", "[audit][stream]") {
  Streaming world;
  postern::test::TestServer receiver(world.io, postern::test::hook_files().server());
  std::vector<std::size_t> sizes;
  receiver.state().answer = [&sizes](const std::string& request) {
    const auto body = body_of(request);
    sizes.push_back(static_cast<std::size_t>(std::ranges::count(body, '\n')));
    return std::string(sizes.back() > 60 ? "HTTP/1.1 413 Content Too Large\r\n\r\n" : kTaken);
  };
  world.append(world.mine, 210);
  world.bound = 1'000;
  world.work = world.make_work();
  world.set(receiver.url());
  std::vector<Attempt> attempts;
  for (int i = 0; i < 6; ++i) {
    attempts.push_back(world.attempt());
    world.clock.advance(300s);
  }
  using enum Attempt;
  CHECK(attempts == std::vector{failed, failed, moved, failed, failed, moved});
  CHECK(sizes == std::vector<std::size_t>{200, 100, 50, 160, 100, 50});
  CHECK(world.now().cursor == 100);
}

TEST_CASE("outcome_that_the_database_refuses_is_told_apart", "[audit][stream]") {
  Streaming world;
  postern::test::TestServer receiver(world.io, postern::test::hook_files().server(), kTaken);
  world.append(world.mine, 2);
  world.set(receiver.url());
  world.raw(
      "CREATE TRIGGER full BEFORE UPDATE ON audit_streams BEGIN "
      "SELECT RAISE(ABORT, 'full'); END");
  CHECK(world.attempt() == Attempt::not_kept);
  receiver.state().answer = [](const std::string&) {
    return std::string("HTTP/1.1 500 Oops\r\n\r\n");
  };
  CHECK(world.attempt() == Attempt::not_kept);
  CHECK(world.now().cursor == 0);
  CHECK(world.now().failures == 0);
}

TEST_CASE("answer_other_than_2xx_leaves_the_batch_for_later", "[audit][stream]") {
  for (const char* status : {"500 Oops", "404 Not Found", "302 Found", "301 Moved"}) {
    CAPTURE(status);
    Streaming world;
    postern::test::TestServer receiver(
        world.io, postern::test::hook_files().server(),
        "HTTP/1.1 " + std::string(status) +
            "\r\nLocation: https://elsewhere.example.net/\r\nContent-Length: 0\r\n\r\n");
    world.append(world.mine, 2);
    world.set(receiver.url("/in?token=path-secret"), kSecret);
    CHECK(world.attempt() == Attempt::failed);
    const auto row = world.now();
    CHECK(row.cursor == 0);
    CHECK(row.failures == 1);
    CHECK(row.last_error == "the receiver answered " + std::string(status).substr(0, 3));
    REQUIRE(row.retry_at);
    CHECK(*row.retry_at > world.clock.now() + Micros(3900ms));
    CHECK(*row.retry_at <= world.clock.now() + Micros(5s));
    // Not before its time.
    CHECK(world.attempt() == Attempt::idle);
    CHECK(receiver.state().requests.size() == 1);
    world.clock.advance(5s);
    receiver.state().answer = [](const std::string&) { return std::string(kTaken); };
    CHECK(world.attempt() == Attempt::moved);
    CHECK(world.now().cursor == 2);
    CHECK(world.now().failures == 0);
    CHECK(body_of(receiver.state().requests.at(0)) == body_of(receiver.state().requests.at(1)));
  }
}

TEST_CASE("syslog_receiver_that_answers_our_end_has_taken_the_batch", "[audit][stream]") {
  Streaming world;
  Receiver receiver(world.io, Receiver::Then::answers);
  world.append(world.mine, 3);
  world.set(receiver.url());
  CHECK(world.attempt() == Attempt::moved);
  CHECK(world.now().cursor == 3);
  CHECK(receiver.got == syslog_frames(world.all(world.mine), world.mine.text(), "mx.example.org"));
}

TEST_CASE("syslog_receiver_that_ends_tcp_without_ending_tls_has_not_taken_it", "[audit][stream]") {
  Streaming world;
  Receiver receiver(world.io, Receiver::Then::ends_tcp_alone);
  world.append(world.mine, 3);
  world.set(receiver.url());
  CHECK(world.attempt() == Attempt::failed);
  CHECK(world.now().cursor == 0);
  CHECK(world.now().last_error == "the peer ended the connection without ending TLS");
  CHECK_FALSE(receiver.got.empty());
}

TEST_CASE("syslog_receiver_that_leaves_before_our_end_has_not", "[audit][stream]") {
  Streaming world;
  Receiver receiver(world.io, Receiver::Then::leaves_early);
  // More than the sockets of both sides hold: the sender is still writing when it sees the end.
  for (int i = 0; i < 60; ++i) {
    auto large = world.record("thing.done");
    large.details = R"({"a":")" + std::string(8'000, 'x') + "\"}";
    must(world.try_append(world.mine, large));
  }
  world.bound = 1'000;
  world.work = world.make_work();
  world.set(receiver.url());
  CHECK(world.attempt() == Attempt::failed);
  CHECK(world.now().cursor == 0);
}

TEST_CASE("host_that_is_not_on_the_tenants_list_is_never_connected_to", "[audit][stream]") {
  Streaming world;
  postern::test::TestServer receiver(world.io, postern::test::hook_files().server(), kTaken);
  Receiver syslog(world.io, Receiver::Then::answers);
  const auto allow = [&world](std::vector<std::string> hosts) {
    must(world.scoped(world.mine, [hosts = std::move(hosts)](sql::TenantScope& scope) {
      return accounts::set_outbound_hosts(scope, hosts);
    }));
  };
  world.append(world.mine, 1);
  allow({"other.example.test", "*.hook.example.test"});
  for (const auto& url : {receiver.url(), syslog.url()}) {
    CAPTURE(url);
    world.set(url);
    CHECK(world.attempt() == Attempt::failed);
    CHECK(world.now().last_error == "hook.example.test is not one of the hosts that are allowed");
  }
  CHECK(receiver.state().connections == 0);
  CHECK_FALSE(syslog.stream);
  allow({"*.Example.test"});
  world.set(receiver.url());
  CHECK(world.attempt() == Attempt::moved);
}

TEST_CASE("too_long_a_backlog_is_skipped_before_it_is_sent", "[audit][stream]") {
  Streaming world;
  postern::test::TestServer receiver(world.io, postern::test::hook_files().server(), kTaken);
  world.set(receiver.url());
  world.append(world.mine, 21);
  CHECK(world.attempt() == Attempt::moved);
  CHECK(world.now().skipped == 3);
  CHECK(receiver.state().requests.empty());
  CHECK(world.attempt() == Attempt::moved);
  CHECK(world.now().cursor == 22);
  CHECK(world.now().delivered == 19);
  const auto body = body_of(receiver.state().requests.at(0));
  CHECK(boost::json::parse(body.substr(0, body.find('\n'))).at("number").as_int64() == 4);
}

TEST_CASE("secret_and_path_are_sealed_for_one_row_of_one_tenant", "[audit][stream]") {
  Streaming world;
  world.append(world.mine, 1);
  world.set("https://hook.example.test/in?token=path-secret", kSecret);
  const auto row = world.now();
  CHECK(row.origin == "https://hook.example.test");
  for (const auto secret : {kSecret, std::string_view("path-secret")}) {
    CHECK(row.sealed.find(secret) == std::string::npos);
    CHECK_FALSE(directory_holds(world.directory.path(), secret));
  }
  CHECK(directory_holds(world.directory.path(), row.origin));  // the look would find them
  const auto opened =
      open_destination(*world.master, stream_context(world.mine, row.revision), row.sealed);
  REQUIRE(opened);
  CHECK(opened->secret == kSecret);
  CHECK(opened->url == "https://hook.example.test/in?token=path-secret");
  CHECK_FALSE(
      open_destination(*world.master, stream_context(world.theirs, row.revision), row.sealed));
  CHECK_FALSE(open_destination(*world.master, stream_context(world.mine, StreamRevision::make()),
                               row.sealed));
}

TEST_CASE("pauses_double_from_five_seconds_to_five_minutes", "[audit][stream]") {
  const std::pair<std::int64_t, std::chrono::seconds> cases[] = {
      {1, 5s}, {2, 10s}, {3, 20s}, {6, 160s}, {7, 300s}, {8, 300s}, {1'000'000, 300s}};
  for (const auto& [failures, longest] : cases) {
    CAPTURE(failures);
    for (int i = 0; i < 50; ++i) {
      const auto pause = server::stream_pause(failures);
      CHECK(pause <= Micros(longest));
      CHECK(pause > Micros(longest) * 4 / 5);
    }
  }
}
