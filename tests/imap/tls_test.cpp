// STARTTLS, implicit TLS, and curl as a client that nobody here wrote.
#include <sys/wait.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>

#include "tests/imap/test_server.hpp"

using namespace postern;
using namespace postern::imap;
using namespace postern::imap::test;

namespace {
Options tls_options() {
  auto options = test_options();
  options.plaintext_login = PlaintextLogin::refuse;
  options.tls = [] { return test_tls(); };
  return options;
}

struct Ran {
  int status = -1;
  std::string output;
};

Ran shell(const std::string& command) {
  Ran out;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> bytes{};
  while (const auto got = std::fread(bytes.data(), 1, bytes.size(), pipe)) {
    out.output.append(bytes.data(), got);
  }
  const int status = ::pclose(pipe);
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}
}  // namespace

TEST_CASE("starttls_secures_the_session_and_enables_logins") {
  const TestServer server(tls_options());
  Client client(server);
  const auto greeting = client.line();
  CHECK(greeting.contains(" STARTTLS LOGINDISABLED]"));
  CHECK(client.run("STARTTLS").tagged == "OK Begin TLS negotiation now");
  client.start_tls();
  const auto capability = client.run("CAPABILITY").all();
  CHECK(capability.contains("AUTH=PLAIN"));
  CHECK_FALSE(capability.contains("LOGINDISABLED"));
  CHECK_FALSE(capability.contains("STARTTLS"));
  CHECK(client.run("STARTTLS").tagged == "BAD TLS is active already");
  CHECK(client.run("LOGIN mrc secret").ok());
  CHECK(client.run("SELECT INBOX").ok());
}

TEST_CASE("plaintext_injected_after_starttls_is_dropped") {
  const TestServer server(tls_options());
  Client client(server);
  client.line();
  client.send("a STARTTLS\r\nb LOGOUT\r\nc XYZZY\r\n");
  CHECK(client.line() == "a OK Begin TLS negotiation now");
  client.start_tls();
  // The first answer over TLS is to the first command over TLS.
  client.send("d NOOP\r\n");
  CHECK(client.line() == "d OK NOOP completed");
}

TEST_CASE("implicit_tls_greets_inside_tls") {
  const TestServer server(tls_options(), Security::implicit_tls);
  Client client(server);
  client.start_tls();
  CHECK(client.line().contains("AUTH=PLAIN"));
  CHECK(client.run("LOGIN mrc secret").ok());
}

TEST_CASE("idle_works_over_tls") {
  TestServer server(tls_options(), Security::implicit_tls);
  Client client(server);
  client.start_tls();
  client.log_in();
  client.select();
  client.send("i IDLE\r\n");
  CHECK(client.line() == "+ idling");
  server.backend().deliver("INBOX", {"a: b\r\n\r\n"});
  CHECK(client.line() == "* 1 EXISTS");
  CHECK(client.line() == "* 1 RECENT");
  client.send("DONE\r\n");
  CHECK(client.line() == "i OK IDLE completed");
}

TEST_CASE("curl_reads_and_appends_mail") {
  if (shell("curl --version").status != 0) {
    WARN("SKIPPED: no curl here");
    return;
  }
  TestServer server(tls_options(), Security::implicit_tls);
  const std::string message = "Subject: from curl\r\n\r\nhello\r\n";
  server.backend().deliver("INBOX", {message});
  const auto url = "imaps://127.0.0.1:" + std::to_string(server.port());
  const std::string curl = "curl -sS -k --max-time 20 -u mrc:secret ";
  const auto fetched = shell(curl + "'" + url + "/INBOX;MAILINDEX=1'");
  CHECK(fetched.status == 0);
  CHECK(fetched.output == message);
  CHECK(shell(curl + "'" + url + "/INBOX;UID=1;SECTION=TEXT'").output == "hello\r\n");
  CHECK(shell(curl + url).output.contains("* LIST (\\HasNoChildren \\Sent) \"/\" Sent"));
  CHECK(shell(curl + "'" + url + "/INBOX?SUBJECT%20curl'").output.contains("* SEARCH 1"));
  const auto appended =
      shell("printf 'Subject: up\\r\\n\\r\\nload\\r\\n' | " + curl + "-T - " + url + "/Sent");
  CHECK(appended.status != 3);
  const auto with_file =
      shell("f=$(mktemp) && printf 'Subject: up\\r\\n\\r\\nload\\r\\n' > $f && " + curl + "-T $f " +
            url + "/Sent; s=$?; rm -f $f; exit $s");
  CHECK(with_file.status == 0);
  CHECK(shell(curl + "'" + url + "/Sent;MAILINDEX=1;SECTION=TEXT'").output == "load\r\n");
  CHECK(shell("curl -sS -k --max-time 20 -u mrc:wrong " + url).status == 67);
}

TEST_CASE("curl_upgrades_by_starttls") {
  if (shell("curl --version").status != 0) {
    WARN("SKIPPED: no curl here");
    return;
  }
  TestServer server(tls_options());
  server.backend().deliver("INBOX", {"Subject: x\r\n\r\ny\r\n"});
  const auto fetched =
      shell("curl -sS -k --ssl-reqd --max-time 20 -u mrc:secret 'imap://127.0.0.1:" +
            std::to_string(server.port()) + "/INBOX;MAILINDEX=1'");
  CHECK(fetched.status == 0);
  CHECK(fetched.output == "Subject: x\r\n\r\ny\r\n");
}
