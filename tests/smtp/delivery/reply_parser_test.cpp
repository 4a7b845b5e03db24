#include "smtp/delivery/reply_parser.hpp"

#include <catch2/catch.hpp>

#include "smtp/delivery/dot_stuffer.hpp"
#include "smtp/delivery/ehlo.hpp"
#include "smtp/delivery/orcpt.hpp"

using namespace postern;
using namespace postern::smtp;
using namespace postern::smtp::delivery;

namespace {
Result<std::optional<queue::Reply>> parse(std::string_view text) {
  ReplyParser parser;
  return parser.feed(text);
}
}  // namespace

TEST_CASE("reply_forms_that_are_understood") {
  struct Row {
    std::string text;
    queue::Reply expected;
  };
  const std::vector<Row> table{
      {"220 mx.example ready\r\n", {220, {}, "mx.example ready"}},
      {"250\r\n", {250, {}, ""}},
      {"250 \r\n", {250, {}, ""}},
      {"354 go\n", {354, {}, "go"}},
      {"550 5.1.1 no such user\r\n", {550, {5, 1, 1}, "no such user"}},
      {"550-5.1.1 no such\r\n550 5.1.1 user\r\n", {550, {5, 1, 1}, "no such\nuser"}},
      {"250-first\r\n250-\r\n250 last\r\n", {250, {}, "first\n\nlast"}},
      {"550 4.1.1 class differs\r\n", {550, {}, "4.1.1 class differs"}},
      {"550 5.1.1\r\n", {550, {5, 1, 1}, ""}},
      {"250 a\x01"
       "b\tc\r\n",
       {250, {}, "a?b c"}},
  };
  for (const auto& row : table) {
    const auto reply = parse(row.text);
    REQUIRE(reply);
    REQUIRE(*reply);
    CHECK(**reply == row.expected);
    ReplyParser bytewise;
    std::optional<queue::Reply> last;
    for (const char& c : row.text) {
      CHECK_FALSE(last);
      std::string_view one(&c, 1);
      auto step = bytewise.feed(one);
      REQUIRE(step);
      last = *step;
    }
    REQUIRE(last);
    CHECK(*last == row.expected);
  }
}

TEST_CASE("reply_forms_that_are_refused") {
  for (const auto* text :
       {"\r\n", "25 x\r\n", "abc\r\n", "150 x\r\n", "650 x\r\n", "250x\r\n", "250-a\r\n251 b\r\n",
        "250-a\r\nxyz\r\n", "-250 x\r\n", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 400 Bad Request\r\n"}) {
    INFO(text);
    CHECK_FALSE(parse(text));
  }
}

TEST_CASE("reply_line_length_is_bounded") {
  const auto line = [](std::size_t size) { return "250 " + std::string(size - 6, 'x') + "\r\n"; };
  CHECK(parse(line(kMaxReplyLine - 1)));
  CHECK(parse(line(kMaxReplyLine)));
  CHECK_FALSE(parse(line(kMaxReplyLine + 1)));
  CHECK_FALSE(parse(std::string(kMaxReplyLine + 1, '2')));  // never ends
  CHECK((*parse(line(kMaxReplyLine)))->text.size() <= queue::kMaxReplyText);
}

TEST_CASE("reply_line_count_is_bounded") {
  const auto reply = [](std::size_t lines) {
    std::string text;
    for (std::size_t i = 1; i < lines; ++i) text += "250-x\r\n";
    return text + "250 x\r\n";
  };
  CHECK(parse(reply(kMaxReplyLines)));
  CHECK_FALSE(parse(reply(kMaxReplyLines + 1)));
}

TEST_CASE("pipelined_replies_come_one_by_one") {
  std::string_view input = "250 a\r\n550 b\r\n35";
  ReplyParser parser;
  CHECK((*parser.feed(input))->code == 250);
  CHECK((*parser.feed(input))->code == 550);
  CHECK_FALSE(*parser.feed(input));
  CHECK(parser.in_reply());
}

TEST_CASE("ehlo_keywords_are_read_and_garbage_is_passed_over") {
  const auto c = parse_ehlo({"mx.example STARTTLS", "pipelining", "SIZE 1000", "8BITMIME", "DSN ",
                             "LIMITS RCPTMAX=10 MAILMAX=x =", "", "X-FOO bar", "SIZEX 7"});
  CHECK_FALSE(c.starttls);  // the first line is a greeting
  CHECK(c.pipelining);
  CHECK(c.size);
  CHECK(c.max_size == 1000);
  CHECK(c.eight_bit_mime);
  CHECK(c.dsn);
  CHECK(c.max_recipients == 10);
  CHECK(c.max_messages == 0);
  CHECK(parse_ehlo({"x", "SIZE 99999999999999999999999"}).max_size == 0);
  CHECK(parse_ehlo({}).size == false);
}

TEST_CASE("dot_stuffing_whole_and_in_every_split") {
  const std::vector<std::pair<std::string, std::string>> table{
      {"", ".\r\n"},
      {"a\r\n", "a\r\n.\r\n"},
      {"a", "a\r\n.\r\n"},
      {".\r\n", "..\r\n.\r\n"},
      {"..a\r\n.b\r\nc.\r\n", "...a\r\n..b\r\nc.\r\n.\r\n"},
      {"\r\n.\r\n", "\r\n..\r\n.\r\n"},
  };
  for (const auto& [body, wire] : table) {
    for (std::size_t split = 0; split <= body.size(); ++split) {
      DotStuffer stuffer;
      const auto first = stuffer.feed(body.substr(0, split));
      const auto second = stuffer.feed(body.substr(split));
      const auto end = stuffer.finish();
      REQUIRE((first && second && end));
      CHECK(*first + *second + *end == wire);
    }
  }
}

TEST_CASE("bare_line_ends_in_a_body_are_never_sent") {
  for (const std::string body : {"a\nb\r\n", "a\rb\r\n", "\n", "\r\r\n", "a\r\n.\n"}) {
    for (std::size_t split = 0; split <= body.size(); ++split) {
      DotStuffer stuffer;
      CHECK_FALSE((stuffer.feed(body.substr(0, split)) && stuffer.feed(body.substr(split)) &&
                   stuffer.finish()));
    }
  }
  DotStuffer open_end;
  CHECK(open_end.feed("a\r"));
  CHECK_FALSE(open_end.finish());
}

TEST_CASE("orcpt_is_encoded_by_its_type") {
  CHECK(encode_orcpt("rfc822;a+b=c@d.example", Charset::ascii) == "rfc822;a+2Bb+3Dc@d.example");
  CHECK(encode_orcpt("utf-8;\xC3\xA9@d.example", Charset::ascii) == "utf-8;\\x{E9}@d.example");
  CHECK(encode_orcpt("utf-8;\xC3\xA9@d.example", Charset::utf8) == "utf-8;\xC3\xA9@d.example");
  for (const auto* bad : {"", "noaddress", ";x", "rfc822;", "a b;c", "utf-8;\xff"}) {
    CHECK(encode_orcpt(bad, Charset::ascii).empty());
  }
}
