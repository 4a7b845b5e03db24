// Greeting, states, logging in, limits: conversations on the fake backend.
#include <catch2/catch.hpp>

#include "core/encoding.hpp"
#include "tests/imap/test_server.hpp"
#include "tests/support/eventually.hpp"

using namespace postern;
using namespace postern::imap;
using namespace postern::imap::test;

namespace {
constexpr std::string_view kBeforeLogin =
    "IMAP4rev1 SASL-IR ID ENABLE LITERAL+ AUTH=PLAIN AUTH=LOGIN";
constexpr std::string_view kAfterLogin =
    "IMAP4rev1 SASL-IR ID ENABLE LITERAL+ IDLE UIDPLUS MOVE NAMESPACE SPECIAL-USE UNSELECT "
    "CHILDREN "
    "ESEARCH APPENDLIMIT=67108864";

std::string plain(std::string_view text) {
  std::string bytes(text);
  for (char& c : bytes) {
    if (c == '|') c = '\0';
  }
  return base64_encode(bytes);
}
}  // namespace

TEST_CASE("greeting_carries_the_capabilities") {
  const TestServer server;
  Client client(server);
  CHECK(client.line() ==
        "* OK [CAPABILITY " + std::string(kBeforeLogin) + "] mail.test Postern ready");
}

TEST_CASE("capability_is_built_from_state") {
  const TestServer server;
  Client client(server);
  client.line();
  CHECK(client.run("CAPABILITY").all() == "CAPABILITY " + std::string(kBeforeLogin));
  const auto login = client.run("LOGIN mrc secret");
  CHECK(login.tagged == "OK [CAPABILITY " + std::string(kAfterLogin) + "] Logged in");
  CHECK(client.run("capability").all() == "CAPABILITY " + std::string(kAfterLogin));
}

TEST_CASE("without_tls_logins_are_disabled_by_default") {
  auto options = test_options();
  options.plaintext_login = PlaintextLogin::refuse;
  const TestServer server(options);
  Client client(server);
  CHECK(client.line().contains("LOGINDISABLED"));
  CHECK(client.run("LOGIN mrc secret").tagged == "NO [PRIVACYREQUIRED] TLS is required first");
  CHECK(client.run("AUTHENTICATE PLAIN").tagged == "NO [PRIVACYREQUIRED] TLS is required first");
  CHECK(client.run("STARTTLS").tagged == "NO [UNAVAILABLE] No TLS here");
}

TEST_CASE("login_accepts_atoms_strings_and_literals") {
  for (const std::string arguments :
       {"mrc secret", "\"mrc\" \"secret\"", "{3+}\r\nmrc {6+}\r\nsecret"}) {
    CAPTURE(arguments);
    const TestServer server;
    Client client(server);
    client.line();
    CHECK(client.run("LOGIN " + arguments).ok());
    CHECK(client.run("LOGIN " + arguments).tagged == "BAD Not valid in this state");
  }
}

TEST_CASE("login_by_synchronizing_literals_is_continued") {
  const TestServer server;
  Client client(server);
  client.line();
  CHECK(converse(client, R"(
C: a LOGIN {3}
S: + Ready for literal data
C: mrc {6}
S: + Ready for literal data
C: secret
)")
            .empty());
  CHECK(client.until("a").ok());
}

TEST_CASE("wrong_logins_are_refused_alike_and_counted") {
  const TestServer server;
  Client client(server);
  client.line();
  const std::string refusal = "NO [AUTHENTICATIONFAILED] Wrong user name or password";
  CHECK(client.run("LOGIN mrc wrong").tagged == refusal);
  CHECK(client.run("LOGIN nobody secret").tagged == refusal);
  CHECK(client.run("AUTHENTICATE PLAIN " + plain("|mrc|wrong")).tagged == refusal);
  CHECK(client.run("LOGIN mrc wrong").tagged == refusal);
  CHECK(client.line() == "* BYE Too many failed logins");
  CHECK(client.closed());
}

TEST_CASE("login_trouble_is_no_wrong_password") {
  TestServer server;
  Client client(server);
  client.line();
  server.backend().login_error = Errc::overloaded;
  CHECK(client.run("LOGIN mrc secret").tagged.starts_with("NO [UNAVAILABLE]"));
}

TEST_CASE("authenticate_plain_with_and_without_initial_response") {
  const TestServer server;
  {
    Client client(server);
    client.line();
    CHECK(client.run("AUTHENTICATE PLAIN " + plain("|mrc|secret")).ok());
  }
  {
    Client client(server);
    client.line();
    CHECK(
        converse(client, "C: a authenticate plain\nS: + \nC: " + plain("mrc|mrc|secret")).empty());
    CHECK(client.until("a").ok());
  }
}

TEST_CASE("authenticate_login_prompts_twice") {
  const TestServer server;
  Client client(server);
  client.line();
  CHECK(converse(client,
                 "C: a AUTHENTICATE LOGIN\nS: + VXNlciBOYW1l\nC: bXJj\nS: + UGFzc3dvcmQ=\n"
                 "C: c2VjcmV0")
            .empty());
  CHECK(client.until("a").ok());
}

TEST_CASE("broken_authentications_are_refused_and_the_next_works") {
  auto options = test_options();
  options.limits.bad_commands = 100;
  const TestServer server(options);
  Client client(server);
  client.line();
  for (const auto& message :
       {std::string("mrc|secret"), std::string("|mrc|secret|"), std::string("||secret"),
        std::string("|mrc|"), std::string(""), std::string("|\xff|secret")}) {
    const auto response = message.empty() ? "=" : plain(message);
    CAPTURE(message);
    CHECK(client.run("AUTHENTICATE PLAIN " + response).tagged.starts_with("BAD"));
  }
  CHECK(client.run("AUTHENTICATE PLAIN !!!").tagged == "BAD Not base64");
  CHECK(client.run("AUTHENTICATE PLAIN " + plain("root|mrc|secret"))
            .tagged.starts_with("NO [AUTHORIZATIONFAILED]"));
  CHECK(client.run("AUTHENTICATE CRAM-MD5").tagged.starts_with("NO [CANNOT]"));
  CHECK(converse(client, "C: a AUTHENTICATE PLAIN\nS: + \nC: *\nS: a BAD Authentication cancelled")
            .empty());
  CHECK(client.run("LOGIN mrc secret").ok());
}

TEST_CASE("overlong_sasl_response_ends_the_connection") {
  const TestServer server;
  Client client(server);
  client.line();
  CHECK(converse(client, "C: a AUTHENTICATE PLAIN\nS: + ").empty());
  client.send(std::string(5000, 'A') + "\r\nb NOOP\r\n");
  CHECK(client.line() == "a BAD Response too long");
  CHECK(client.line() == "* BYE Response too long");
  CHECK(client.closed());
}

TEST_CASE("commands_outside_their_states_are_bad") {
  const TestServer server;
  Client client(server);
  client.line();
  for (const char* command : {"SELECT INBOX", "LIST \"\" *", "NAMESPACE", "IDLE", "ENABLE X"}) {
    CAPTURE(command);
    CHECK(client.run(command).tagged == "BAD Not valid in this state");
  }
  client.run("LOGIN mrc secret");
  for (const char* command : {"FETCH 1 FLAGS", "CLOSE", "EXPUNGE", "UID SEARCH ALL", "STARTTLS"}) {
    CAPTURE(command);
    CHECK(client.run(command).tagged == "BAD Not valid in this state");
  }
}

TEST_CASE("unknown_and_untagged_commands_are_bad") {
  const TestServer server;
  Client client(server);
  client.line();
  CHECK(client.run("XYZZY").tagged == "BAD Unknown command");
  CHECK(client.run("UID XYZZY").tagged == "BAD Unknown command");
  client.send("\r\n");
  CHECK(client.line() == "* BAD Expected a tag");
  client.send("+ NOOP\r\n");
  CHECK(client.line() == "* BAD Expected a tag");
  CHECK(client.run("NOOP").ok());
}

TEST_CASE("too_many_bad_commands_in_a_row_end_the_session") {
  auto options = test_options();
  options.limits.bad_commands = 3;
  const TestServer server(options);
  Client client(server);
  client.line();
  client.run("X");
  client.run("X");
  CHECK(client.run("NOOP").ok());
  client.run("X");
  client.run("X");
  CHECK(client.run("X").tagged == "BAD Unknown command");
  CHECK(client.line() == "* BYE Too many bad commands");
  CHECK(client.closed());
}

TEST_CASE("lines_with_bare_lf_are_refused") {
  const TestServer server;
  Client client(server);
  client.line();
  client.send("a NOOP\nb NOOP\r\n");
  CHECK(client.line() == "a BAD Lines end with CR LF");
  CHECK(client.line() == "b OK NOOP completed");
}

TEST_CASE("command_length_is_limited_lower_before_login") {
  auto options = test_options();
  options.limits.command_before_login = 100;
  options.limits.command = 200;
  const TestServer server(options);
  Client client(server);
  client.line();
  client.send("a " + std::string(98, 'x') + "\r\n");
  CHECK(client.line() == "a BAD Unknown command");
  client.send("a " + std::string(99, 'x') + "\r\n");
  CHECK(client.line() == "a BAD [LIMIT] Command too long");
  client.run("LOGIN mrc secret");
  client.send("a " + std::string(198, 'x') + "\r\n");
  CHECK(client.line() == "a BAD Unknown command");
  client.send("a " + std::string(199, 'x') + "\r\n");
  CHECK(client.line() == "a BAD [LIMIT] Command too long");
}

TEST_CASE("refused_literal_is_drained_not_run") {
  const TestServer server;
  Client client(server);
  client.line();
  std::string inside;
  while (inside.size() < 20000) inside += "z LOGOUT\r\n";
  client.send("a LOGIN {" + std::to_string(inside.size()) + "+}\r\n" + inside + " x\r\nb NOOP\r\n");
  CHECK(client.line() == "a NO [LIMIT] Literal too large");
  CHECK(client.line() == "b OK NOOP completed");
}

TEST_CASE("refused_synchronizing_literal_is_answered_at_once") {
  const TestServer server;
  Client client(server);
  client.line();
  client.send("a LOGIN {20000}\r\n");
  CHECK(client.line() == "a NO [LIMIT] Literal too large");
  CHECK(client.run("NOOP").ok());
}

TEST_CASE("literal_that_is_not_worth_draining_ends_the_session") {
  auto options = test_options();
  options.limits.drained_literals = 1000000;
  const TestServer server(options);
  Client client(server);
  client.line();
  client.send("a LOGIN {1000001+}\r\n");
  CHECK(client.line() == "* BYE [TOOBIG] Literal too large");
  CHECK(client.closed());
}

TEST_CASE("literal_minus_refuses_larger_non_synchronizing_literals") {
  auto options = test_options();
  options.literal_plus = LiteralPlus::small_only;
  const TestServer server(options);
  Client client(server);
  CHECK(client.line().contains(" LITERAL- "));
  client.send("a LOGIN {4097+}\r\n" + std::string(4097, 'x') + " y\r\n");
  CHECK(client.line() == "a BAD [TOOBIG] This literal must synchronize");
  client.send("a LOGIN {4096+}\r\n" + std::string(4096, 'x') + " y\r\n");
  CHECK(client.line() == "a BAD Bad user name");
}

TEST_CASE("pipelined_commands_are_answered_in_order") {
  const TestServer server;
  Client client(server);
  client.line();
  client.send("a LOGIN mrc secret\r\nb SELECT INBOX\r\nc NOOP\r\nd LOGOUT\r\ne NOOP\r\n");
  CHECK(client.until("a").ok());
  CHECK(client.until("b").ok());
  CHECK(client.until("c").ok());
  const auto logout = client.until("d");
  CHECK(logout.has("BYE Logging out"));
  CHECK(client.closed());
}

TEST_CASE("bytes_one_by_one_give_the_same_answers") {
  const TestServer server;
  Client client(server);
  client.line();
  const std::string script = "a LOGIN {3+}\r\nmrc \"secret\"\r\nb SELECT inbox\r\nc LOGOUT\r\n";
  for (const char c : script) client.send(std::string(1, c));
  CHECK(client.until("a").ok());
  CHECK(client.until("b").ok());
  CHECK(client.until("c").ok());
}

TEST_CASE("logout_says_goodbye_before_its_reply") {
  const TestServer server;
  Client client(server);
  client.line();
  const auto response = client.run("LOGOUT");
  CHECK(response.all() == "BYE Logging out");
  CHECK(response.ok());
  CHECK(client.closed());
}

TEST_CASE("id_answers_with_the_name_and_enable_with_nothing") {
  const TestServer server;
  Client client(server);
  client.line();
  CHECK(client.run("ID (\"name\" \"test\" \"version\" NIL)").all() == "ID (\"name\" \"Postern\")");
  client.run("LOGIN mrc secret");
  CHECK(client.run("ID NIL").all() == "ID (\"name\" \"Postern\")");
  CHECK(client.run("ENABLE CONDSTORE X-UNKNOWN").all() == "ENABLED");
  CHECK(client.run("NAMESPACE").all() == "NAMESPACE ((\"\" \"/\")) NIL NIL");
}

TEST_CASE("idle_session_is_logged_out_with_a_word") {
  auto options = test_options();
  options.timeouts.idle = std::chrono::milliseconds(300);
  const TestServer server(options);
  Client client(server);
  client.log_in();
  CHECK(client.line() == "* BYE Idle for too long, logging out");
  CHECK(client.closed());
}

TEST_CASE("session_that_never_logs_in_is_ended") {
  auto options = test_options();
  options.timeouts.login = std::chrono::milliseconds(300);
  const TestServer server(options);
  Client client(server);
  client.line();
  CHECK(client.line() == "* BYE Idle for too long, logging out");
}

TEST_CASE("stalled_command_ends_the_session") {
  auto options = test_options();
  options.timeouts.within_command = std::chrono::milliseconds(300);
  const TestServer server(options);
  Client client(server);
  client.log_in();
  client.send("a LIST \"\" {5+}\r\nab");
  CHECK(client.closed());
}

TEST_CASE("draining_server_says_goodbye_to_idle_sessions") {
  TestServer server;
  Client client(server);
  client.log_in();
  server.registry().drain();
  CHECK(client.line() == "* BYE Server shutting down");
  CHECK(client.closed());
  CHECK(postern::test::eventually([&] { return server.registry().live() == 0; }));
}

TEST_CASE("revoked_login_ends_the_session_with_its_next_command") {
  auto options = test_options();
  options.timeouts.login_check = std::chrono::milliseconds(0);
  TestServer server(options);
  Client client(server);
  client.log_in();
  CHECK(client.run("NOOP").ok());
  server.backend().mail().valid = false;
  client.send("a NOOP\r\n");
  CHECK(client.line() == "* BYE [UNAVAILABLE] This login is no longer valid");
  CHECK(client.closed());
}

TEST_CASE("sasl_response_with_bare_lf_is_refused") {
  const TestServer server;
  Client client(server);
  client.line();
  CHECK(converse(client, "C: a AUTHENTICATE PLAIN\nS: + ").empty());
  client.send(plain("|mrc|secret") + "\n");
  CHECK(client.line() == "a BAD Lines end with CR LF");
}

TEST_CASE("too_many_sessions_are_turned_away_with_a_word") {
  TestServer server;
  std::vector<SessionRegistry::Guard> taken;
  asio::io_context context;
  while (auto guard = server.registry().enter(context.get_executor(), [] {})) {
    taken.push_back(std::move(*guard));
  }
  Client client(server);
  CHECK(client.line() == "* BYE Too many connections, try again later");
  CHECK(client.closed());
}

TEST_CASE("drain_lets_an_append_finish") {
  TestServer server;
  Client client(server);
  client.log_in();
  client.send("a APPEND INBOX {8}\r\n");
  CHECK(client.line() == "+ Ready for literal data");
  server.registry().drain();
  client.send("a: b\r\n\r\n\r\n");
  CHECK(client.until("a").ok());
  CHECK(client.line() == "* BYE Server shutting down");
}
