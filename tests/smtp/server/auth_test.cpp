// AUTH and STARTTLS on the submission listeners.
#include <catch2/catch.hpp>

#include "conversation_driver.hpp"
#include "core/encoding.hpp"

using namespace postern;
using namespace postern::smtp;
using namespace postern::smtp::test;
using std::chrono::milliseconds;

namespace {

const std::string kHello = "EHLO c.example\r\n";
const std::string kMail = "MAIL FROM:<ann@a.example>\r\n";

std::string plain(const std::string& login, const std::string& password,
                  const std::string& authorize = "") {
  std::string message = authorize;
  message.push_back('\0');
  message += login;
  message.push_back('\0');
  message += password;
  return base64_encode(message);
}

const std::string kGood = plain("ann@a.example", "secret");
const std::string kBad = plain("ann@a.example", "wrong");

struct Secure : Driver {
  explicit Secure(std::shared_ptr<ServerConfig> config = make_config(Kind::submissions))
      : Driver(std::move(config)) {
    ehlo = say(kHello);
  }
  std::string ehlo;
};

// Only its presence is looked at by the conversation.
std::shared_ptr<const tls::Context> some_tls() { return std::make_shared<tls::Context>(nullptr); }

}  // namespace

TEST_CASE("auth_is_offered_under_tls_only") {
  Secure secure;
  CHECK(secure.ehlo.find("250-AUTH PLAIN LOGIN\r\n") != std::string::npos);
  auto config = make_config(Kind::submission);
  Driver clear(config);
  CHECK(clear.say(kHello).find("AUTH") == std::string::npos);
  CHECK(clear.say("AUTH PLAIN " + kGood + "\r\n").starts_with("538 5.7.11"));
  CHECK(clear.codes(kMail) == "530");
}

TEST_CASE("auth_in_the_clear_on_loopback_where_set") {
  auto config = make_config(Kind::submission);
  config->plaintext_login = PlaintextLogin::on_loopback;
  Driver driver(config);
  CHECK(driver.say(kHello).find("250-AUTH PLAIN LOGIN\r\n") != std::string::npos);
  CHECK(driver.codes("AUTH PLAIN " + kGood + "\r\n") == "235");

  auto info = make_session(Kind::submission);
  info.local = {asio::ip::make_address("192.0.2.1"), 587};
  Conversation outside(config, info);
  CHECK_FALSE(outside.login_allowed());
}

TEST_CASE("submission_without_login_gets_530") {
  Secure driver;
  CHECK(driver.say(kMail).starts_with("530 5.7.0"));
  CHECK(driver.codes("RCPT TO:<b@y>\r\nDATA\r\n") == "530 530");
  CHECK(driver.codes("BDAT 6\r\nQUIT\r\nNOOP\r\n") == "530 250");
  CHECK(driver.codes("NOOP\r\nRSET\r\nVRFY a\r\n") == "250 250 252");
}

TEST_CASE("auth_plain_with_and_without_initial_response") {
  for (std::size_t slice : {1U, 7U, 1000U}) {
    Secure one;
    CHECK(one.codes("AUTH PLAIN " + kGood + "\r\n" + kMail, slice) == "235 250");
    CHECK(one.conversation.info().identity->login == "ann@a.example");
    Secure two;
    CHECK(two.say("AUTH PLAIN\r\n", slice) == "334 \r\n");
    CHECK(two.say(kGood + "\r\n", slice).starts_with("235 2.7.0"));
    Secure three;
    CHECK(three.codes("auth plain " + plain("ann@a.example", "secret", "ann@a.example") + "\r\n") ==
          "235");
  }
}

TEST_CASE("auth_login_asks_for_name_and_password") {
  Secure driver;
  CHECK(driver.say("AUTH LOGIN\r\n") == "334 VXNlcm5hbWU6\r\n");
  CHECK(driver.say(base64_encode("ann@a.example") + "\r\n") == "334 UGFzc3dvcmQ6\r\n");
  CHECK(driver.codes(base64_encode("secret") + "\r\n") == "235");
  Secure initial;
  CHECK(initial.say("AUTH LOGIN " + base64_encode("ann@a.example") + "\r\n") ==
        "334 UGFzc3dvcmQ6\r\n");
  CHECK(initial.codes(base64_encode("secret") + "\r\n") == "235");
}

TEST_CASE("auth_refusals") {
  struct Row {
    std::string input;
    std::string reply;
    int logins;
  };
  const std::string nul_in_password = plain("ann@a.example", std::string("se\0cret", 7));
  const std::vector<Row> table = {
      {"AUTH PLAIN " + kBad + "\r\n", "535 5.7.8", 1},
      {"AUTH PLAIN " + plain("nobody@a.example", "secret") + "\r\n", "535 5.7.8", 1},
      {"AUTH PLAIN " + plain("ann@a.example", "secret", "bob@a.example") + "\r\n", "535 5.7.8", 0},
      {"AUTH PLAIN " + plain("", "secret") + "\r\n", "535 5.7.8", 0},
      {"AUTH PLAIN " + plain("ann@a.example", "") + "\r\n", "535 5.7.8", 0},
      {"AUTH PLAIN " + nul_in_password + "\r\n", "535 5.7.8", 0},
      {"AUTH PLAIN " + plain("ann@a.example", std::string(1025, 'x')) + "\r\n", "535 5.7.8", 0},
      {"AUTH PLAIN " + plain("ann@a.example", std::string(1024, 'x')) + "\r\n", "535 5.7.8", 1},
      {"AUTH PLAIN =\r\n", "501 5.5.2", 0},
      {"AUTH PLAIN " + base64_encode("no nul") + "\r\n", "501 5.5.2", 0},
      {"AUTH PLAIN abc\r\n", "501 5.5.2", 0},
      {"AUTH PLAIN ====\r\n", "501 5.5.2", 0},
      {"AUTH PLAIN @@@@\r\n", "501 5.5.2", 0},
      {"AUTH\r\n", "501 5.5.4", 0},
      {"AUTH CRAM-MD5\r\n", "504 5.5.4", 0},
      {"AUTH XOAUTH2 abcd\r\n", "504 5.5.4", 0},
  };
  for (const auto& row : table) {
    Secure driver;
    INFO(row.input);
    CHECK(driver.say(row.input).starts_with(row.reply));
    CHECK(driver.script.logins == row.logins);
    CHECK_FALSE(driver.conversation.info().identity);
    CHECK(driver.codes("AUTH PLAIN " + kGood + "\r\n") == "235");
  }
}

TEST_CASE("auth_exchange_can_be_cancelled_and_broken_off") {
  Secure driver;
  driver.say("AUTH PLAIN\r\n");
  CHECK(driver.say("*\r\n").starts_with("501 5.7.0"));
  driver.say("AUTH LOGIN\r\n");
  CHECK(driver.codes("***\r\n") == "501");
  driver.say("AUTH LOGIN\r\n");
  CHECK(driver.codes("a\nb\r\nNOOP\r\n") == "500 250");
  driver.say("AUTH LOGIN\r\n");
  CHECK(driver.codes("NOOP\r\n") == "334");  // base64, as it happens: a user name
  CHECK(driver.codes("*\r\nNOOP\r\n") == "501 250");
}

TEST_CASE("auth_line_at_below_above_the_limit") {
  auto config = make_config(Kind::submissions);
  config->limits.auth_line = 12288;
  const std::string prefix = "AUTH PLAIN ";
  for (const std::size_t size : {12284U, 12288U}) {
    Secure driver(config);
    CHECK(driver.codes(prefix + std::string(size - prefix.size(), 'A') + "\r\n") != "500");
    driver.say("AUTH PLAIN\r\n");
    CHECK(driver.codes(std::string(size, 'A') + "\r\n") == "535");  // NULs: nobody's name
  }
  Secure driver(config);
  CHECK(driver.codes(prefix + std::string(12289 - prefix.size(), 'A') + "\r\nNOOP\r\n") ==
        "500 250");
  driver.say("AUTH PLAIN\r\n");
  CHECK(driver.say(std::string(12289, 'A') + "\r\n").starts_with("500 5.5.6"));
  CHECK(driver.codes("NOOP\r\n") == "250");
}

TEST_CASE("auth_twice_or_within_a_transaction_gets_503") {
  Secure driver;
  CHECK(driver.codes("AUTH PLAIN " + kGood + "\r\nAUTH PLAIN " + kGood + "\r\n") == "235 503");
  CHECK(driver.say(kHello).find("AUTH") == std::string::npos);
  CHECK(driver.conversation.info().identity);  // EHLO doesn't log out
  CHECK(driver.codes(kMail + "AUTH PLAIN " + kGood + "\r\n") == "250 503");
  CHECK(driver.script.logins == 1);
}

TEST_CASE("auth_failures_are_delayed_then_end_the_session") {
  auto config = make_config(Kind::submissions);
  config->limits.auth_delay = milliseconds(100);
  config->limits.auth_failures = 2;
  Secure driver(config);
  const std::string bad = "AUTH PLAIN " + kBad + "\r\n";
  CHECK(driver.codes(bad + bad) == "535 535");
  CHECK_FALSE(driver.closed);
  CHECK(driver.say(bad).starts_with("421 4.7.0"));
  CHECK(driver.closed);
  CHECK(driver.pauses ==
        std::vector<milliseconds>{milliseconds(100), milliseconds(200), milliseconds(400)});
}

TEST_CASE("auth_failure_waits_before_its_reply_is_written") {
  auto config = make_config(Kind::submissions);
  config->limits.auth_delay = milliseconds(100);
  Secure driver(config);
  driver.flushes.clear();
  driver.say("AUTH PLAIN " + plain("", "x") + "\r\n");
  REQUIRE(driver.pauses.size() == 1);
  driver.say("AUTH LOGIN\r\n");
  driver.say("YQ==\r\n");
  driver.say("YQ==\r\n");
  CHECK(driver.pauses.size() == 2);
}

TEST_CASE("auth_temporary_failure_is_neither_counted_nor_delayed") {
  auto config = make_config(Kind::submissions);
  config->limits.auth_delay = milliseconds(100);
  Secure driver(config);
  Conversation& conversation = driver.conversation;
  conversation.authenticated(refuse(454, {4, 7, 0}, "Later", Blame::server));
  CHECK(driver.say("").starts_with("454 4.7.0"));
  CHECK(driver.pauses.empty());
  CHECK(conversation.connection().auth_failures == 0);
}

TEST_CASE("auth_of_who_is_shut_out_is_counted_and_delayed") {
  auto config = make_config(Kind::submissions);
  config->limits.auth_delay = milliseconds(100);
  Secure driver(config);
  Conversation& conversation = driver.conversation;
  conversation.authenticated(refuse(454, {4, 7, 0}, "Too many failed logins"));
  CHECK(driver.say("").starts_with("454 4.7.0"));
  CHECK(driver.pauses == std::vector<milliseconds>{milliseconds(100)});
  CHECK(conversation.connection().auth_failures == 1);
}

TEST_CASE("password_does_not_stay_in_the_input_buffer") {
  Secure driver;
  driver.say("AUTH PLAIN " + kGood + "\r\n");
  const auto room = driver.conversation.input().room();
  const std::string memory(room.data() - 0, room.size());
  CHECK(memory.find(kGood) == std::string::npos);
  CHECK(driver.conversation.credentials().password.empty());
}

TEST_CASE("starttls_resets_what_was_said_before") {
  auto config = make_config(Kind::submission);
  config->tls = some_tls();
  Driver driver(config);
  CHECK(driver.say(kHello).find("250-STARTTLS\r\n") != std::string::npos);
  CHECK(driver.say("STARTTLS\r\n").starts_with("220 2.0.0"));
  CHECK(driver.tls_asked);
  CHECK(driver.codes("AUTH PLAIN " + kGood + "\r\n") == "503");  // EHLO again (RFC 3207 §4.2)
  const std::string ehlo = driver.say(kHello);
  CHECK(ehlo.find("STARTTLS") == std::string::npos);
  CHECK(ehlo.find("250-AUTH PLAIN LOGIN\r\n") != std::string::npos);
  CHECK(driver.codes("STARTTLS\r\n") == "503");
  CHECK(driver.codes("AUTH PLAIN " + kGood + "\r\n") == "235");
}

TEST_CASE("starttls_refusals") {
  auto config = make_config(Kind::mx);
  Driver without(config);
  CHECK(without.codes(kHello + "STARTTLS\r\n") == "250 502");
  config->tls = some_tls();
  Driver driver(config);
  CHECK(driver.codes(kHello + "STARTTLS now\r\n") == "250 501");
  CHECK(driver.codes("MAIL FROM:<a@b>\r\nSTARTTLS\r\n") == "250 503");
  CHECK_FALSE(driver.tls_asked);
}

TEST_CASE("starttls_with_injected_input_never_starts_and_never_runs_it") {
  auto config = make_config(Kind::mx);
  config->tls = some_tls();
  for (const std::string injected : {"RSET\r\n", "R", "MAIL FROM:<evil@x>\r\nRCPT TO:<b@y>\r\n"}) {
    Driver driver(config);
    CHECK(driver.codes(kHello + "STARTTLS\r\n" + injected) == "250 421");
    CHECK_FALSE(driver.tls_asked);
    CHECK(driver.closed);
  }
}

TEST_CASE("tls_start_forgets_identity_transaction_and_input") {
  Secure driver;
  driver.say("AUTH PLAIN " + kGood + "\r\n" + kMail);
  const auto room = driver.conversation.input().room();
  room[0] = 'X';
  driver.conversation.input().commit(1);
  driver.conversation.tls_started({"TLSv1.3", "c", 256});
  CHECK_FALSE(driver.conversation.info().identity);
  CHECK_FALSE(driver.conversation.transaction().open);
  CHECK(driver.conversation.info().hello.verb == Hello::Verb::none);
  CHECK(driver.conversation.input().empty());
}
