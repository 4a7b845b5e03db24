// STORE, COPY, MOVE, EXPUNGE, APPEND.
#include <catch2/catch.hpp>

#include "tests/imap/test_server.hpp"

using namespace postern;
using namespace postern::imap;
using namespace postern::imap::test;

namespace {
struct Inbox {
  TestServer server;
  Client client{server};

  explicit Inbox(int messages, Options options = test_options()) : server(std::move(options)) {
    for (int i = 0; i < messages; ++i) server.backend().deliver("INBOX", {"a: b\r\n\r\n"});
    client.log_in();
    client.select();
    client.select();  // nothing is \Recent any more
  }
};
}  // namespace

TEST_CASE("store_changes_and_reports_flags") {
  Inbox inbox(3);
  auto& client = inbox.client;
  CHECK(
      client.run("STORE 1:2 +FLAGS (\\Seen $Work)").all() ==
      "FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)|1 FETCH (FLAGS (\\Seen $Work))|"
      "2 FETCH (FLAGS (\\Seen $Work))");
  CHECK(client.run("STORE 1 -FLAGS \\Seen").all() == "1 FETCH (FLAGS ($Work))");
  CHECK(client.run("STORE 1 FLAGS (\\Draft)").all() == "1 FETCH (FLAGS (\\Draft))");
  CHECK(client.run("UID STORE 3 +FLAGS (\\Flagged)").all() == "3 FETCH (UID 3 FLAGS (\\Flagged))");
  CHECK(client.run("STORE 1 +FLAGS (\\Draft)").all() == "1 FETCH (FLAGS (\\Draft))");
  CHECK(client.run("STORE 4 +FLAGS (\\Draft)").tagged == "BAD No such message");
  CHECK(client.run("UID STORE 77 +FLAGS (\\Draft)").ok());
}

TEST_CASE("silent_store_is_silent_unless_others_changed_the_message") {
  Inbox inbox(2);
  auto& client = inbox.client;
  CHECK(client.run("STORE 1 +FLAGS.SILENT (\\Seen)").all().empty());
  CHECK(client.run("FETCH 1 FLAGS").all() == "1 FETCH (FLAGS (\\Seen))");
  client.run("NOOP");
  inbox.server.backend().set_flags("INBOX", 2, Flags{kFlagged, {}});
  CHECK(client.run("STORE 2 +FLAGS.SILENT (\\Seen)").all() == "2 FETCH (FLAGS (\\Flagged \\Seen))");
}

TEST_CASE("read_only_mailbox_refuses_changes") {
  Inbox inbox(1);
  auto& client = inbox.client;
  client.run("EXAMINE INBOX");
  for (const char* command :
       {"STORE 1 +FLAGS (\\Seen)", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 Sent"}) {
    CAPTURE(command);
    CHECK(client.run(command).tagged.starts_with("NO [READ-ONLY]"));
  }
  CHECK(client.run("COPY 1 Sent").ok());
}

TEST_CASE("expunge_renumbers_one_by_one") {
  Inbox inbox(5);
  auto& client = inbox.client;
  client.run("STORE 2,3,5 +FLAGS.SILENT (\\Deleted)");
  const auto response = client.run("EXPUNGE");
  CHECK(response.all() == "2 EXPUNGE|2 EXPUNGE|3 EXPUNGE");
  CHECK(response.ok());
  CHECK(client.run("UID SEARCH ALL").all() == "SEARCH 1 4");
}

TEST_CASE("uid_expunge_takes_only_its_set") {
  Inbox inbox(4);
  auto& client = inbox.client;
  client.run("STORE 1:3 +FLAGS.SILENT (\\Deleted)");
  CHECK(client.run("UID EXPUNGE 2:3,99").all() == "2 EXPUNGE|2 EXPUNGE");
  CHECK(client.run("UID EXPUNGE 4").all().empty());
  CHECK(client.run("UID SEARCH ALL").all() == "SEARCH 1 4");
}

TEST_CASE("copy_answers_with_copyuid") {
  Inbox inbox(3);
  auto& client = inbox.client;
  client.run("STORE 2 +FLAGS.SILENT (\\Seen $x)");
  CHECK(client.run("COPY 2:3 Sent").tagged == "OK [COPYUID 3 2:3 1:2] COPY completed");
  CHECK(client.run("UID COPY 1,3 Sent").tagged == "OK [COPYUID 3 1,3 3:4] COPY completed");
  CHECK(client.run("COPY 1 nowhere").tagged == "NO [TRYCREATE] No such mailbox");
  CHECK(client.run("UID COPY 99 Sent").ok());
  CHECK(client.run("COPY 9 Sent").tagged == "BAD No such message");
  inbox.server.backend().copy_error = Errc::too_large;
  CHECK(client.run("COPY 1 Sent").tagged == "NO [OVERQUOTA] Quota exceeded");
  client.select("Sent");
  CHECK(client.run("FETCH 1 FLAGS").all() == "1 FETCH (FLAGS (\\Seen \\Recent $x))");
}

TEST_CASE("move_answers_with_copyuid_then_expunges") {
  Inbox inbox(3);
  auto& client = inbox.client;
  const auto response = client.run("MOVE 1:2 Trash");
  CHECK(response.all() == "OK [COPYUID 4 1:2 1:2] Moved|1 EXPUNGE|1 EXPUNGE");
  CHECK(response.tagged == "OK MOVE completed");
  CHECK(client.run("UID MOVE 3 nowhere").tagged == "NO [TRYCREATE] No such mailbox");
  CHECK(client.run("UID MOVE 3 Trash").all() == "OK [COPYUID 4 3 3] Moved|1 EXPUNGE");
  CHECK(client.run("STATUS Trash (MESSAGES)").all() == "STATUS Trash (MESSAGES 3)");
}

TEST_CASE("append_stores_flags_date_and_bytes") {
  Inbox inbox(0);
  auto& client = inbox.client;
  const std::string message = "Subject: hi\r\n\r\nbody {99+}\r\nx LOGOUT\r\n";
  const auto size = std::to_string(message.size());
  client.send("a APPEND INBOX (\\Seen $x) \"17-Jul-1996 02:44:25 -0700\" {" + size + "}\r\n");
  CHECK(client.line() == "+ Ready for literal data");
  client.send(message + "\r\n");
  const auto response = client.until("a");
  CHECK(response.has("1 EXISTS"));  // RFC 3501 §6.3.11: told at once when it is selected
  CHECK(response.tagged == "OK [APPENDUID 1 1] APPEND completed");
  CHECK(client.run("FETCH 1 (FLAGS INTERNALDATE BODY.PEEK[])").all() ==
        "1 FETCH (FLAGS (\\Seen \\Recent $x) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" BODY[] {" +
            size + "}\r\n" + message + ")");
}

TEST_CASE("append_takes_non_synchronizing_literals_and_literal_names") {
  Inbox inbox(0);
  inbox.client.send("a APPEND {4+}\r\nSent {8+}\r\na: b\r\n\r\n\r\nb NOOP\r\n");
  CHECK(inbox.client.until("a").tagged == "OK [APPENDUID 3 1] APPEND completed");
  CHECK(inbox.client.until("b").ok());
}

TEST_CASE("append_to_a_missing_mailbox_is_refused_before_the_message") {
  Inbox inbox(0);
  auto& client = inbox.client;
  client.send("a APPEND nowhere {8}\r\n");
  CHECK(client.line() == "a NO [TRYCREATE] No such mailbox");
  client.send("b APPEND nowhere {10+}\r\nz LOGOUT\r\n\r\nc NOOP\r\n");
  CHECK(client.line() == "b NO [TRYCREATE] No such mailbox");
  CHECK(client.line() == "c OK NOOP completed");
}

TEST_CASE("append_size_at_and_above_the_limit") {
  auto options = test_options();
  options.limits.append = 1000;
  Inbox inbox(0, options);
  auto& client = inbox.client;
  const auto message = [](std::size_t size) { return "a: b\r\n\r\n" + std::string(size - 8, 'x'); };
  client.send("a APPEND INBOX {1000+}\r\n" + message(1000) + "\r\n");
  CHECK(client.until("a").ok());
  client.send("b APPEND INBOX {1001+}\r\n" + message(1001) + "\r\n");
  CHECK(client.until("b").tagged == "NO [TOOBIG] Message too large");
  client.send("c APPEND INBOX {1001}\r\n");
  CHECK(client.until("c").tagged == "NO [TOOBIG] Message too large");
  client.send("d APPEND INBOX {0+}\r\n\r\n");
  CHECK(client.until("d").tagged == "NO [CANNOT] Empty message");
  CHECK(client.run("NOOP").ok());
}

TEST_CASE("append_failures_leave_nothing_behind") {
  Inbox inbox(0);
  auto& client = inbox.client;
  auto& backend = inbox.server.backend();
  client.send("a APPEND INBOX {9+}\r\na: b\r\n\r\nx extra\r\n");
  CHECK(client.until("a").tagged == "BAD Nothing expected after the message");
  client.send(std::string_view("b APPEND INBOX {9+}\r\na: b\r\n\r\n\0\r\n", 32));
  CHECK(client.until("b").tagged == "NO [CANNOT] NUL is not allowed in a message");
  client.send("c APPEND INBOX {9+}\r\na: b\r\n\r\nx {10+}\r\nz LOGOUT\r\n\r\n");
  CHECK(client.until("c").tagged == "BAD One message at a time");
  backend.append_error = Errc::too_large;
  client.send("d APPEND INBOX {9+}\r\na: b\r\n\r\nx\r\n");
  CHECK(client.until("d").tagged == "NO [OVERQUOTA] Quota exceeded");
  CHECK(client.run("NOOP").all().empty());
  CHECK(backend.appends_dropped == 4);
}

TEST_CASE("append_without_literal_is_bad") {
  Inbox inbox(0);
  CHECK(inbox.client.run("APPEND INBOX \"message\"").tagged.starts_with("BAD"));
  CHECK(inbox.client.run("APPEND INBOX").tagged.starts_with("BAD"));
}

TEST_CASE("large_append_arrives_whole") {
  Inbox inbox(0);
  auto& client = inbox.client;
  std::string message = "a: b\r\n\r\n";
  for (int i = 0; message.size() < 3'000'000; ++i) message += "line " + std::to_string(i) + "\r\n";
  client.send("a APPEND INBOX {" + std::to_string(message.size()) + "+}\r\n" + message + "\r\n");
  CHECK(client.until("a").ok());
  CHECK(client.run("FETCH 1 BODY.PEEK[]").all().contains(message));
}

TEST_CASE("client_that_leaves_within_append_leaves_nothing") {
  Inbox inbox(0);
  inbox.client.send("a APPEND INBOX {1000+}\r\na: b\r\n");
  inbox.client.close();
  Client second(inbox.server);
  second.log_in();
  CHECK(second.run("STATUS INBOX (MESSAGES)").all() == "STATUS INBOX (MESSAGES 0)");
}
