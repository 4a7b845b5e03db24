// The end of a connection that one side begins: what the other side's answer tells.
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/core/sockets.hpp"

namespace {
using namespace postern;
using namespace postern::test;

const TlsFiles& files() {
  static const TlsFiles made;
  return made;
}

enum class Over : std::uint8_t { plain, tls };

struct Pair {
  explicit Pair(Over over) {
    if (over == Over::plain) return;
    Started<Result<void>> server(io, streams.server.start_tls_server(files().server()));
    Started<Result<void>> client(io, streams.client.start_tls_client(opportunistic(), ""));
    REQUIRE(client.get(io));
    REQUIRE(server.get(io));
  }
  asio::io_context io{1};
  Streams streams{io};
};

/// A TLS pair whose server can do to TCP what its Stream never does.
struct Wired {
  Wired() {
    Started<Result<void>> server(io, streams.server.start_tls_server(files().server()));
    REQUIRE(run_task(io, streams.client.start_tls_client(opportunistic(), "")));
    REQUIRE(server.get(io));
  }
  ~Wired() { ::close(wire); }
  Wired(const Wired&) = delete;
  Wired& operator=(const Wired&) = delete;

  void send_raw(std::string_view bytes) const {
    REQUIRE(::send(wire, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(bytes.size()));
  }
  void end_tcp() const { REQUIRE(::shutdown(wire, SHUT_WR) == 0); }

  asio::io_context io{1};
  Sockets sockets = connected_sockets(io);
  int wire = ::dup(sockets.server.native_handle());
  Streams streams{std::move(sockets)};
};
}  // namespace

TEST_CASE("finish_waits_until_the_peer_has_read_everything_and_ended", "[stream]") {
  for (const auto over : {Over::plain, Over::tls}) {
    Pair pair(over);
    REQUIRE(run_task(pair.io, pair.streams.client.write_all("hello")));
    Started<Result<void>> finish(pair.io, pair.streams.client.finish());
    CHECK(run_task(pair.io, read_exactly(pair.streams.server, 100)) == "hello");  // to our end
    CHECK_FALSE(finish.done());
    // What still comes is dropped.
    REQUIRE(run_task(pair.io, pair.streams.server.write_all(std::string(10'000, 'x'))));
    CHECK_FALSE(finish.done());
    pair.streams.server.close();
    CHECK(finish.get(pair.io));
  }
}

TEST_CASE("peer_that_ended_first_is_an_error_of_finish", "[stream]") {
  for (const auto over : {Over::plain, Over::tls}) {
    Pair pair(over);
    REQUIRE(run_task(pair.io, pair.streams.client.write_all("hello")));
    pair.streams.server.close();
    CHECK(code(run_task(pair.io, pair.streams.client.finish())) == Errc::io);
  }
}

TEST_CASE("peer_that_leaves_something_unread_is_an_error_of_finish", "[stream]") {
  asio::io_context io{1};
  auto sockets = connected_sockets(io);
  Stream client(std::move(sockets.client));
  REQUIRE(run_task(io, client.write_all("hello")));
  Started<Result<void>> finish(io, client.finish());
  io.poll();
  CHECK_FALSE(finish.done());
  sockets.server.close();  // the kernel resets: "hello" was never read
  CHECK(code(finish.get(io)) == Errc::io);
}

// RFC 8446 §6.1: anybody on the way can end TCP; close_notify is the peer's own word.
TEST_CASE("end_of_tcp_without_close_notify_is_an_error_of_finish", "[stream]") {
  Wired pair;
  REQUIRE(run_task(pair.io, pair.streams.client.write_all("hello")));
  Started<Result<void>> finish(pair.io, pair.streams.client.finish());
  CHECK(run_task(pair.io, read_exactly(pair.streams.server, 100)) == "hello");
  CHECK_FALSE(finish.done());
  pair.end_tcp();
  CHECK(code(finish.get(pair.io)) == Errc::io);
}

TEST_CASE("end_of_tcp_behind_close_notify_is_none", "[stream]") {
  Wired pair;
  REQUIRE(run_task(pair.io, pair.streams.client.write_all("hello")));
  Started<Result<void>> finish(pair.io, pair.streams.client.finish());
  CHECK(run_task(pair.io, read_exactly(pair.streams.server, 100)) == "hello");
  pair.streams.server.close();  // close_notify alone: TCP is still open
  pair.io.restart();
  pair.io.poll();
  CHECK_FALSE(finish.done());
  pair.end_tcp();
  CHECK(finish.get(pair.io));
}

TEST_CASE("bytes_behind_close_notify_are_an_error_of_finish", "[stream]") {
  Wired pair;
  REQUIRE(run_task(pair.io, pair.streams.client.write_all("hello")));
  Started<Result<void>> finish(pair.io, pair.streams.client.finish());
  CHECK(run_task(pair.io, read_exactly(pair.streams.server, 100)) == "hello");
  pair.streams.server.close();
  SECTION("that come with it") {}
  SECTION("that come later") {
    pair.io.restart();
    pair.io.poll();
  }
  CHECK_FALSE(finish.done());
  pair.send_raw("x");
  pair.end_tcp();
  CHECK(code(finish.get(pair.io)) == Errc::io);
}

TEST_CASE("close_ends_a_finish_that_waits", "[stream]") {
  for (const auto over : {Over::plain, Over::tls}) {
    Pair pair(over);
    Started<Result<void>> finish(pair.io, pair.streams.client.finish());
    pair.io.poll();
    CHECK_FALSE(finish.done());
    pair.streams.client.close();
    CHECK(code(finish.get(pair.io)) == Errc::cancelled);
    CHECK(code(run_task(pair.io, pair.streams.client.finish())) == Errc::cancelled);
  }
}
