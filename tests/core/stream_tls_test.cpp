#include <openssl/ssl.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/core/sockets.hpp"
#include "tests/support/eventually.hpp"

namespace {
using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;

const TlsFiles& files() {
  static const TlsFiles made;
  return made;
}

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + i % 23);
  return out;
}

struct Handshake {
  Result<void> client;
  Result<void> server;
};

Handshake shake(asio::io_context& context, Streams& streams,
                std::shared_ptr<const tls::Context> client,
                const std::string& name = "mail.example.test") {
  Started<Result<void>> server(context, streams.server.start_tls_server(files().server()));
  Started<Result<void>> side(context, streams.client.start_tls_client(std::move(client), name));
  // A side that gives up doesn't tell the other: its connection ends with it, as a session's would.
  Handshake both;
  both.client = side.get(context);
  if (!both.client) streams.client.close();
  both.server = server.get(context);
  return both;
}

// Passes bytes on one at a time, in both directions, as the worst network would.
Task<> slice(std::shared_ptr<Tcp::socket> from, std::shared_ptr<Tcp::socket> to) {
  char byte = 0;
  boost::system::error_code ec;
  for (;;) {
    co_await asio::async_read(*from, asio::buffer(&byte, 1),
                              asio::redirect_error(asio::use_awaitable, ec));
    if (ec) break;
    co_await asio::async_write(*to, asio::buffer(&byte, 1),
                               asio::redirect_error(asio::use_awaitable, ec));
    if (ec) break;
  }
  to->shutdown(Tcp::socket::shutdown_send, ec);
}

std::shared_ptr<const tls::Context> client_with_versions(int low, int high) {
  SSL_CTX* raw = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_cipher_list(raw, "ALL:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(raw, low);
  SSL_CTX_set_max_proto_version(raw, high);
  return std::make_shared<tls::Context>(raw);
}

// A context that trusts the test's certificate, as if the system did.
std::shared_ptr<const tls::Context> verifying(const std::string& roots) {
  ::setenv("SSL_CERT_FILE", roots.c_str(), 1);
  auto made = tls::Context::make_client(tls::Context::Verify::system_roots).value();
  ::unsetenv("SSL_CERT_FILE");
  return made;
}
}  // namespace

TEST_CASE("tls_stream_carries_bytes_both_ways") {
  asio::io_context context{1};
  Streams streams(context);
  const auto both = shake(context, streams, opportunistic());
  REQUIRE(both.client);
  REQUIRE(both.server);
  CHECK(streams.server.is_tls());
  CHECK(streams.server.tls_version() == "TLSv1.3");
  CHECK(streams.client.tls_cipher() == streams.server.tls_cipher());
  CHECK(streams.server.tls_cipher().starts_with("TLS_"));
  CHECK(streams.server.tls_cipher_bits() >= 128);
  CHECK(run_task(context, streams.client.write_all("EHLO\r\n")));
  CHECK(run_task(context, read_exactly(streams.server, 6, 2)) == "EHLO\r\n");
  CHECK(run_task(context, streams.server.write_all("250\r\n")));
  CHECK(run_task(context, read_exactly(streams.client, 5)) == "250\r\n");
}

TEST_CASE("tls_stream_after_plain_text_on_the_same_connection") {
  asio::io_context context{1};
  Streams streams(context);
  CHECK(run_task(context, streams.client.write_all("STARTTLS\r\n")));
  CHECK(run_task(context, read_exactly(streams.server, 10)) == "STARTTLS\r\n");
  const auto both = shake(context, streams, opportunistic());
  REQUIRE(both.server);
  CHECK(run_task(context, streams.client.write_all("secret")));
  CHECK(run_task(context, read_exactly(streams.server, 6)) == "secret");
}

TEST_CASE("tls_stream_survives_a_network_that_slices") {
  asio::io_context context{1};
  auto near = connected_sockets(context);
  auto far = connected_sockets(context);
  auto near_end = std::make_shared<Tcp::socket>(std::move(near.server));
  auto far_end = std::make_shared<Tcp::socket>(std::move(far.client));
  Stream client(std::move(near.client));
  Stream server(std::move(far.server));
  asio::co_spawn(context, slice(near_end, far_end), [](std::exception_ptr) {});
  asio::co_spawn(context, slice(far_end, near_end), [](std::exception_ptr) {});
  Started<Result<void>> accept(context, server.start_tls_server(files().server()));
  REQUIRE(run_task(context, client.start_tls_client(opportunistic(), "mail.example.test")));
  REQUIRE(accept.get(context));
  const std::string data = pattern(5'000);
  Started<Result<void>> write(context, client.write_all(data));
  CHECK(run_task(context, read_exactly(server, data.size())) == data);
  CHECK(write.get(context));
  client.close();
  char byte = 0;
  CHECK(run_task(context, server.read_some({&byte, 1})) == 0U);
}

TEST_CASE("tls_stream_moves_much_in_both_directions_at_once") {
  asio::io_context context{1};
  Streams streams(context);
  REQUIRE(shake(context, streams, opportunistic()).server);
  const std::string data = pattern(4 << 20);
  Started<Result<void>> up(context, streams.client.write_all(data));
  Started<Result<void>> down(context, streams.server.write_all(data));
  Started<std::string> at_server(context, read_exactly(streams.server, data.size(), 60'000));
  Started<std::string> at_client(context, read_exactly(streams.client, data.size(), 1'000));
  CHECK(at_server.get(context) == data);
  CHECK(at_client.get(context) == data);
  CHECK(up.get(context));
  CHECK(down.get(context));
}

TEST_CASE("tls_1_2_is_accepted_and_1_1_refused") {
  asio::io_context context{1};
  {
    Streams streams(context);
    const auto both = shake(context, streams, client_with_versions(TLS1_2_VERSION, TLS1_2_VERSION));
    REQUIRE(both.server);
    CHECK(streams.server.tls_version() == "TLSv1.2");
    CHECK(run_task(context, streams.client.write_all("x")));
    CHECK(run_task(context, read_exactly(streams.server, 1)) == "x");
  }
  Streams streams(context);
  const auto both = shake(context, streams, client_with_versions(TLS1_VERSION, TLS1_1_VERSION));
  CHECK(code(both.server) == Errc::io);
  CHECK(code(both.client) == Errc::io);
  CHECK(both.server.error().message == "TLS: unsupported protocol");
}

TEST_CASE("tls_1_2_client_that_renegotiates_is_not_served") {
  asio::io_context context{1};
  auto sockets = connected_sockets(context);
  Stream server(std::move(sockets.server));
  const auto client_context = client_with_versions(TLS1_2_VERSION, TLS1_2_VERSION);
  std::unique_ptr<SSL, decltype(&SSL_free)> client(SSL_new(client_context->native()), &SSL_free);
  sockets.client.non_blocking(true);
  SSL_set_fd(client.get(), sockets.client.native_handle());
  SSL_set_connect_state(client.get());
  Started<Result<void>> accept(context, server.start_tls_server(files().server()));
  REQUIRE(eventually(context, [&] { return SSL_do_handshake(client.get()) == 1; }));
  REQUIRE(accept.get(context));
  REQUIRE(SSL_renegotiate(client.get()) == 1);
  char byte = 0;
  Started<Result<std::size_t>> read(context, server.read_some({&byte, 1}));
  bool refused = false;
  CHECK(eventually(context, [&] {
    const int step = SSL_do_handshake(client.get());
    const int why = SSL_get_error(client.get(), step);
    refused = step <= 0 && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
    return refused;
  }));
  CHECK(refused);
  server.close();
  read.get(context);
}

TEST_CASE("tls_handshake_with_garbage_is_an_io_error") {
  for (const std::string& garbage :
       {std::string("EHLO injected\r\n"), std::string(600, '\x16'), std::string(5, '\0'),
        std::string("\x16\x03\x01\xff\xff", 5) + std::string(20'000, 'x')}) {
    asio::io_context context{1};
    Streams streams(context);
    // Plain text that was on its way before the handshake is never taken for a command later.
    CHECK(run_task(context, streams.client.write_all(garbage)));
    Started<Result<void>> server(context, streams.server.start_tls_server(files().server()));
    streams.client.close();
    CHECK(code(server.get(context)) == Errc::io);
    char byte = 0;
    CHECK(code(run_task(context, streams.server.read_some({&byte, 1}))) == Errc::io);
  }
}

TEST_CASE("tls_peer_that_leaves_during_the_handshake_is_an_io_error") {
  asio::io_context context{1};
  Streams streams(context);
  Started<Result<void>> server(context, streams.server.start_tls_server(files().server()));
  streams.client.close();
  CHECK(code(server.get(context)) == Errc::io);
  CHECK(server.value().error().message == "TLS: the peer closed during the handshake");
}

TEST_CASE("tls_stream_closed_during_handshake_or_read_is_cancelled") {
  asio::io_context context{1};
  {
    Streams streams(context);
    Started<Result<void>> server(context, streams.server.start_tls_server(files().server()));
    context.restart();
    context.poll();
    streams.server.close();
    CHECK(code(server.get(context)) == Errc::cancelled);
  }
  Streams streams(context);
  REQUIRE(shake(context, streams, opportunistic()).server);
  char byte = 0;
  Started<Result<std::size_t>> read(context, streams.server.read_some({&byte, 1}));
  Started<Result<void>> idle(context, streams.server.wait_readable());
  context.restart();
  context.poll();
  streams.server.close();
  CHECK(code(read.get(context)) == Errc::cancelled);
  CHECK(code(idle.get(context)) == Errc::cancelled);
  CHECK(streams.server.is_tls());
  CHECK(code(run_task(context, streams.server.start_tls_server(files().server()))) ==
        Errc::cancelled);
}

TEST_CASE("tls_stream_reads_zero_with_and_without_close_notify") {
  asio::io_context context{1};
  {
    Streams streams(context);
    REQUIRE(shake(context, streams, opportunistic()).server);
    CHECK(run_task(context, streams.client.write_all("bye")));
    streams.client.close();
    CHECK(run_task(context, read_exactly(streams.server, 10)) == "bye");
  }
  // Without: the transport ends in the middle.
  auto near = connected_sockets(context);
  auto far = connected_sockets(context);
  auto near_end = std::make_shared<Tcp::socket>(std::move(near.server));
  auto far_end = std::make_shared<Tcp::socket>(std::move(far.client));
  Stream client(std::move(near.client));
  Stream server(std::move(far.server));
  asio::co_spawn(context, slice(near_end, far_end), [](std::exception_ptr) {});
  asio::co_spawn(context, slice(far_end, near_end), [](std::exception_ptr) {});
  Started<Result<void>> accept(context, server.start_tls_server(files().server()));
  REQUIRE(run_task(context, client.start_tls_client(opportunistic(), "")));
  REQUIRE(accept.get(context));
  far_end->shutdown(Tcp::socket::shutdown_send);
  char byte = 0;
  CHECK(run_task(context, server.read_some({&byte, 1})) == 0U);
}

TEST_CASE("tls_write_to_a_peer_that_has_gone_is_an_error_not_a_signal") {
  asio::io_context context{1};
  Streams streams(context);
  REQUIRE(shake(context, streams, opportunistic()).server);
  streams.client.close();
  Result<void> written;
  for (int i = 0; i < 5 && written; ++i) {
    written = run_task(context, streams.server.write_all(std::string(1 << 20, 'x')));
  }
  CHECK(code(written) == Errc::io);
}

TEST_CASE("tls_wait_readable_waits_through_session_tickets") {
  asio::io_context context{1};
  Streams streams(context);
  REQUIRE(shake(context, streams, opportunistic()).server);
  // The server's ticket has been sent, but is not data.
  Started<Result<void>> readable(context, streams.client.wait_readable());
  context.restart();
  context.run_for(50ms);
  CHECK_FALSE(readable.done());
  CHECK(run_task(context, streams.server.write_all("* BYE")));
  CHECK(readable.get(context));
  CHECK(run_task(context, read_exactly(streams.client, 1)) == "*");
  // What OpenSSL holds already counts as readable too.
  CHECK(run_task(context, streams.client.wait_readable()));
  CHECK(run_task(context, read_exactly(streams.client, 4)) == " BYE");
}

TEST_CASE("tls_client_that_verifies_wants_the_right_name_from_a_trusted_root") {
  asio::io_context context{1};
  const auto trusting = verifying(files().certificate);
  for (const char* good : {"mail.example.test", "localhost", "127.0.0.1"}) {
    Streams streams(context);
    CAPTURE(good);
    CHECK(shake(context, streams, trusting, good).client);
  }
  for (const char* bad : {"other.example.test", "127.0.0.2", "example.test"}) {
    Streams streams(context);
    CAPTURE(bad);
    CHECK(code(shake(context, streams, trusting, bad).client) == Errc::denied);
  }
  const TlsFiles stranger;
  Streams streams(context);
  const auto refused = shake(context, streams, verifying(stranger.certificate)).client;
  CHECK(code(refused) == Errc::denied);
  Streams unnamed(context);
  CHECK(code(run_task(context, unnamed.client.start_tls_client(trusting, ""))) == Errc::invalid);
}

TEST_CASE("tls_client_that_does_not_verify_takes_any_certificate") {
  asio::io_context context{1};
  Streams streams(context);
  CHECK(shake(context, streams, opportunistic(), "other.example.test").client);
}

TEST_CASE("tls_cannot_be_started_twice") {
  asio::io_context context{1};
  Streams streams(context);
  REQUIRE(shake(context, streams, opportunistic()).server);
  CHECK(code(run_task(context, streams.server.start_tls_server(files().server()))) ==
        Errc::invalid);
}
