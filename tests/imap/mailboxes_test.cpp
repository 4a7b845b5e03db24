// Mailboxes by name: LIST, LSUB, CREATE, DELETE, RENAME, SUBSCRIBE, STATUS, SELECT.
#include <catch2/catch.hpp>

#include "tests/imap/test_server.hpp"

using namespace postern;
using namespace postern::imap;
using namespace postern::imap::test;

TEST_CASE("list_gives_special_use_and_children") {
  const TestServer server;
  Client client(server);
  client.log_in();
  CHECK(client.run("CREATE work/2024").ok());
  CHECK(client.run("LIST \"\" *").all() ==
        "LIST (\\HasNoChildren) \"/\" INBOX|"
        "LIST (\\HasNoChildren \\Drafts) \"/\" Drafts|"
        "LIST (\\HasNoChildren \\Sent) \"/\" Sent|"
        "LIST (\\HasNoChildren \\Trash) \"/\" Trash|"
        "LIST (\\Noselect \\HasChildren) \"/\" work|"
        "LIST (\\HasNoChildren) \"/\" work/2024");
  CHECK(client.run("LIST work/ %").all() == "LIST (\\HasNoChildren) \"/\" work/2024");
  CHECK(client.run("LIST \"\" w%").all() == "LIST (\\Noselect \\HasChildren) \"/\" work");
  CHECK(client.run("LIST \"\" inbox").all() == "LIST (\\HasNoChildren) \"/\" INBOX");
  CHECK(client.run("LIST \"\" nothing").all().empty());
}

TEST_CASE("list_with_empty_pattern_gives_the_separator") {
  const TestServer server;
  Client client(server);
  client.log_in();
  CHECK(client.run("LIST \"\" \"\"").all() == "LIST (\\Noselect) \"/\" \"\"");
}

TEST_CASE("names_travel_in_modified_utf7") {
  TestServer server;
  Client client(server);
  client.log_in();
  CHECK(client.run("CREATE Entw&APw-rfe").ok());
  CHECK(server.backend().mail().mailboxes.contains("Entw\xc3\xbcrfe"));
  CHECK(client.run("LIST \"\" Entw*").all() == "LIST (\\HasNoChildren) \"/\" Entw&APw-rfe");
  CHECK(client.run("CREATE \"a b\"").ok());
  CHECK(client.run("LIST \"\" a*").all() == "LIST (\\HasNoChildren) \"/\" \"a b\"");
}

TEST_CASE("create_answers_by_rfc_5530") {
  const TestServer server;
  Client client(server);
  client.log_in();
  CHECK(client.run("CREATE a/b/").ok());
  CHECK(client.run("CREATE a/b").tagged == "NO [ALREADYEXISTS] Mailbox already exists");
  CHECK(client.run("CREATE inbox").tagged.starts_with("NO [ALREADYEXISTS]"));
  CHECK(client.run("CREATE /x").tagged.starts_with("NO [CANNOT]"));
  CHECK(client.run("CREATE a//b").tagged.starts_with("NO [CANNOT]"));
  CHECK(client.run("CREATE \"\"").tagged.starts_with("NO [CANNOT]"));
  CHECK(client.run("CREATE a").ok());  // was \Noselect
}

TEST_CASE("delete_answers_by_rfc_5530") {
  const TestServer server;
  Client client(server);
  client.log_in();
  client.run("CREATE a");
  client.run("CREATE a/b");
  CHECK(client.run("DELETE INBOX").tagged.starts_with("NO [CANNOT]"));
  CHECK(client.run("DELETE nothing").tagged == "NO [NONEXISTENT] No such mailbox");
  CHECK(client.run("DELETE a").ok());
  CHECK(client.run("LIST \"\" a").all() == "LIST (\\Noselect \\HasChildren) \"/\" a");
  CHECK(client.run("DELETE a").tagged.starts_with("NO [CANNOT]"));
  CHECK(client.run("SELECT a").tagged.starts_with("NO [NONEXISTENT]"));
  CHECK(client.run("DELETE a/b").ok());
}

TEST_CASE("rename_moves_children_and_inbox_keeps_itself") {
  TestServer server;
  server.backend().deliver("INBOX", {"Subject: x\r\n\r\nbody\r\n"});
  Client client(server);
  client.log_in();
  client.run("CREATE a/b");
  CHECK(client.run("RENAME a z").ok());
  CHECK(client.run("LIST \"\" z/b").all() == "LIST (\\HasNoChildren) \"/\" z/b");
  CHECK(client.run("RENAME a y").tagged.starts_with("NO [NONEXISTENT]"));
  CHECK(client.run("RENAME z Sent").tagged.starts_with("NO [ALREADYEXISTS]"));
  CHECK(client.run("RENAME z z/below").tagged.starts_with("NO [CANNOT]"));
  CHECK(client.run("RENAME z inbox").tagged.starts_with("NO [ALREADYEXISTS]"));
  CHECK(client.run("RENAME INBOX old").ok());
  CHECK(client.run("STATUS old (MESSAGES)").all() == "STATUS old (MESSAGES 1)");
  CHECK(client.run("STATUS INBOX (MESSAGES)").all() == "STATUS INBOX (MESSAGES 0)");
}

TEST_CASE("lsub_shows_subscriptions_and_the_levels_above_them") {
  const TestServer server;
  Client client(server);
  client.log_in();
  for (const char* name : {"Drafts", "Sent", "Trash"})
    client.run("UNSUBSCRIBE " + std::string(name));
  CHECK(client.run("SUBSCRIBE foo/bar").ok());  // needs no mailbox (RFC 3501 §6.3.9)
  CHECK(client.run("LSUB \"\" *").all() == "LSUB () \"/\" INBOX|LSUB () \"/\" foo/bar");
  CHECK(client.run("LSUB \"\" %").all() == "LSUB () \"/\" INBOX|LSUB (\\Noselect) \"/\" foo");
  client.run("SUBSCRIBE foo");
  CHECK(client.run("LSUB \"\" f%").all() == "LSUB () \"/\" foo");
  CHECK(client.run("UNSUBSCRIBE foo/bar").ok());
  CHECK(client.run("LSUB \"\" foo*").all() == "LSUB () \"/\" foo");
}

TEST_CASE("status_gives_the_items_asked") {
  TestServer server;
  server.backend().deliver("Sent", {"a: b\r\n\r\n", Flags{kSeen, {}}});
  server.backend().deliver("Sent", {"a: b\r\n\r\n"});
  Client client(server);
  client.log_in();
  CHECK(client.run("STATUS sent (MESSAGES)").tagged.starts_with("NO [NONEXISTENT]"));
  CHECK(client.run("STATUS Sent (UIDNEXT MESSAGES UNSEEN RECENT UIDVALIDITY)").all() ==
        "STATUS Sent (UIDNEXT 3 MESSAGES 2 UNSEEN 1 RECENT 2 UIDVALIDITY 3)");
}

TEST_CASE("select_describes_the_mailbox") {
  TestServer server;
  server.backend().deliver("INBOX", {"a: b\r\n\r\n", Flags{kSeen, {"$x"}}});
  server.backend().deliver("INBOX", {"a: b\r\n\r\n"});
  Client client(server);
  client.log_in();
  const auto select = client.run("SELECT inbox");
  CHECK(select.all() ==
        "FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $x)|2 EXISTS|2 RECENT|"
        "OK [UNSEEN 2] First unseen message|"
        "OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $x \\*)] Flags that can "
        "be "
        "changed|OK [UIDNEXT 3] Predicted next UID|OK [UIDVALIDITY 1] UIDs valid");
  CHECK(select.tagged == "OK [READ-WRITE] SELECT completed");
  // Claimed by the first session: not recent to the next.
  Client second(server);
  second.log_in();
  const auto examine = second.run("EXAMINE INBOX");
  CHECK(examine.has("0 RECENT"));
  CHECK(examine.has("OK [PERMANENTFLAGS ()] Flags that can be changed"));
  CHECK(examine.tagged == "OK [READ-ONLY] EXAMINE completed");
}

TEST_CASE("examine_claims_no_recent_messages") {
  TestServer server;
  server.backend().deliver("INBOX", {"a: b\r\n\r\n"});
  Client client(server);
  client.log_in();
  CHECK(client.run("EXAMINE INBOX").has("1 RECENT"));
  CHECK(client.run("SELECT INBOX").has("1 RECENT"));
  CHECK(client.run("FETCH 1 FLAGS").all() == "1 FETCH (FLAGS (\\Recent))");
  CHECK(client.run("SELECT INBOX").has("0 RECENT"));
}

TEST_CASE("failed_select_leaves_nothing_selected") {
  const TestServer server;
  Client client(server);
  client.log_in();
  client.select();
  CHECK(client.run("SELECT nothing").tagged.starts_with("NO [NONEXISTENT]"));
  CHECK(client.run("CHECK").tagged == "BAD Not valid in this state");
}

TEST_CASE("close_expunges_silently_and_unselect_does_not") {
  TestServer server;
  for (int i = 0; i < 2; ++i) server.backend().deliver("INBOX", {"a: b\r\n\r\n"});
  Client client(server);
  client.log_in();
  client.select();
  client.run("STORE 1 +FLAGS (\\Deleted)");
  CHECK(client.run("UNSELECT").ok());
  CHECK(client.run("STATUS INBOX (MESSAGES)").all() == "STATUS INBOX (MESSAGES 2)");
  client.run("EXAMINE INBOX");
  CHECK(client.run("CLOSE").ok());
  CHECK(client.run("STATUS INBOX (MESSAGES)").all() == "STATUS INBOX (MESSAGES 2)");
  client.select();
  const auto close = client.run("CLOSE");
  CHECK(close.ok());
  CHECK(close.all().empty());
  CHECK(client.run("STATUS INBOX (MESSAGES)").all() == "STATUS INBOX (MESSAGES 1)");
  CHECK(client.run("CHECK").tagged == "BAD Not valid in this state");
}
