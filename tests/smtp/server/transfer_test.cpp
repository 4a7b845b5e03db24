// DATA and BDAT within a conversation: where a message ends, and that a refused one is read to
// there.
#include <catch2/catch.hpp>

#include "conversation_driver.hpp"

using namespace postern;
using namespace postern::smtp;
using namespace postern::smtp::test;

namespace {

const std::string kMail = "MAIL FROM:<a@x.example>\r\n";
const std::string kRcpt = "RCPT TO:<b@y.example>\r\n";
const std::string kOpen = kMail + kRcpt;
const std::string kText = "Subject: hi\r\n\r\nbody\r\n";

struct Greeted : Driver {
  explicit Greeted(std::shared_ptr<ServerConfig> config = make_config())
      : Driver(std::move(config)) {
    say("EHLO c.example\r\n");
  }
};

std::string bdat(const std::string& chunk, const std::string& end = "") {
  return "BDAT " + std::to_string(chunk.size()) + end + "\r\n" + chunk;
}

}  // namespace

TEST_CASE("smuggling_gives_one_refusal_and_no_second_message") {
  struct Row {
    std::string end;
    std::string reply;
  };
  const std::vector<Row> table = {
      {"\n.\n", "550 5.6.11"},       {"\r\n.\n", "550 5.6.11"},       {"\n.\r\n", "550 5.6.11"},
      {"\r.\r\n", "550 5.6.11"},     {"\r.\r", "550 5.6.11"},         {"\r\n.\r", "550 5.6.11"},
      {"\r\n.\r\r\n", "550 5.6.11"}, {"\r\r\n.\r\r\n", "550 5.6.11"},
  };
  for (const auto& row : table) {
    const std::string smuggled = "MAIL FROM:<evil@z>\r\nRCPT TO:<v@y>\r\nDATA\r\nevil\r\n";
    const std::string wire = "Subject: a\r\n\r\nbody" + row.end + smuggled + ".\r\nNOOP\r\n";
    for (std::size_t slice = 1; slice <= wire.size(); ++slice) {
      Greeted driver;
      driver.say(kOpen + "DATA\r\n");
      const std::string replies = driver.say(wire, slice);
      INFO(row.end << " by " << slice);
      REQUIRE(replies.starts_with(row.reply));
      REQUIRE(Driver::codes_of(replies) == "550 250");
      REQUIRE(driver.script.accepted.empty());
      REQUIRE(driver.script.sinks_alive == 0);
    }
  }
}

TEST_CASE("faults_in_data_have_their_replies") {
  auto config = make_config();
  config->limits.text.line = 50;
  config->limits.text.message = 300;
  config->limits.text.header = 100;
  config->limits.text.fields = 3;
  struct Row {
    std::string text;
    std::string reply;
  };
  const std::string nul("a\0b\r\n", 5);
  const std::vector<Row> table = {
      {"A: b\rc\r\n", "550 5.6.11"},
      {"A: b\nc\r\n", "550 5.6.11"},
      {nul, "554 5.6.0"},
      {std::string(51, 'x') + "\r\n", "554 5.6.0"},
      {"A: b\r\n\r\n" + std::string(51, 'x') + "\r\n", "554 5.6.0"},
      {"A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n", "554 5.6.0"},
      {"A: " + std::string(40, 'x') + "\r\n " + std::string(45, 'x') + "\r\n " + "abcdef\r\n",
       "552 5.3.4"},
  };
  for (const auto& row : table) {
    Greeted driver(config);
    INFO(row.text);
    driver.say(kOpen + "DATA\r\n");
    CHECK(driver.say(row.text + ".\r\n").starts_with(row.reply));
    driver.say(kOpen);
    CHECK(driver.say(bdat(row.text, " LAST")).starts_with(row.reply));
    CHECK(driver.script.accepted.empty());
    CHECK(driver.codes(kOpen + "DATA\r\nok\r\n.\r\n") == "250 250 354 250");
  }
  Greeted driver(config);
  std::string large = "A: b\r\n\r\n";
  while (large.size() < 300) large += "0123456789\r\n";
  driver.say(kOpen + "DATA\r\n");
  CHECK(driver.say(large + ".\r\n").starts_with("552 5.3.4"));
}

TEST_CASE("message_size_at_below_above") {
  auto config = make_config();
  config->limits.text.message = 100;
  for (const std::size_t size : {99U, 100U, 101U}) {
    const std::string text = "\r\n" + std::string(size - 4, 'x') + "\r\n";
    const std::string answer = size <= 100 ? "250" : "552";
    Greeted driver(config);
    CHECK(driver.codes(kOpen + "DATA\r\n" + text + ".\r\n") == "250 250 354 " + answer);
    CHECK(driver.codes(kOpen + bdat(text, " LAST")) == "250 250 " + answer);
    CHECK(driver.codes("MAIL FROM:<a@x> SIZE=" + std::to_string(size) + "\r\n") == answer);
  }
}

TEST_CASE("bdat_chunks_make_one_message_however_sliced") {
  const std::string input =
      kOpen + bdat("Subject: a\r") + bdat("\n\r\n.\r\n..x") + bdat("\r\n", " LAST") + "NOOP\r\n";
  for (std::size_t slice = 1; slice <= input.size(); ++slice) {
    Greeted driver;
    CHECK(driver.codes(input, slice) == "250 250 250 250 250 250");
    REQUIRE(driver.script.accepted.size() == 1);
    CHECK(driver.script.accepted[0].text == "Subject: a\r\n\r\n.\r\n..x\r\n");
  }
}

TEST_CASE("bdat_zero_last_ends_the_message") {
  Greeted driver;
  CHECK(driver.codes(kOpen + bdat(kText) + "BDAT 0 LAST\r\n") == "250 250 250 250");
  REQUIRE(driver.script.accepted.size() == 1);
  CHECK(driver.script.accepted[0].text == kText);
  CHECK(driver.codes(kOpen + "BDAT 0 LAST\r\n") == "250 250 250");
  CHECK(driver.script.accepted[1].text.empty());
}

TEST_CASE("bdat_refused_chunks_are_consumed_exactly") {
  // The chunk looks like commands; none may run.
  const std::string chunk = "QUIT\r\nRSET\r\n";
  for (std::size_t slice = 1; slice < 40; ++slice) {
    Greeted driver;
    CHECK(driver.codes(bdat(chunk) + "NOOP\r\n", slice) == "503 250");
    CHECK(driver.codes(kMail + bdat(chunk) + "NOOP\r\n", slice) == "250 503 250");
    CHECK_FALSE(driver.closed);
  }
  Greeted driver;
  driver.script.recipients["b@y.example"] = {550, {5, 1, 1}, "No"};
  CHECK(driver.codes(kOpen + bdat(chunk, " LAST") + "NOOP\r\n") == "250 550 554 250");
}

TEST_CASE("bdat_failed_chunk_loses_the_message_and_the_rest_is_dropped") {
  Greeted driver;
  CHECK(driver.codes(kOpen + bdat("ok\r\n") + bdat("bare\nlf\r\n") + bdat("more\r\n") +
                     bdat("end\r\n", " LAST") + "NOOP\r\n") == "250 250 250 550 503 503 250");
  CHECK(driver.script.accepted.empty());
  CHECK(driver.script.sinks_alive == 0);
  CHECK(driver.codes(kOpen + bdat(kText, " LAST")) == "250 250 250");
}

TEST_CASE("bdat_last_with_open_cr_is_refused") {
  Greeted driver;
  CHECK(driver.codes(kOpen + bdat("a\r", " LAST")) == "250 250 550");
  CHECK(driver.codes(kOpen + bdat("a\r") + "BDAT 0 LAST\r\n") == "250 250 250 550");
}

TEST_CASE("bdat_smuggling_across_chunks_is_refused") {
  for (const auto& [first, second] :
       std::vector<std::pair<std::string, std::string>>{{"a\r", "b\r\n"},
                                                        {"a", "\n.\n"},
                                                        {"a\r\n.", "\n"},
                                                        {"a\n", ".\r\n"},
                                                        {"a\r\n.\r", "\r\n"}}) {
    Greeted driver;
    const std::string codes =
        driver.codes(kOpen + bdat(first) + bdat(second, " LAST") + "NOOP\r\n");
    INFO(codes);
    CHECK((codes == "250 250 250 550 250" || codes == "250 250 550 503 250"));
    CHECK(driver.script.accepted.empty());
  }
}

TEST_CASE("backend_refusing_begin_append_or_commit") {
  Greeted driver;
  driver.script.begin = Reply{451, {4, 3, 0}, "Begin"};
  CHECK(driver.codes(kOpen + "DATA\r\n") == "250 250 451");
  CHECK(driver.codes(kOpen + bdat("QUIT\r\n") + "NOOP\r\n") == "250 250 451 250");
  driver.script.begin.reset();
  driver.script.append = Reply{452, {4, 3, 1}, "Append"};
  CHECK(driver.codes(kOpen + "DATA\r\n" + kText + ".\r\nNOOP\r\n") == "250 250 354 452 250");
  CHECK(driver.codes(kOpen + bdat(kText) + bdat(kText, " LAST") + "NOOP\r\n") ==
        "250 250 452 503 250");
  driver.script.append.reset();
  driver.script.commit = Reply{554, {5, 7, 1}, "Commit"};
  CHECK(driver.codes(kOpen + "DATA\r\n" + kText + ".\r\nNOOP\r\n") == "250 250 354 554 250");
  CHECK(driver.codes(kOpen + bdat(kText, " LAST")) == "250 250 554");
  CHECK(driver.script.accepted.empty());
  CHECK(driver.script.sinks_alive == 0);
}

TEST_CASE("sink_is_dropped_as_soon_as_the_message_is_lost") {
  Greeted driver;
  driver.say(kOpen + "DATA\r\nfine\r\n");
  CHECK(driver.script.sinks_alive == 1);
  driver.say("bare\nlf");
  CHECK(driver.script.sinks_alive == 0);
  CHECK(driver.conversation.transaction().memory.held() == 0);
  CHECK(driver.codes("\r\n.\r\n") == "550");
}

TEST_CASE("byte_budget_is_reserved_before_data_and_bounded") {
  auto config = make_config();
  config->limits.set_aside = 40'000;
  config->budget = std::make_shared<ByteBudget>(50'000);
  Greeted first(config);
  Greeted second(config);
  CHECK(first.codes("MAIL FROM:<a@x> SIZE=1000000\r\n" + kRcpt + "DATA\r\n") == "250 250 354");
  CHECK(config->budget->used() == 40'000);
  const std::string busy = second.say(kOpen + "DATA\r\n");
  CHECK(busy.find("452 4.3.1") != std::string::npos);
  CHECK(second.codes(kOpen + bdat("QUIT\r\n") + "NOOP\r\n") == "250 250 452 250");
  CHECK(first.codes(kText + ".\r\n") == "250");
  CHECK(config->budget->used() == 0);
  CHECK(second.codes(kOpen + "DATA\r\n" + kText + ".\r\n") == "250 250 354 250");
}

TEST_CASE("byte_budget_spent_midway_refuses_after_the_end") {
  auto config = make_config();
  config->limits.set_aside = 100'000;
  config->budget = std::make_shared<ByteBudget>(20'000);
  Greeted driver(config);
  driver.say(kOpen + "DATA\r\n");
  std::string text;
  while (text.size() < 60'000) text += "0123456789012345678901234567890123456789\r\n";
  CHECK(driver.say("\r\n" + text + ".\r\n", 8192).starts_with("452 4.3.1"));
  CHECK(config->budget->used() == 0);
}

TEST_CASE("byte_budget_counts_and_gives_back") {
  auto budget = std::make_shared<ByteBudget>(100);
  {
    ByteBudget::Reservation a(budget);
    ByteBudget::Reservation b(budget);
    CHECK(a.grow_to(99));
    CHECK(b.grow_to(1));
    CHECK_FALSE(b.grow_to(2));
    CHECK(b.held() == 1);
    CHECK(a.grow_to(10));
    CHECK(budget->used() == 100);
    a = {};
    CHECK(budget->used() == 1);
    CHECK(b.grow_to(100));
  }
  CHECK(budget->used() == 0);
}
