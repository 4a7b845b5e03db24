#include "message/header.hpp"

#include <catch2/catch.hpp>

using namespace postern::message;

TEST_CASE("header_fields_are_given_in_order_with_offsets") {
  const std::string text = "From: a@b\r\nSubject: one\r\n two\r\nX-Empty:\r\n\r\nBody: no\r\n";
  HeaderReader reader(text);
  const auto from = reader.next();
  REQUIRE(from);
  CHECK(from->name == "From");
  CHECK(from->value == " a@b");
  CHECK(from->offset == 0);
  CHECK(from->size == 11);
  const auto subject = reader.next();
  REQUIRE(subject);
  CHECK(subject->value == " one\r\n two");
  CHECK(unfold(subject->value) == "one two");
  CHECK(subject->offset == 11);
  const auto empty = reader.next();
  REQUIRE(empty);
  CHECK(empty->value.empty());
  CHECK_FALSE(reader.next());
  CHECK(text.substr(reader.position(), 2) == "\r\n");
}

TEST_CASE("header_lines_that_are_no_fields_have_no_name") {
  for (const std::string line : {"no colon here", ": nameless", "two words: x", "\x80: x"}) {
    INFO(line);
    const std::string text = line + "\r\nTo: x\r\n";
    HeaderReader reader(text);
    const auto junk = reader.next();
    REQUIRE(junk);
    CHECK(junk->name.empty());
    CHECK(junk->size == line.size() + 2);
    const auto to = reader.next();
    REQUIRE(to);
    CHECK(to->name == "To");
  }
}

TEST_CASE("header_name_with_space_before_colon_is_understood") {
  // RFC 5322 §4.5
  const HeaderBlock block = HeaderBlock::parse("Subject : x\r\n\r\n");
  CHECK(block.text("subject") == "x");
}

TEST_CASE("header_split_takes_the_blank_line") {
  const auto split = split_header("A: 1\r\nB: 2\r\n\r\nbody");
  CHECK(split.header == "A: 1\r\nB: 2\r\n\r\n");
  CHECK(split.body == "body");
  CHECK(split_header("A: 1\nB: 2\n\nbody").body == "body");
  CHECK(split_header("A: 1\r\n").body.empty());
  CHECK(split_header("\r\nbody").body == "body");
  CHECK(split_header("").header.empty());
}

TEST_CASE("header_block_finds_first_last_and_counts") {
  const std::string text = "Received: 1\r\nreceived: 2\r\nRECEIVED: 3\r\n\r\n";
  const HeaderBlock block = HeaderBlock::parse(text);
  CHECK(block.count("Received") == 3);
  CHECK(unfold(block.first("received")->value) == "1");
  CHECK(unfold(block.last("received")->value) == "3");
  CHECK(block.first("To") == nullptr);
  CHECK(block.first("") == nullptr);
  CHECK(block.size() == text.size());
  CHECK_FALSE(block.truncated());
}

TEST_CASE("header_field_limit_at_below_and_above") {
  const auto make = [](std::size_t fields) {
    std::string text;
    for (std::size_t i = 0; i < fields; ++i) text += "A: 1\r\n";
    return text + "\r\nbody";
  };
  for (const std::size_t fields : {kMaxHeaderFields - 1, kMaxHeaderFields}) {
    const std::string text = make(fields);
    const HeaderBlock block = HeaderBlock::parse(text);
    CHECK(block.fields().size() == fields);
    CHECK_FALSE(block.truncated());
    CHECK(block.size() == text.size() - 4);
  }
  const std::string text = make(kMaxHeaderFields + 1);
  const HeaderBlock block = HeaderBlock::parse(text);
  CHECK(block.fields().size() == kMaxHeaderFields);
  CHECK(block.truncated());
  CHECK(block.size() == text.size() - 4);
}

TEST_CASE("field_name_rules") {
  CHECK(is_field_name("X-Custom_1"));
  CHECK(is_field_name(std::string(76, 'a')));
  CHECK_FALSE(is_field_name(std::string(77, 'a')));
  CHECK_FALSE(is_field_name(""));
  CHECK_FALSE(is_field_name("a b"));
  CHECK_FALSE(is_field_name("a:"));
  CHECK_FALSE(is_field_name("\xc3\xa4"));
}
