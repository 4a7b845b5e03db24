// The order of commands, their answers, and what resets what.
#include <catch2/catch.hpp>

#include "conversation_driver.hpp"
#include "smtp/server/dispatch.hpp"

using namespace postern;
using namespace postern::smtp;
using namespace postern::smtp::test;

namespace {

const std::string kMail = "MAIL FROM:<a@x.example>\r\n";
const std::string kRcpt = "RCPT TO:<b@y.example>\r\n";
const std::string kText = "Subject: hi\r\n\r\nbody\r\n";

bool has_line(const std::string& replies, const std::string& line) {
  return ("\r\n" + replies).find("\r\n" + line + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE("banner_names_the_host") {
  Driver driver;
  CHECK(driver.banner == "220 mx.example ESMTP Postern\r\n");
}

TEST_CASE("one_message_however_sliced") {
  const std::string input =
      "EHLO c.example\r\n" + kMail + kRcpt + "DATA\r\n" + kText + "..\r\n.\r\nQUIT\r\n";
  for (std::size_t slice = 1; slice <= input.size(); ++slice) {
    Driver driver;
    INFO(slice);
    CHECK(driver.codes(input, slice) == "250 250 250 354 250 221");
    CHECK(driver.closed);
    REQUIRE(driver.script.accepted.size() == 1);
    CHECK(driver.script.accepted[0].text == kText + ".\r\n");
    CHECK(driver.script.accepted[0].envelope.return_path == Path{"a", "x.example"});
    REQUIRE(driver.script.accepted[0].envelope.recipients.size() == 1);
    CHECK(driver.script.sinks_alive == 0);
  }
}

TEST_CASE("ehlo_offers_on_mx") {
  Driver driver;
  const std::string reply = driver.say("EHLO c.example\r\n");
  for (const std::string line :
       {"250-mx.example greets 192.0.2.7", "250-PIPELINING", "250-SIZE 52428800", "250-8BITMIME",
        "250-SMTPUTF8", "250-ENHANCEDSTATUSCODES", "250-CHUNKING", "250-DSN",
        "250-LIMITS MAILMAX=1000 RCPTMAX=1000", "250 HELP"}) {
    INFO(line);
    CHECK(has_line(reply, line));
  }
  CHECK(reply.find("AUTH") == std::string::npos);
  CHECK(reply.find("STARTTLS") == std::string::npos);  // no certificate
  CHECK(reply.find("BINARYMIME") == std::string::npos);
}

TEST_CASE("helo_offers_nothing_and_takes_no_parameters") {
  Driver driver;
  CHECK(driver.say("HELO c.example\r\n") == "250 mx.example greets 192.0.2.7\r\n");
  CHECK(driver.codes("MAIL FROM:<a@x.example> SIZE=1\r\n") == "555");
  CHECK(driver.codes(kMail + "RCPT TO:<b@y.example> NOTIFY=NEVER\r\n") == "250 555");
}

TEST_CASE("commands_out_of_order_get_503") {
  struct Row {
    std::string before;
    std::string command;
    std::string codes;
  };
  const std::string hello = "EHLO c.example\r\n";
  const std::vector<Row> table = {
      {"", kMail, "503"},
      {"", kRcpt, "503"},
      {"", "DATA\r\n", "503"},
      {"", "VRFY a\r\n", "503"},
      {"", "STARTTLS\r\n", "503"},
      {"", "BDAT 3\r\nabc", "503"},
      {"", "RSET\r\nNOOP\r\nHELP\r\n", "250 250 214"},
      {hello, kRcpt, "503"},
      {hello, "DATA\r\n", "503"},
      {hello, "BDAT 4 LAST\r\nab\r\n", "503"},
      {hello + kMail, kMail, "503"},
      {hello + kMail, "DATA\r\n", "503"},
      {hello + kMail, "BDAT 4 LAST\r\nab\r\n", "503"},
      {hello + kMail + kRcpt, kMail, "503"},
      {hello + kMail + kRcpt + "BDAT 4\r\nab\r\n", "DATA\r\n", "503"},
      {hello + kMail + kRcpt + "BDAT 4\r\nab\r\n", kRcpt, "503"},
      {hello + kMail + kRcpt + "BDAT 4\r\nab\r\n", kMail, "503"},
      {hello + kMail + kRcpt + "BDAT 4 LAST\r\nab\r\n", "BDAT 2\r\n\r\n", "503"},
      {hello + kMail + "RSET\r\n", kRcpt, "503"},
      {hello + kMail + hello, kRcpt, "503"},
      {hello + kMail + kRcpt + "RSET\r\n", "DATA\r\n", "503"},
      {hello, "EXPN list\r\n", "502"},
      {hello, "VRFY a\r\n", "252"},
      {hello, "AUTH PLAIN\r\n", "502"},
      {hello, "TURN\r\n", "500"},
      {hello, "\r\n", "500"},
      {hello, "MAILFROM:<a@b>\r\n", "500"},
  };
  for (const auto& row : table) {
    Driver driver;
    driver.say(row.before);
    INFO(row.before << row.command);
    CHECK(driver.codes(row.command) == row.codes);
    CHECK(driver.codes("NOOP\r\n") == "250");
  }
}

TEST_CASE("rset_leaves_nothing_of_the_transaction") {
  Driver driver;
  driver.say("EHLO c.example\r\nMAIL FROM:<a@x.example> RET=FULL ENVID=1 SIZE=9 SMTPUTF8\r\n" +
             kRcpt + "BDAT 4\r\nab\r\n");
  CHECK(driver.script.sinks_alive == 1);
  CHECK(driver.codes("RSET\r\n") == "250");
  CHECK(driver.script.sinks_alive == 0);
  const Transaction& transaction = driver.conversation.transaction();
  CHECK_FALSE(transaction.open);
  CHECK(transaction.envelope.recipients.empty());
  CHECK(transaction.envelope.envid.empty());
  CHECK(transaction.envelope.charset == Charset::ascii);
  CHECK(transaction.memory.held() == 0);
  CHECK(driver.script.accepted.empty());
}

TEST_CASE("envelope_reaches_the_backend_whole") {
  Driver driver;
  driver.say(
      "EHLO c.example\r\n"
      "MAIL FROM:<> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=id1\r\n"
      "RCPT TO:<b@y.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;B@y.example\r\n"
      "RCPT TO:<postmaster>\r\nDATA\r\n" +
      kText + ".\r\n");
  REQUIRE(driver.script.accepted.size() == 1);
  const Envelope& envelope = driver.script.accepted[0].envelope;
  CHECK(envelope.return_path.is_null());
  CHECK(envelope.declared_size == 100);
  CHECK(envelope.body == Body::eight_bit_mime);
  CHECK(envelope.ret == Ret::headers);
  CHECK(envelope.envid == "id1");
  REQUIRE(envelope.recipients.size() == 2);
  CHECK(to_string(envelope.recipients[0].notify) == "FAILURE,DELAY");
  CHECK(envelope.recipients[0].original == OriginalRecipient{"rfc822", "B@y.example"});
  CHECK(envelope.recipients[1].path == Path{"postmaster", ""});
}

TEST_CASE("backend_refusals_are_the_answer") {
  Driver driver;
  driver.script.senders["bad@x.example"] = {550, {5, 7, 1}, "Not you"};
  driver.script.recipients["no@y.example"] = {550, {5, 1, 1}, "No such user"};
  driver.script.recipients["later@y.example"] = {451, {4, 3, 0}, "Later"};
  driver.say("EHLO c.example\r\n");
  CHECK(driver.say("MAIL FROM:<bad@x.example>\r\n") == "550 5.7.1 Not you\r\n");
  CHECK(driver.codes(kRcpt) == "503");
  CHECK(driver.codes(kMail + "RCPT TO:<no@y.example>\r\nRCPT TO:<later@y.example>\r\nDATA\r\n") ==
        "250 550 451 554");
  CHECK(driver.codes(kRcpt + "DATA\r\n" + kText + ".\r\n") == "250 354 250");
  CHECK(driver.script.accepted[0].envelope.recipients.size() == 1);
}

TEST_CASE("utf8_addresses_need_smtputf8") {
  Driver driver;
  driver.say("EHLO c.example\r\n");
  CHECK(driver.codes("MAIL FROM:<\xC3\xA9@x.example>\r\n") == "550");
  CHECK(driver.codes(kMail + "RCPT TO:<\xC3\xA9@y.example>\r\nRSET\r\n") == "250 553 250");
  CHECK(
      driver.codes("MAIL FROM:<\xC3\xA9@x.example> SMTPUTF8\r\nRCPT TO:<\xC3\xA9@y.example>\r\n") ==
      "250 250");
}

TEST_CASE("bare_line_ends_in_commands_are_refused_and_counted") {
  Driver driver;
  driver.say("EHLO c.example\r\n");
  CHECK(driver.codes("MAIL FROM:<a@b>\nRCPT TO:<c@d>\r\nNOOP\r\n") == "500 250");
  CHECK(driver.codes("NOOP\rQUIT\r\nNOOP\r\n") == "500 250");
  CHECK(driver.codes(std::string("NO\0OP\r\nNOOP\r\n", 13)) == "500 250");
  CHECK(driver.conversation.connection().errors == 3);
}

TEST_CASE("faulty_bdat_line_ends_the_connection") {
  // How many octets follow is unknown; they must not run as commands.
  for (const std::string line :
       {"BDAT x\r\nRSET\r\n", "BDAT 6\nRSET\r\nNOOP\r\n", "BDAT\r\nRSET\r\n",
        "bdat 6\rRSET\r\nNOOP\r\n", "BDAT 6 LAS\r\nRSET\r\n"}) {
    Driver driver;
    driver.say("EHLO c.example\r\n" + kMail + kRcpt);
    const std::string codes = driver.codes(line);
    INFO(line);
    CHECK((codes == "501" || codes == "500"));
    CHECK(driver.closed);
  }
}

TEST_CASE("http_request_ends_the_connection") {
  Driver driver;
  CHECK(driver.codes("POST / HTTP/1.1\r\nHost: x\r\n\r\nMAIL FROM:<a@b>\r\n") == "421");
  CHECK(driver.closed);
}

TEST_CASE("pipelined_replies_are_written_together") {
  Driver driver;
  driver.say("EHLO c.example\r\n");
  driver.flushes.clear();
  // RFC 2920 §3.1's example: one write for MAIL, RCPT, RCPT, DATA.
  CHECK(driver.codes(kMail + kRcpt + kRcpt + "DATA\r\n") == "250 250 250 354");
  CHECK(driver.flushes.size() <= 1);
  driver.say(".\r\n");
  driver.flushes.clear();
  CHECK(driver.codes("RSET\r\n" + kMail + "NOOP\r\nRSET\r\nFOO\r\nRSET\r\n") ==
        "250 250 250 250 500 250");
  // NOOP and the unknown command are not held back (RFC 2920 §3.2 (5), (6)).
  REQUIRE(driver.flushes.size() == 2);
  CHECK(Driver::codes_of(driver.flushes[0]) == "250 250 250");
  CHECK(Driver::codes_of(driver.flushes[1]) == "250 500");
}

TEST_CASE("drain_says_421_at_rest_and_finishes_a_transaction_first") {
  Driver idle;
  idle.say("EHLO c.example\r\n");
  CHECK(idle.conversation.at_rest());
  idle.conversation.drain();
  CHECK(idle.codes("") == "421");
  CHECK(idle.closed);

  Driver busy;
  busy.say("EHLO c.example\r\n" + kMail + kRcpt);
  CHECK_FALSE(busy.conversation.at_rest());
  busy.conversation.drain();
  CHECK(busy.codes("DATA\r\n" + kText + ".\r\n" + kMail) == "354 250 421");
  CHECK(busy.closed);
  CHECK(busy.script.accepted.size() == 1);
}

TEST_CASE("help_lists_every_verb") {
  Driver driver;
  const std::string help = driver.say("HELP\r\n");
  for (const VerbEntry& verb : verbs())
    CHECK(help.find(std::string(verb.name)) != std::string::npos);
}

TEST_CASE("table_keeps_its_security_rules") {
  for (const VerbEntry& verb : verbs()) {
    INFO(verb.name);
    const bool mail =
        verb.name == "MAIL" || verb.name == "RCPT" || verb.name == "DATA" || verb.name == "BDAT";
    CHECK(verb.has(Flag::login) == mail);
    CHECK(verb.has(Flag::encrypted) == (verb.name == "AUTH"));
    CHECK(verb.has(Flag::submission) == (verb.name == "AUTH"));
    // What neither moves a message on nor ends the session is bounded.
    CHECK(verb.has(Flag::idle) == (!mail && verb.name != "QUIT"));
  }
}
