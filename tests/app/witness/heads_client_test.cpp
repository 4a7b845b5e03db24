// The witness against servers that mean it no good: a scripted peer on a unix socket.
#include "app/witness/heads_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>

#include "tests/support/run_task.hpp"
#include "tests/support/temp_directory.hpp"

using namespace postern;
using Local = asio::local::stream_protocol;

namespace {

Task<void> speak(Local::acceptor* acceptor, std::string text) {
  auto socket = co_await acceptor->async_accept(asio::use_awaitable);
  boost::system::error_code ignored;
  std::array<char, 4096> request{};
  co_await socket.async_read_some(asio::buffer(request),
                                  asio::redirect_error(asio::use_awaitable, ignored));
  co_await asio::async_write(socket, asio::buffer(text),
                             asio::redirect_error(asio::use_awaitable, ignored));
}

Result<accounts::audit::Heads> answered(const std::string& text) {
  const test::TempDirectory directory;
  asio::io_context context{1};
  Local::acceptor acceptor(context, Local::endpoint(directory.file("socket")));
  asio::co_spawn(context, speak(&acceptor, text), asio::detached);
  return test::run_task(context, witness::ask_heads(directory.file("socket")));
}

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("heads_come_from_an_honest_server", "[audit]") {
  const auto heads = answered(ok(R"({"at":"2026-01-31T12:00:00Z","heads":[{"chain":"platform",)"
                                 R"("number":3,"mac":")" +
                                 std::string(64, 'c') + R"("}]})"));
  REQUIRE(heads);
  REQUIRE(heads->ends.size() == 1);
  CHECK(heads->ends[0].number == 3);
}

TEST_CASE("answers_that_are_no_heads_are_errors_with_nothing_of_them_in_the_text", "[audit]") {
  struct Case {
    std::string text;
    Errc code;
  };
  const std::vector<Case> cases{
      {"", Errc::io},
      {"evil", Errc::io},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"evil", Errc::io},
      {"HTTP/1.1 200 OK\r\nContent-Length: 16777217\r\n\r\nevil", Errc::io},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(10'000, 'e') + "\r\n\r\n", Errc::io},
      {"HTTP/1.1 500 evil\r\nContent-Length: 4\r\n\r\nevil", Errc::temporary},
      {"HTTP/1.1 204 evil\r\n\r\n", Errc::temporary},
      {ok("evil"), Errc::corrupt},
      {ok(R"({"evil":1})"), Errc::corrupt}};
  for (const auto& one : cases) {
    INFO(one.text.substr(0, 100));
    const auto heads = answered(one.text);
    REQUIRE_FALSE(heads);
    CHECK(heads.error().code == one.code);
    CHECK(heads.error().message.find("evil") == std::string::npos);
  }
}

TEST_CASE("server_that_says_nothing_is_waited_for_no_longer_than_that", "[audit]") {
  const test::TempDirectory directory;
  asio::io_context context{1};
  const auto path = directory.file("socket");
  // It listens, so connecting and asking succeed, and never answers.
  const Local::acceptor acceptor(context, Local::endpoint(path));
  const auto heads =
      test::run_task(context, witness::ask_heads(path, std::chrono::milliseconds(50)));
  REQUIRE_FALSE(heads);
  CHECK(heads.error().code == Errc::io);
}

TEST_CASE("witness_without_a_server_gets_an_error_that_names_the_socket", "[audit]") {
  const test::TempDirectory directory;
  asio::io_context context{1};
  const auto path = directory.file("nobody");
  const auto heads = test::run_task(context, witness::ask_heads(path));
  REQUIRE_FALSE(heads);
  CHECK(heads.error().code == Errc::io);
  CHECK(heads.error().message.find(path) != std::string::npos);
  CHECK_FALSE(test::run_task(context, witness::ask_heads(std::string(200, 'x'))));
}
