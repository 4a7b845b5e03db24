// Several sessions on one mailbox: who is told what, when.
#include <catch2/catch.hpp>

#include "tests/imap/test_server.hpp"

using namespace postern;
using namespace postern::imap;
using namespace postern::imap::test;

namespace {
const std::string kMessage = "a: b\r\n\r\n";

struct Two {
  TestServer server;
  Client first{server};
  Client second{server};

  explicit Two(int messages) {
    for (int i = 0; i < messages; ++i) server.backend().deliver("INBOX", {kMessage});
    for (auto* client : {&first, &second}) {
      client->log_in();
      client->select();
      client->select();
    }
  }
};
}  // namespace

TEST_CASE("noop_tells_what_others_did") {
  Two two(3);
  two.first.run("STORE 2 +FLAGS.SILENT (\\Seen)");
  CHECK(two.second.run("NOOP").all() == "2 FETCH (FLAGS (\\Seen))");
  two.first.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
  two.first.run("EXPUNGE");
  two.server.backend().deliver("INBOX", {kMessage});
  CHECK(two.second.run("NOOP").all() == "1 EXPUNGE|3 EXISTS|1 RECENT");
  CHECK(two.second.run("CHECK").all().empty());
}

TEST_CASE("expunges_are_held_back_from_fetch_store_and_search") {
  Two two(4);
  two.first.run("STORE 2 +FLAGS.SILENT (\\Deleted)");
  two.first.run("EXPUNGE");
  // Numbers keep their meaning: 3 is still the message with uid 3.
  CHECK(two.second.run("FETCH 3 UID").find("EXPUNGE").empty());
  CHECK(two.second.run("FETCH 3 UID").has("3 FETCH (UID 3)"));
  CHECK(two.second.run("STORE 4 +FLAGS (\\Seen)").all().contains("4 FETCH (FLAGS (\\Seen))"));
  CHECK(two.second.run("SEARCH UNDELETED").find("EXPUNGE").empty());
  // The expunged message can still be read until the client knows.
  CHECK(two.second.run("FETCH 2 BODY.PEEK[]").all() == "2 FETCH (BODY[] {8}\r\n" + kMessage + ")");
  CHECK(two.second.run("UID FETCH 4 FLAGS").all().ends_with("2 EXPUNGE"));
  CHECK(two.second.run("FETCH 3 UID").all() == "3 FETCH (UID 4)");
}

TEST_CASE("message_that_is_gone_for_good_is_expungeissued") {
  Two two(2);
  two.server.backend().expunge("INBOX", {2});
  two.server.backend().forget_expunged("INBOX");
  CHECK(two.second.run("FETCH 2 ENVELOPE").tagged.starts_with("NO [EXPUNGEISSUED]"));
  CHECK(two.second.run("STORE 2 +FLAGS (\\Seen)").tagged.starts_with("NO [EXPUNGEISSUED]"));
  CHECK(two.second.run("COPY 2 Sent").tagged.starts_with("NO [EXPUNGEISSUED]"));
}

TEST_CASE("own_changes_are_told_once") {
  Two two(2);
  CHECK(two.first.run("STORE 1 +FLAGS (\\Seen)").all() == "1 FETCH (FLAGS (\\Seen))");
  CHECK(two.first.run("NOOP").all().empty());
  two.first.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
  CHECK(two.first.run("EXPUNGE").all() == "1 EXPUNGE");
  CHECK(two.first.run("NOOP").all().empty());
}

TEST_CASE("idle_delivers_news_as_it_comes") {
  Two two(2);
  auto& backend = two.server.backend();
  two.second.send("i IDLE\r\n");
  CHECK(two.second.line() == "+ idling");
  backend.deliver("INBOX", {kMessage});
  CHECK(two.second.line() == "* 3 EXISTS");
  CHECK(two.second.line() == "* 1 RECENT");
  two.first.run("STORE 1 +FLAGS.SILENT (\\Answered)");
  CHECK(two.second.line() == "* 1 FETCH (FLAGS (\\Answered))");
  two.first.run("STORE 2 +FLAGS.SILENT (\\Deleted)");
  CHECK(two.second.line() == "* 2 FETCH (FLAGS (\\Deleted))");
  two.first.run("EXPUNGE");
  CHECK(two.second.line() == "* 2 EXPUNGE");
  two.second.send("done\r\n");
  CHECK(two.second.line() == "i OK IDLE completed");
  CHECK(two.second.run("NOOP").ok());
}

TEST_CASE("idle_tells_at_once_what_happened_before_it") {
  Two two(1);
  two.server.backend().deliver("INBOX", {kMessage});
  two.second.send("i IDLE\r\n");
  CHECK(two.second.line() == "+ idling");
  CHECK(two.second.line() == "* 2 EXISTS");
  two.second.line();
  two.second.send("DONE\r\n");
  CHECK(two.second.line() == "i OK IDLE completed");
}

TEST_CASE("idle_takes_pipelined_and_sliced_done") {
  Two two(1);
  two.second.send("i IDLE\r\nDONE\r\nj NOOP\r\n");
  CHECK(two.second.until("i").ok());
  CHECK(two.second.until("j").ok());
  two.second.send("k IDLE\r\n");
  two.second.line();
  for (const char c : std::string("DONE\r\n")) two.second.send(std::string(1, c));
  CHECK(two.second.until("k").ok());
  two.second.send("l IDLE\r\n");
  two.second.line();
  two.second.send("NOOP\r\n");
  CHECK(two.second.until("l").tagged == "BAD Expected DONE");
}

TEST_CASE("idle_works_again_and_again") {
  Two two(0);
  for (int i = 1; i <= 20; ++i) {
    two.second.send("i IDLE\r\n");
    CHECK(two.second.line() == "+ idling");
    two.server.backend().deliver("INBOX", {kMessage});
    CHECK(two.second.line() == "* " + std::to_string(i) + " EXISTS");
    two.second.line();
    two.second.send("DONE\r\n");
    CHECK(two.second.until("i").ok());
  }
}

TEST_CASE("idle_without_a_mailbox_just_waits") {
  const TestServer server;
  Client client(server);
  client.log_in();
  client.send("i IDLE\r\n");
  CHECK(client.line() == "+ idling");
  client.send("DONE\r\n");
  CHECK(client.line() == "i OK IDLE completed");
}

TEST_CASE("idle_ends_with_the_servers_drain") {
  Two two(1);
  two.second.send("i IDLE\r\n");
  two.second.line();
  two.server.registry().drain();
  CHECK(two.second.line() == "* BYE Server shutting down");
  CHECK(two.second.closed());
}

TEST_CASE("idle_is_logged_out_after_the_idle_time") {
  auto options = test_options();
  options.timeouts.idle = std::chrono::milliseconds(300);
  const TestServer server(options);
  Client client(server);
  client.log_in();
  client.send("i IDLE\r\n");
  client.line();
  CHECK(client.line() == "* BYE Idle for too long, logging out");
  CHECK(client.closed());
}

TEST_CASE("client_that_leaves_in_idle_is_let_go") {
  Two two(1);
  two.second.send("i IDLE\r\n");
  two.second.line();
  two.second.close();
  two.server.backend().deliver("INBOX", {kMessage});
  CHECK(two.first.run("NOOP").all().contains("2 EXISTS"));
}

TEST_CASE("deleted_mailbox_empties_under_its_sessions") {
  Two two(0);
  two.first.run("CREATE gone");
  two.server.backend().deliver("gone", {kMessage});
  two.second.select("gone");
  CHECK(two.first.run("DELETE gone").ok());
  CHECK(two.second.run("NOOP").all() == "1 EXPUNGE");
  CHECK(two.second.run("EXPUNGE").tagged.starts_with("NO [NONEXISTENT]"));
  CHECK(two.second.run("SELECT INBOX").ok());
}

TEST_CASE("move_between_sessions_is_seen_on_both_sides") {
  Two two(2);
  two.second.select("Trash");
  two.first.run("MOVE 1 Trash");
  CHECK(two.second.run("NOOP").all() == "1 EXISTS|1 RECENT");
}

TEST_CASE("arrival_is_told_with_the_next_command_and_fetchable_then") {
  Two two(1);
  two.server.backend().deliver("INBOX", {kMessage});
  CHECK(two.second.run("FETCH 2 UID").tagged == "BAD No such message");
  CHECK(two.second.run("NOOP").ok());
  CHECK(two.second.run("FETCH 2 UID").all() == "2 FETCH (UID 2)");
}
