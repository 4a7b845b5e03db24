#include "core/stream.hpp"

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

#include "tests/core/sockets.hpp"

namespace {
using namespace postern;
using namespace postern::test;
using namespace std::chrono_literals;

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>('a' + i % 23);
  return out;
}

void run_all(asio::io_context& context) {
  context.restart();
  context.poll();
}
}  // namespace

TEST_CASE("stream_carries_bytes_both_ways") {
  asio::io_context context{1};
  Streams streams(context);
  CHECK(run_task(context, streams.client.write_all("EHLO there\r\n")));
  CHECK(run_task(context, read_exactly(streams.server, 12)) == "EHLO there\r\n");
  CHECK(run_task(context, streams.server.write_all("250 ok\r\n")));
  CHECK(run_task(context, read_exactly(streams.client, 8, 1)) == "250 ok\r\n");
  CHECK_FALSE(streams.client.is_tls());
  CHECK(streams.client.tls_version().empty());
  CHECK(streams.client.tls_cipher_bits() == 0);
  CHECK(streams.client.remote() == streams.server.local());
  CHECK(streams.server.remote() == streams.client.local());
}

TEST_CASE("stream_over_a_unix_socket") {
  asio::io_context context{1};
  asio::local::stream_protocol::socket a(context);
  asio::local::stream_protocol::socket b(context);
  asio::local::connect_pair(a, b);
  Stream one(std::move(a));
  Stream other(std::move(b));
  CHECK(run_task(context, one.write_all("hello")));
  CHECK(run_task(context, read_exactly(other, 5)) == "hello");
  CHECK(one.remote() == Tcp::endpoint());
}

TEST_CASE("stream_write_waits_for_a_slow_reader") {
  asio::io_context context{1};
  Streams streams(context);
  const std::string data = pattern(8 << 20);
  Started<Result<void>> write(context, streams.client.write_all(data));
  run_all(context);
  CHECK_FALSE(write.done());
  CHECK(run_task(context, read_exactly(streams.server, data.size(), 65'536)) == data);
  CHECK(write.get(context));
}

TEST_CASE("stream_of_a_peer_that_closed_reads_zero") {
  asio::io_context context{1};
  Streams streams(context);
  CHECK(run_task(context, streams.client.write_all("last")));
  streams.client.close();
  CHECK_FALSE(streams.client.is_open());
  CHECK(run_task(context, read_exactly(streams.server, 100)) == "last");
  char byte = 0;
  CHECK(run_task(context, streams.server.read_some({&byte, 1})) == 0U);
  CHECK(run_task(context, streams.server.wait_readable()));
}

TEST_CASE("stream_write_to_a_peer_that_has_gone_is_an_error_not_a_signal") {
  asio::io_context context{1};
  Streams streams(context);
  streams.client.close();
  const std::string data = pattern(1 << 20);
  Result<void> written;
  for (int i = 0; i < 5 && written; ++i)
    written = run_task(context, streams.server.write_all(data));
  CHECK(code(written) == Errc::io);
}

TEST_CASE("stream_closed_while_reading_ends_the_read_as_cancelled") {
  asio::io_context context{1};
  Streams streams(context);
  char byte = 0;
  Started<Result<std::size_t>> read(context, streams.server.read_some({&byte, 1}));
  Started<Result<void>> idle(context, streams.client.wait_readable());
  run_all(context);
  CHECK_FALSE(read.done());
  streams.server.close();
  streams.client.close();
  CHECK(code(read.get(context)) == Errc::cancelled);
  CHECK(code(idle.get(context)) == Errc::cancelled);
  CHECK(code(run_task(context, streams.server.read_some({&byte, 1}))) == Errc::cancelled);
  CHECK(code(run_task(context, streams.server.write_all("x"))) == Errc::cancelled);
}

TEST_CASE("stream_closed_while_writing_ends_the_write_as_cancelled") {
  asio::io_context context{1};
  Streams streams(context);
  const std::string data = pattern(8 << 20);
  Started<Result<void>> write(context, streams.client.write_all(data));
  run_all(context);
  REQUIRE_FALSE(write.done());
  streams.client.close();
  CHECK(code(write.get(context)) == Errc::cancelled);
}

TEST_CASE("stream_destroyed_while_reading_ends_the_read_as_cancelled") {
  asio::io_context context{1};
  auto sockets = connected_sockets(context);
  auto stream = std::make_unique<Stream>(std::move(sockets.server));
  char byte = 0;
  Started<Result<std::size_t>> read(context, stream->read_some({&byte, 1}));
  run_all(context);
  stream.reset();
  CHECK(code(read.get(context)) == Errc::cancelled);
}

TEST_CASE("stream_and_its_reader_die_with_the_context") {
  auto context = std::make_unique<asio::io_context>(1);
  auto streams = std::make_unique<Streams>(*context);
  char byte = 0;
  Started<Result<std::size_t>> read(*context, streams->server.read_some({&byte, 1}));
  context->poll();
  streams.reset();
  context.reset();
  CHECK_FALSE(read.done());
}

TEST_CASE("stream_last_words_arrive_although_input_was_left_unread") {
  asio::io_context context{1};
  Streams streams(context);
  CHECK(run_task(context, streams.client.write_all(pattern(30'000))));
  CHECK(run_task(context, streams.server.write_all("421 too much\r\n")));
  streams.server.close();
  CHECK(run_task(context, read_exactly(streams.client, 14)) == "421 too much\r\n");
}

TEST_CASE("stream_reader_of_buffered_bytes_lets_others_run") {
  asio::io_context context{1};
  Streams streams(context);
  constexpr std::size_t kBytes = 2'000;
  CHECK(run_task(context, streams.client.write_all(pattern(kBytes))));
  REQUIRE(run_task(context, streams.server.wait_readable()));
  Started<std::string> read(context, read_exactly(streams.server, kBytes, 1));
  int turns = 0;
  for (context.restart(); !read.done() && turns < 10'000; ++turns) context.run_one();
  CHECK(read.get(context).size() == kBytes);
  CHECK(turns > 40);
}

TEST_CASE("stream_read_into_no_room_is_refused") {
  asio::io_context context{1};
  Streams streams(context);
  CHECK(code(run_task(context, streams.server.read_some({}))) == Errc::invalid);
  CHECK(run_task(context, streams.server.write_all("")));
}

TEST_CASE("connect_reaches_a_listener_from_the_address_asked_for") {
  asio::io_context context{1};
  Tcp::acceptor acceptor(context, Tcp::endpoint(kLoopback, 0));
  const auto from = asio::ip::make_address("127.0.0.2");
  auto stream = run_task(context, connect_tcp(acceptor.local_endpoint(), from, 5s));
  REQUIRE(stream);
  CHECK((*stream)->remote() == acceptor.local_endpoint());
  Tcp::socket accepted(context);
  acceptor.accept(accepted);
  CHECK(accepted.remote_endpoint().address() == from);
  Stream server(std::move(accepted));
  CHECK(run_task(context, (*stream)->write_all("hi")));
  CHECK(run_task(context, read_exactly(server, 2)) == "hi");
}

TEST_CASE("connect_to_nobody_is_an_io_error") {
  asio::io_context context{1};
  Tcp::acceptor acceptor(context, Tcp::endpoint(kLoopback, 0));
  const auto address = acceptor.local_endpoint();
  acceptor.close();
  CHECK(code(run_task(context, connect_tcp(address, asio::ip::address(), 5s))) == Errc::io);
}

TEST_CASE("connect_to_a_peer_that_never_answers_times_out") {
  asio::io_context context{1};
  // A full backlog: the kernel drops further SYNs.
  Tcp::acceptor acceptor(context);
  acceptor.open(Tcp::v4());
  acceptor.bind(Tcp::endpoint(kLoopback, 0));
  acceptor.listen(0);
  std::vector<std::unique_ptr<Stream>> held;
  Result<std::unique_ptr<Stream>> last = fail(Errc::invalid, "not tried");
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 8; ++i) {
    last = run_task(context, connect_tcp(acceptor.local_endpoint(), asio::ip::address(), 100ms));
    if (!last) break;
    held.push_back(std::move(*last));
  }
  CHECK(code(last) == Errc::timeout);
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}
