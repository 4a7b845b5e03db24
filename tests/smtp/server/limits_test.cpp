// Every counted limit of a session, at, below and above.
#include <catch2/catch.hpp>

#include "conversation_driver.hpp"
#include "core/metrics.hpp"
#include "smtp/server/pace.hpp"

using namespace postern;
using namespace postern::smtp;
using namespace postern::smtp::test;
using std::chrono::milliseconds;

namespace {
const std::string kHello = "EHLO c.example\r\n";
const std::string kOpen = "MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\n";
const std::string kMessage = kOpen + "DATA\r\nx\r\n.\r\n";
}  // namespace

TEST_CASE("errors_beyond_the_limit_get_421") {
  auto config = make_config();
  config->limits.errors = 3;
  Driver driver(config);
  CHECK(driver.codes("X\r\nX\r\nX\r\n") == "500 500 500");
  CHECK_FALSE(driver.closed);
  CHECK(driver.say("X\r\nNOOP\r\n").starts_with("421 4.7.0"));
  CHECK(driver.closed);
}

TEST_CASE("errors_of_every_kind_count_and_a_message_forgives") {
  auto config = make_config();
  config->limits.errors = 3;
  Driver driver(config);
  driver.script.recipients["no@y.example"] = {550, {5, 1, 1}, "No"};
  CHECK(
      driver.codes(kHello + "NOOP\nX\r\nMAIL FROM:<a@x>\r\nRCPT TO:<no@y.example>\r\nMAIL x\r\n") ==
      "250 500 250 550 501");
  CHECK(driver.codes("RSET\r\n" + kMessage) == "250 250 250 354 250");
  CHECK(driver.conversation.connection().errors == 0);
  CHECK(driver.codes("X\r\nX\r\nX\r\nX\r\n") == "500 500 500 421");
}

TEST_CASE("idle_commands_beyond_the_limit_get_421") {
  auto config = make_config();
  config->limits.idle_commands = 4;
  for (const std::string command :
       {"NOOP\r\n", "RSET\r\n", "HELP\r\n", "VRFY a\r\n", "EHLO x\r\n"}) {
    Driver driver(config);
    driver.say(kHello);
    for (int i = 0; i < 3; ++i) CHECK(driver.codes(command).starts_with("2"));
    CHECK(driver.say(command).starts_with("421 4.7.0"));
    CHECK(driver.closed);
  }
  Driver driver(config);
  CHECK(driver.codes(kHello + "NOOP\r\nNOOP\r\nNOOP\r\n" + kMessage + "NOOP\r\n") ==
        "250 250 250 250 250 250 354 250 250");
}

TEST_CASE("empty_chunks_beyond_the_limit_get_421") {
  auto config = make_config();
  config->limits.idle_commands = 3;
  Driver driver(config);
  CHECK(driver.codes(kHello + kOpen + "BDAT 0\r\nBDAT 0\r\nBDAT 0\r\n") ==
        "250 250 250 250 250 421");
}

TEST_CASE("recipients_beyond_the_limit_get_452") {
  auto config = make_config();
  config->limits.recipients = 2;
  config->limits.errors = 1;
  Driver driver(config);
  const std::string rcpt = "RCPT TO:<b@y.example>\r\n";
  CHECK(driver.codes(kHello + "MAIL FROM:<a@x>\r\n" + rcpt + rcpt) == "250 250 250 250");
  for (int i = 0; i < 6; ++i) CHECK(driver.say(rcpt).starts_with("452 4.5.3"));
  CHECK(driver.say(rcpt).starts_with("421 4.7.0"));
  Driver other(config);
  CHECK(other.codes(kHello + "MAIL FROM:<a@x>\r\n" + rcpt + rcpt + rcpt + "DATA\r\nx\r\n.\r\n") ==
        "250 250 250 250 452 354 250");
  CHECK(other.script.accepted[0].envelope.recipients.size() == 2);
}

TEST_CASE("messages_beyond_the_limit_get_421") {
  auto config = make_config();
  config->limits.messages = 2;
  Driver driver(config);
  CHECK(driver.codes(kHello + kMessage + kMessage) == "250 250 250 354 250 250 250 354 250");
  CHECK(driver.say(kOpen).starts_with("421 4.7.0"));
  CHECK(driver.closed);
}

TEST_CASE("command_line_at_below_above_the_limit") {
  auto config = make_config();
  config->limits.command_line = 100;
  const auto noop = [](std::size_t n) { return "NOOP " + std::string(n - 5, 'x') + "\r\n"; };
  Driver driver(config);
  CHECK(driver.codes(noop(99)) == "250");
  CHECK(driver.codes(noop(100)) == "250");
  CHECK(driver.codes(noop(101)) == "500");
  CHECK(driver.codes(noop(20'000) + "NOOP\r\n") == "500 250");
}

TEST_CASE("command_line_limit_is_bounded_by_the_buffer") {
  auto config = make_config();
  config->limits.command_line = 10'000'000;
  Driver driver(config);
  CHECK(driver.codes("NOOP " + std::string(30'000, 'x') + "\r\n") == "250");
  CHECK(driver.codes("NOOP " + std::string(100'000, 'x') + "\r\nNOOP\r\n") == "500 250");
  CHECK(driver.codes("NOOP\r\nNOOP " + std::string(32'760, 'x') + "\r\nNOOP\r\n") == "250 250 250");
}

TEST_CASE("metrics_count_commands_replies_and_messages") {
  Driver driver;
  driver.say(kHello + kMessage);
  const std::string text = metrics::render();
  for (const std::string name : {"postern_smtp_server_commands_total{verb=\"MAIL\"}",
                                 "postern_smtp_server_replies_total{class=\"2\"}",
                                 "postern_smtp_server_messages_total{outcome=\"accepted\"}",
                                 "postern_smtp_server_message_bytes_total"}) {
    CHECK(text.find(name) != std::string::npos);
  }
}

TEST_CASE("output_of_a_pipelining_flood_is_written_in_between") {
  Driver driver;
  driver.say(kHello);
  driver.flushes.clear();
  std::string flood = "MAIL FROM:<a@x>\r\n";
  for (int i = 0; i < 900; ++i) flood += "RCPT TO:<b@y.example>\r\n";
  driver.say(flood);
  for (const auto& flush : driver.flushes) CHECK(flush.size() < 20'000);
}

TEST_CASE("pace_takes_the_shortest_of_idle_total_and_rate") {
  Limits limits;
  limits.data_idle = milliseconds(100);
  limits.data_total = milliseconds(1000);
  limits.data_grace = milliseconds(50);
  limits.data_rate = 10;
  CHECK(time_for_data(limits, milliseconds(0), 0) == milliseconds(50));
  CHECK(time_for_data(limits, milliseconds(49), 0) == milliseconds(1));
  CHECK(time_for_data(limits, milliseconds(50), 0) == milliseconds(0));
  CHECK(time_for_data(limits, milliseconds(51), 0) == milliseconds(0));
  CHECK(time_for_data(limits, milliseconds(0), 10) == milliseconds(100));
  CHECK(time_for_data(limits, milliseconds(960), 10) == milliseconds(40));
  CHECK(time_for_data(limits, milliseconds(999), 1'000'000) == milliseconds(1));
  CHECK(time_for_data(limits, milliseconds(1000), 1'000'000) == milliseconds(0));
  CHECK(time_for_data(limits, milliseconds(0), UINT64_MAX) == milliseconds(100));
}
