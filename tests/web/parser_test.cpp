#include "web/http/parser.hpp"

#include <catch2/catch.hpp>

using namespace postern::web;
using State = RequestParser::State;

namespace {

// Feeds like a session does: what isn't consumed stays in front of the next bytes.
struct Feeder {
  RequestParser parser;
  std::string pending;

  explicit Feeder(HttpLimits limits = {}) : parser(limits) {}
  State feed(std::string_view bytes) {
    pending += bytes;
    std::size_t consumed = 0;
    const State state = parser.feed(pending, consumed);
    pending.erase(0, consumed);
    return state;
  }
};

constexpr std::string_view kPost =
    "POST /v1/tenants?a=1&b=x%20y HTTP/1.1\r\nHost: h\r\nX-Thing: Value\r\nContent-Length: "
    "14\r\n\r\n{\"name\":\"one\"}";

}  // namespace

TEST_CASE("request_whole_is_parsed") {
  Feeder feeder;
  REQUIRE(feeder.feed(kPost) == State::complete);
  CHECK(feeder.parser.keep_alive());
  const Request request = feeder.parser.take();
  CHECK(request.method == Method::post);
  CHECK(request.path == "/v1/tenants");
  CHECK(request.query.at("a") == "1");
  CHECK(request.query.at("b") == "x y");
  CHECK(request.headers.at("x-thing") == "Value");
  CHECK(request.body == R"({"name":"one"})");
}

TEST_CASE("request_byte_by_byte_is_parsed_the_same") {
  Feeder feeder;
  for (std::size_t i = 0; i + 1 < kPost.size(); ++i)
    REQUIRE(feeder.feed(kPost.substr(i, 1)) == State::need_more);
  REQUIRE(feeder.feed(kPost.substr(kPost.size() - 1)) == State::complete);
  CHECK(feeder.parser.take().body == R"({"name":"one"})");
}

TEST_CASE("pipelined_requests_come_one_by_one") {
  Feeder feeder;
  const std::string two = "GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n";
  REQUIRE(feeder.feed(two) == State::complete);
  CHECK(feeder.parser.take().path == "/a");
  REQUIRE(feeder.feed("") == State::complete);
  CHECK(feeder.parser.take().path == "/b");
}

TEST_CASE("broken_requests_are_refused_with_their_status") {
  struct Case {
    std::string_view input;
    unsigned status;
  };
  const std::string long_header = "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n";
  const std::string endless = std::string(20'000, 'a');
  for (const auto& [input, status] : {
           Case{"NONSENSE\r\n\r\n", 400},
           Case{"GET / HTTP/3.0\r\n\r\n", 505},
           Case{"BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", 501},
           Case{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\n", 413},
           Case{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                400},
           Case{"GET / HTTP/1.1\r\n\r\n", 400},
           Case{"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
           Case{"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                501},
           Case{"GET / HTTP/1.1\r\nBad Name: x\r\n\r\n", 400},
           Case{long_header, 431},
           Case{endless, 431},
       }) {
    Feeder feeder;
    INFO(input.substr(0, 60));
    REQUIRE(feeder.feed(input) == State::failed);
    CHECK(feeder.parser.failure_status() == status);
  }
}

TEST_CASE("body_at_the_limit_passes_and_above_is_413") {
  const HttpLimits limits{16 * 1024, 10};
  Feeder at(limits);
  CHECK(at.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789") ==
        State::complete);
  Feeder above(limits);
  REQUIRE(above.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n") == State::failed);
  CHECK(above.parser.failure_status() == 413);
}

TEST_CASE("percent_decode_takes_whole_escapes_only") {
  CHECK(percent_decode("%41b%2fc") == "Ab/c");
  CHECK_FALSE(percent_decode("%4").has_value());
  CHECK_FALSE(percent_decode("%zz").has_value());
  CHECK_FALSE(percent_decode("a%00b").has_value());
}

TEST_CASE("head_is_get_whose_answer_has_no_content") {
  Feeder feeder;
  REQUIRE(feeder.feed("HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n") == State::complete);
  const auto request = feeder.parser.take();
  CHECK(request.method == Method::get);
  CHECK(request.content == Content::omitted);
  REQUIRE(feeder.feed("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n") == State::complete);
  CHECK(feeder.parser.take().content == Content::sent);
}

TEST_CASE("chunked_body_that_comes_octet_by_octet_is_read") {
  Feeder feeder;
  const std::string request =
      "POST /v1/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nabcde\r\n1;x=y\r\nf\r\n0\r\nTrailer: t\r\n\r\n";
  for (std::size_t i = 0; i + 1 < request.size(); ++i) {
    REQUIRE(feeder.feed(request.substr(i, 1)) == State::need_more);
  }
  REQUIRE(feeder.feed(request.substr(request.size() - 1)) == State::complete);
  CHECK(feeder.parser.take().body == "abcdef");
}

TEST_CASE("chunk_lines_and_trailers_without_an_end_are_refused_at_the_limit_of_headers") {
  constexpr HttpLimits kSmall{512, 1024};
  constexpr std::string_view kChunked =
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view begun : {"5;", "0\r\nX-Trailer: "}) {
    INFO(begun);
    Feeder feeder(kSmall);
    REQUIRE(feeder.feed(kChunked) == State::need_more);
    auto state = feeder.feed(begun);
    std::size_t fed = 0;
    for (; state == State::need_more && fed < 4 * kSmall.header_bytes; fed += 16)
      state = feeder.feed(std::string(16, 'x'));
    CHECK(state == State::failed);
    CHECK(feeder.parser.failure_status() == 431);
    CHECK(feeder.pending.size() <= kSmall.header_bytes + 32);
  }
}
