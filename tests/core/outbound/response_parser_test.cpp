#include "core/outbound/response_parser.hpp"

#include <catch2/catch.hpp>

namespace {
using namespace postern;
using namespace postern::outbound;
using State = ResponseParser::State;

struct Outcome {
  State state = State::need_more;
  std::string body;
  std::string rest;
  Errc error = Errc::cancelled;
};

OutboundLimits small() {
  OutboundLimits limits;
  limits.header_bytes = 200;
  limits.body_bytes = 50;
  return limits;
}

// Offers the bytes in slices and then the end, as a connection would.
Outcome parse(std::string_view input, std::size_t slice,
              ResponseParser::Body body = ResponseParser::Body::read) {
  ResponseParser parser(small(), body);
  Outcome out;
  while (out.state == State::need_more) {
    std::size_t consumed = 0;
    out.state = parser.feed(out.rest, consumed);
    out.rest.erase(0, consumed);
    if (out.state != State::need_more) break;
    if (input.empty()) {
      out.state = parser.finish();
      break;
    }
    out.rest += input.substr(0, slice);
    input.remove_prefix(std::min(slice, input.size()));
  }
  if (out.state == State::complete) out.body = parser.take().body;
  if (out.state == State::failed) out.error = parser.error().code;
  return out;
}

constexpr std::size_t kWhole = 1'000'000;
}  // namespace

TEST_CASE("response_parser_result_is_the_same_in_slices_of_any_size", "[outbound]") {
  const std::pair<const char*, const char*> rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc"},
      {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", ""},
      {"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n00\r\n\r\n", "abc"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
       "1;a=\"b\"\r\na\r\nA\r\n0123456789\r\n0;x\r\nX: y\r\nZ: w\r\n\r\n",
       "a0123456789"},
      {"HTTP/1.0 200 OK\r\n\r\nabc", "abc"},
      {"HTTP/1.1 200 OK\r\n\r\n", ""},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", ""},
      {"HTTP/1.1 304 Not Modified\r\n\r\n", ""},
      {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz",
       "z"},
  };
  for (const auto& [input, body] : rows) {
    for (const std::size_t slice :
         {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, kWhole}) {
      CAPTURE(input, slice);
      const auto out = parse(input, slice);
      CHECK(out.state == State::complete);
      CHECK(out.body == body);
      CHECK(out.rest.empty());
    }
  }
}

TEST_CASE("response_parser_refuses_what_can_be_read_in_two_ways", "[outbound]") {
  for (const char* input :
       {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1a\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 99 x\r\n\r\n",
        "HTTP/1.1 099 x\r\n\r\n",
        "HTTP/1.1 2000 x\r\n\r\n",
        "HTTP/3.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA B: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA : c\r\n\r\n",
        "\r\nHTTP/1.1 200 OK\r\n\r\n"}) {
    for (const std::size_t slice : {std::size_t{1}, kWhole}) {
      CAPTURE(input, slice);
      CHECK(parse(input, slice).error == Errc::io);
    }
  }
}

TEST_CASE("response_parser_bounds_what_no_body_or_header_limit_counts", "[outbound]") {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::size_t slice : {std::size_t{1}, kWhole}) {
    CAPTURE(slice);
    CHECK(parse(chunked + "1;" + std::string(1'000, 'x'), slice).error == Errc::too_large);
    CHECK(parse(chunked + "0\r\nX: " + std::string(1'000, 'x'), slice).error == Errc::too_large);
    CHECK(parse(chunked + std::string(1'000, '0'), slice).error == Errc::too_large);
    CHECK(parse("HTTP/1.1 200 " + std::string(1'000, 'x'), slice).error == Errc::too_large);
    std::string early;
    for (int i = 0; i < 8; ++i) early += "HTTP/1.1 102 Wait\r\n\r\n";
    CHECK(parse(early + "HTTP/1.1 200 OK\r\n\r\n", slice).state == State::complete);
    CHECK(parse(early + early, slice).error == Errc::too_large);
  }
}

TEST_CASE("response_parser_header_and_body_at_and_above_their_limits_in_slices", "[outbound]") {
  const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
  const std::size_t room = small().header_bytes - start.size() - 4;
  for (const std::size_t slice : {std::size_t{1}, std::size_t{9}, kWhole}) {
    CAPTURE(slice);
    CHECK(parse(start + std::string(room, 'x') + "\r\n\r\n", slice).state == State::complete);
    CHECK(parse(start + std::string(room + 1, 'x') + "\r\n\r\n", slice).error == Errc::too_large);
    CHECK(parse("HTTP/1.1 200 OK\r\n\r\n" + std::string(50, 'x'), slice).state == State::complete);
    CHECK(parse("HTTP/1.1 200 OK\r\n\r\n" + std::string(51, 'x'), slice).error == Errc::too_large);
  }
}

TEST_CASE("response_parser_of_a_connect_answer_takes_no_body", "[outbound]") {
  const auto out = parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", kWhole,
                         ResponseParser::Body::none);
  CHECK(out.state == State::complete);
  CHECK(out.rest == "abcde");
  CHECK(parse("HTTP/1.1 403 No\r\n\r\n", 1, ResponseParser::Body::none).state == State::complete);
}

TEST_CASE("response_parser_without_a_whole_answer_fails_at_the_end", "[outbound]") {
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (std::size_t cut = 0; cut < answer.size(); ++cut) {
    CAPTURE(cut);
    CHECK(parse(std::string_view(answer).substr(0, cut), kWhole).error == Errc::io);
  }
}
