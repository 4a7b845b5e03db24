// The server over the real stores: accounts in control.db, mail in its shard, bodies sealed.
#include "imap/store_backend.hpp"

#include <catch2/catch.hpp>

#include "mailbox/mailbox_store.hpp"
#include "mailbox/schema.hpp"
#include "tests/accounts/directory_keys.hpp"
#include "tests/accounts/world.hpp"
#include "tests/imap/test_server.hpp"

using namespace postern;
using namespace postern::imap;
using namespace postern::imap::test;
using accounts::test::DirectoryKeys;
using accounts::test::must;

namespace {
std::unique_ptr<storage::Store> open_store(const std::string& directory) {
  storage::Store::Options options;
  options.directory = directory;
  options.mail_shards = 3;
  options.mail = {mailbox::mail_schema()};
  options.disk_reserve = 0;
  return must(storage::Store::open(std::move(options)));
}

struct House {
  std::shared_ptr<asio::io_context> context;  ///< the server's; the last to go
  accounts::test::World world;
  std::unique_ptr<storage::Store> files = open_store(world.directory.file("data"));
  DirectoryKeys keys{world.look_up};
  mailbox::ChangeFeed feed;
  WorkerPool workers{"worker", 1, 100};
  mailbox::MailboxStore store{*files, storage::Staging(workers, files->staging_directory()), keys,
                              feed, world.clock};
  accounts::PasswordPool passwords{{accounts::test::kSmall, 2, 100, 1 << 20}};
  accounts::Authenticator authenticator{world.registry, passwords, world.clock, {}};
  accounts::Tenant tenant = world.tenant("acme");
  accounts::Account account = make_account("ann@acme.example");
  accounts::Account other = make_account("bob@acme.example");
  TestServer server{test_options(), Security::starttls,
                    std::make_shared<StoreBackend>(authenticator, store)};

  House() { context = server.context(); }

  accounts::Account make_account(const std::string& address) {
    (void)world.try_domain(tenant.id, "acme.example");
    auto made = world.account(tenant.id, address);
    world.password(made, "secret");
    return made;
  }
};

void log_in(Client& client, const std::string& who = "ann@acme.example") {
  client.line();
  const auto login = client.run("LOGIN " + who + " secret");
  REQUIRE(login.ok());
}
}  // namespace

TEST_CASE("store_first_login_makes_the_mailboxes") {
  House house;
  Client client(house.server);
  log_in(client);
  CHECK(client.run("LIST \"\" *").all() ==
        "LIST (\\HasNoChildren) \"/\" INBOX|LIST (\\HasNoChildren \\Archive) \"/\" Archive|"
        "LIST (\\HasNoChildren \\Drafts) \"/\" Drafts|LIST (\\HasNoChildren \\Junk) \"/\" Junk|"
        "LIST (\\HasNoChildren \\Sent) \"/\" Sent|LIST (\\HasNoChildren \\Trash) \"/\" Trash");
  CHECK(client.run("LSUB \"\" *").untagged.size() == 6);
  Client wrong(house.server);
  wrong.line();
  CHECK(wrong.run("LOGIN ann@acme.example wrong").tagged.starts_with("NO [AUTHENTICATIONFAILED]"));
}

TEST_CASE("store_keeps_appended_messages_byte_for_byte") {
  House house;
  Client client(house.server);
  log_in(client);
  client.select();
  const std::string small =
      "Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\nFrom: a@b.example\r\n\r\nbody text\r\n";
  std::string large = "Subject: large\r\n\r\n";
  for (int i = 0; large.size() < 900'000; ++i) large += "line " + std::to_string(i * 7919) + "\r\n";
  for (const auto& message : {small, large}) {
    client.send("a APPEND INBOX (\\Seen $x) \"17-Jul-1996 02:44:25 -0700\" {" +
                std::to_string(message.size()) + "+}\r\n" + message + "\r\n");
    CHECK(client.until("a").tagged.starts_with("OK [APPENDUID "));
  }
  CHECK(client.run("FETCH 1 (FLAGS INTERNALDATE RFC822.SIZE)").all() ==
        "1 FETCH (FLAGS (\\Seen \\Recent $x) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" "
        "RFC822.SIZE " +
            std::to_string(small.size()) + ")");
  CHECK(client.run("FETCH 1 BODY[]").all().contains(small));
  CHECK(client.run("FETCH 2 BODY.PEEK[]").all().contains(large));
  CHECK(client.run("FETCH 2 BODY.PEEK[TEXT]<400000.100000>")
            .all()
            .contains(large.substr(18 + 400000, 100000)));
  CHECK(client.run("SEARCH SUBJECT \"gr\xc3\xbc\xc3\x9f\x65\"").all() == "SEARCH 1");
  CHECK(client.run("SEARCH BODY \"body text\"").all() == "SEARCH 1");
  CHECK(client.run("STATUS INBOX (MESSAGES UNSEEN UIDNEXT)").all() ==
        "STATUS INBOX (MESSAGES 2 UNSEEN 0 UIDNEXT 3)");
}

TEST_CASE("store_changes_are_seen_by_other_sessions") {
  House house;
  Client first(house.server);
  Client second(house.server);
  log_in(first);
  log_in(second);
  first.select();
  second.select();
  second.send("i IDLE\r\n");
  CHECK(second.line() == "+ idling");
  for (int i = 0; i < 3; ++i) {
    first.send("a APPEND INBOX {9+}\r\na: b\r\n\r\nx\r\n");
    CHECK(first.until("a").ok());
    CHECK(second.line() == "* " + std::to_string(i + 1) + " EXISTS");
    CHECK(second.line().ends_with(" RECENT"));
  }
  first.run("STORE 2 +FLAGS.SILENT (\\Deleted)");
  CHECK(second.line().starts_with("* 2 FETCH (FLAGS (\\Deleted"));
  CHECK(first.run("EXPUNGE").all() == "2 EXPUNGE");
  CHECK(second.line() == "* 2 EXPUNGE");
  second.send("DONE\r\n");
  CHECK(second.until("i").ok());
  CHECK(second.run("UID SEARCH ALL").all() == "SEARCH 1 3");
}

TEST_CASE("store_serves_an_expunged_message_until_the_client_knows") {
  House house;
  Client first(house.server);
  Client second(house.server);
  log_in(first);
  log_in(second);
  first.send("a APPEND INBOX {9+}\r\na: b\r\n\r\nx\r\n");
  first.until("a");
  first.select();
  second.select();
  first.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
  first.run("EXPUNGE");
  CHECK(second.run("FETCH 1 BODY.PEEK[]").all().contains("a: b\r\n\r\nx"));
  CHECK(second.run("NOOP").all() == "1 EXPUNGE");
}

TEST_CASE("store_copies_moves_and_renames") {
  House house;
  Client client(house.server);
  log_in(client);
  for (int i = 0; i < 3; ++i) {
    client.send("a APPEND INBOX {9+}\r\na: b\r\n\r\nx\r\n");
    client.until("a");
  }
  client.select();
  const auto copy = client.run("COPY 1:2 Archive").tagged;
  CHECK(copy.starts_with("OK [COPYUID "));
  CHECK(copy.ends_with(" 1:2 1:2] COPY completed"));
  CHECK(client.run("UID MOVE 3 Trash").all().ends_with("|3 EXPUNGE"));
  CHECK(client.run("COPY 1 nowhere").tagged.starts_with("NO [TRYCREATE]"));
  CHECK(client.run("CREATE work/a&-b").ok());
  CHECK(client.run("RENAME work job").ok());
  CHECK(client.run("LIST \"\" job*").all() ==
        "LIST (\\HasChildren) \"/\" job|LIST (\\HasNoChildren) \"/\" job/a&-b");
  CHECK(client.run("DELETE job").ok());
  CHECK(client.run("LIST \"\" job").all() == "LIST (\\Noselect \\HasChildren) \"/\" job");
  CHECK(client.run("SELECT job").tagged.starts_with("NO [NONEXISTENT]"));
  CHECK(client.run("DELETE job/a&-b").ok());
  CHECK(client.run("DELETE INBOX").tagged.starts_with("NO [CANNOT]"));
}

TEST_CASE("store_accounts_do_not_see_one_another") {
  House house;
  Client ann(house.server);
  Client bob(house.server);
  log_in(ann);
  log_in(bob, "bob@acme.example");
  ann.send("a APPEND INBOX {9+}\r\na: b\r\n\r\nx\r\n");
  ann.until("a");
  ann.run("CREATE secret");
  CHECK(bob.run("STATUS INBOX (MESSAGES)").all() == "STATUS INBOX (MESSAGES 0)");
  CHECK(bob.run("SELECT secret").tagged.starts_with("NO [NONEXISTENT]"));
}
