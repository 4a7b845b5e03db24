// No login learns of another tenant's mail, nor touches it: every command of the IMAP dispatch
// table, with every argument that can name something, naming what is bravo's.
//
// What is bravo's and what is not there have to give alpha the same answer, octet by octet, once
// the name itself is replaced; and bravo's files hold the same rows after as before.
#include <algorithm>
#include <set>

#include "imap/commands.hpp"
#include "tests/imap/test_server.hpp"
#include "tests/security/database_dump.hpp"
#include "tests/security/imap_cases.hpp"
#include "tests/security/tenancy.hpp"
#include "tests/security/text.hpp"

using namespace postern;
using namespace postern::test;
using imap::test::Client;
using imap::test::TestServer;

namespace {

constexpr const char* kPassword = "correct horse staple";
constexpr int kBravosMessages = 12;  // in each mailbox; alpha has two
// Failed log-ins may be on record in the trail of the tenant that was meant.
const std::set<std::string> kTrail{"audit_records", "audit_heads"};

imap::Options patient() {
  auto options = imap::test::test_options();
  options.limits.bad_commands = 10'000;
  options.limits.login_failures = 10'000;
  return options;
}

struct Scene {
  std::shared_ptr<asio::io_context> context;  ///< the server's; the last to go
  House house;
  std::string agency = make_agency(house);
  Tenancy alpha = make_tenancy(house, "alpha", agency);
  Tenancy bravo = make_tenancy(house, "bravo", agency);
  TestServer server{patient(), imap::Security::starttls, house.parts->imap};
  ImapSubject theirs;
  ImapSubject nobodys;

  Scene() {
    context = server.context();
    fill("box@alpha.example", {"INBOX", "own"}, "alpha", 2);
    fill("postmaster@alpha.example", {"INBOX", "own"}, "alpha", 2);
    const auto ids = fill("box@bravo.example", {"INBOX", "own", "bravo-secret"}, "bravo-secret",
                          kBravosMessages);
    theirs = imap_subject("bravo", {ids, tenant_id(), bravo.things.at("credential")}, "3:9");
    const auto made = [] { return MessageId::make().text(); };
    nobodys = imap_subject("ghost", {made(), made(), made()}, "1003:1009");
  }
  [[nodiscard]] std::string tenant_id() const { return bravo.things.at("tenant_id"); }
  [[nodiscard]] Dump dump() const {
    return dump_of(house.settings.data, tenant_id(), bravo.people, kTrail);
  }

  /// The id of the last mailbox. One of its messages is to be expunged.
  std::string fill(const std::string& address, const std::vector<std::string>& names,
                   const std::string& word, int messages) {
    auto account =
        must(house.run(house.parts->imap->authenticate(address, kPassword, "192.0.2.9")));
    std::string last;
    for (const auto& name : names) {
      if (name != "INBOX") must(house.run(account->create(name)));
      for (int i = 0; i < messages; ++i) {
        const auto text = "From: " + address + "\r\nSubject: " + word + "\r\n\r\n" + word + "\r\n";
        auto append =
            must(house.run(account->append(name, {0, {word}}, std::nullopt, text.size())));
        must(house.run(append->write(text)));
        must(house.run(append->commit()));
      }
      const auto opened = must(house.run(account->open(name, imap::Access::read_only)));
      if (messages == kBravosMessages)
        must(house.run(
            account->store_flags(opened.id, {4}, imap::FlagChange::add, {imap::kDeleted, {}})));
      must(house.run(account->set_subscription(name, imap::Subscription::subscribe)));
      last = opened.id.text();
    }
    return last;
  }

  /// In the first state that the command is for, logged in if that is what it takes.
  std::unique_ptr<Client> client_for(const imap::CommandSpec& spec, const std::string& login) {
    auto client = std::make_unique<Client>(server);
    client->line();
    if (spec.allowed_in(imap::State::not_authenticated)) return client;
    REQUIRE(client->run("LOGIN " + login + " \"" + kPassword + "\"").ok());
    if (!spec.allowed_in(imap::State::authenticated)) client->select();
    return client;
  }
};

std::string seen(Client& client, const std::string& line, const ImapSubject& whose,
                 const ImapSubject& nobodys) {
  const auto response = client.run(line);
  auto text = response.all() + "|" + response.tagged;
  for (std::size_t i = 0; i < whose.forms.size(); ++i)
    replace_all(text, whose.forms[i], nobodys.forms[i]);
  replace_all(text, whose.name, nobodys.name);
  return text;
}

struct Difference {
  std::string command;
  std::string line;
  std::string theirs;
  std::string nobodys;
};

// Both are asked on connections of their own, since some commands change the session's state.
std::vector<Difference> differences(Scene& scene, const imap::CommandSpec& spec,
                                    std::string_view line,
                                    const std::vector<std::string_view>& undo,
                                    const std::string& login) {
  std::vector<Difference> found;
  const auto first = scene.client_for(spec, login);
  const auto second = scene.client_for(spec, login);
  const auto others = imap_lines(line, scene.theirs, login);
  const auto nobodys = imap_lines(line, scene.nobodys, login);
  for (std::size_t i = 0; i < others.size(); ++i) {
    const auto answer = seen(*first, others[i], scene.theirs, scene.nobodys);
    for (const auto text : undo) (void)first->run(imap_lines(text, scene.theirs, login).at(i));
    const auto like = seen(*second, nobodys[i], scene.nobodys, scene.nobodys);
    for (const auto text : undo) (void)second->run(imap_lines(text, scene.nobodys, login).at(i));
    if (answer != like) found.push_back({std::string(spec.name), others[i], answer, like});
    if (spec.name == "LOGOUT") break;
  }
  return found;
}

const ImapCase* case_of(std::string_view command) {
  const auto cases = imap_cases();
  const auto found = std::ranges::find(cases, command, &ImapCase::command);
  return found == cases.end() ? nullptr : &*found;
}

void check_unchanged(const Scene& scene, const Dump& before) {
  const auto after = scene.dump();
  REQUIRE(after.size() == before.size());
  for (const auto& [table, rows] : before) {
    INFO(table);
    CHECK(after.at(table) == rows);
  }
}

}  // namespace

TEST_CASE("every_imap_command_has_a_case_that_names_anothers_things", "[imap_isolation]") {
  for (const auto& spec : imap::commands()) {
    INFO(spec.name << " has no row in tests/security/imap_cases.cpp");
    const auto* found = case_of(spec.name);
    REQUIRE(found != nullptr);
    CHECK(std::ranges::any_of(found->lines, [](auto line) { return line.contains('{'); }));
    // Each line is that command's, and no other's.
    for (const auto line : found->lines) CHECK(line.starts_with(spec.name));
  }
  CHECK(imap::commands().size() == imap_cases().size());
  for (const auto line : imap_strangers()) {
    INFO(line);
    CHECK(imap::find_command(line.substr(0, line.find(' '))) == nullptr);
  }
}

TEST_CASE("every_imap_command_answers_about_anothers_things_as_about_nothing", "[imap_isolation]") {
  Scene scene;
  const auto before = scene.dump();
  CHECK(std::ranges::any_of(before, [](const auto& entry) {
    return entry.first.ends_with("/messages") && !entry.second.empty();
  }));
  for (const auto& spec : imap::commands()) {
    const auto& one = *case_of(spec.name);
    // What it makes stays out of the box whose lists are looked at.
    const auto login = one.undo.empty() ? "box@alpha.example" : "postmaster@alpha.example";
    for (const auto line : one.lines) {
      for (const auto& found : differences(scene, spec, line, one.undo, login)) {
        INFO(found.line);
        CHECK(found.theirs == found.nobodys);
      }
    }
  }
  check_unchanged(scene, before);
}

TEST_CASE("imap_commands_that_are_not_offered_answer_the_same_for_anothers_things",
          "[imap_isolation]") {
  Scene scene;
  const auto before = scene.dump();
  const auto& spec = *imap::find_command("CHECK");
  for (const auto line : imap_strangers()) {
    for (const auto& found : differences(scene, spec, line, {}, "box@alpha.example")) {
      INFO(found.line);
      CHECK(found.theirs == found.nobodys);
    }
  }
  check_unchanged(scene, before);
}

TEST_CASE("imap_answers_hold_nothing_of_another_tenant", "[imap_isolation]") {
  Scene scene;
  // A cache that forgets whose it is would answer alpha with this.
  Client others(scene.server);
  others.line();
  for (const auto& line :
       {std::string("LOGIN box@bravo.example \"") + kPassword + "\"", std::string("LIST \"\" *"),
        std::string("LSUB \"\" *"), std::string("STATUS own (MESSAGES UIDNEXT)"),
        std::string("SELECT own"), std::string("FETCH 1:* (UID FLAGS ENVELOPE BODY[])"),
        std::string("UID SEARCH TEXT bravo-secret")})
    CHECK(others.run(line).ok());
  Client client(scene.server);
  client.line();
  REQUIRE(client.run(std::string("LOGIN box@alpha.example \"") + kPassword + "\"").ok());
  const std::string own = client.run("STATUS own (MESSAGES UIDNEXT)").all();
  CHECK(own == "STATUS own (MESSAGES 2 UIDNEXT 3)");  // both have one of that name
  for (const char* mailbox : {"INBOX", "own"}) {
    std::string all;
    for (const auto& line :
         {std::string("SELECT ") + mailbox, std::string("FETCH 1:* (UID FLAGS ENVELOPE BODY[])"),
          std::string("UID SEARCH ALL"), std::string("LIST \"\" *"), std::string("LSUB \"\" *"),
          std::string("NAMESPACE"), std::string("ID NIL"), std::string("NOOP")}) {
      const auto response = client.run(line);
      CHECK(response.ok());
      all += response.all() + response.tagged;
    }
    CHECK(client.run("UID SEARCH ALL").all() == "SEARCH 1 2");
    CHECK(all.contains("2 EXISTS"));
    CHECK(all.contains("alpha"));
    CHECK_FALSE(all.contains("bravo"));
  }
}

TEST_CASE("imap_login_with_its_own_password_becomes_nobody_else", "[imap_isolation]") {
  Scene scene;
  for (const auto* subject : {&scene.theirs, &scene.nobodys}) {
    Client client(scene.server);
    client.line();
    const auto line = imap_lines("AUTHENTICATE PLAIN {as}", *subject, "box@alpha.example").at(0);
    CHECK(client.run(line).tagged.starts_with("NO"));
    CHECK_FALSE(client.run("STATUS own (MESSAGES)").ok());
  }
}

TEST_CASE("imap_idle_says_nothing_of_anothers_changes", "[imap_isolation]") {
  Scene scene;
  const auto mine = must(scene.house.run(
      scene.house.parts->imap->authenticate("box@alpha.example", kPassword, "192.0.2.9")));
  Client idle(scene.server);
  Client other(scene.server);
  for (auto* client : {&idle, &other}) client->line();
  const std::string end = std::string(" \"") + kPassword + "\"";
  REQUIRE(idle.run("LOGIN box@alpha.example" + end).ok());
  REQUIRE(other.run("LOGIN box@bravo.example" + end).ok());
  idle.select();
  other.select();
  idle.send("i IDLE\r\n");
  CHECK(idle.line() == "+ idling");
  CHECK(other.run("APPEND INBOX {6+}\r\na: b\r\n").ok());
  CHECK(other.run("STORE 1:* +FLAGS (\\Flagged)").ok());
  CHECK(other.run("EXPUNGE").has("4 EXPUNGE"));
  // The first thing that it hears is its own.
  auto append = must(scene.house.run(mine->append("INBOX", {}, std::nullopt, 6)));
  must(scene.house.run(append->write("a: b\r\n")));
  must(scene.house.run(append->commit()));
  CHECK(idle.line() == "* 3 EXISTS");
  idle.send("DONE\r\n");
  const auto rest = idle.until("i");
  CHECK(rest.ok());
  CHECK_FALSE(rest.all().contains("FETCH"));
  CHECK_FALSE(rest.all().contains("EXPUNGE"));
}

// A comparison that can't tell proves nothing: bravo asks the same.
TEST_CASE("imap_comparison_tells_when_things_are_there", "[imap_isolation]") {
  Scene scene;
  for (const char* name : {"SELECT", "EXAMINE", "STATUS", "LIST", "LSUB", "APPEND", "SEARCH",
                           "FETCH", "COPY", "UID SEARCH", "UID FETCH", "UID COPY", "STORE",
                           "UID STORE", "UID MOVE", "MOVE", "DELETE"}) {
    std::size_t found = 0;
    for (const auto line : case_of(name)->lines)
      found += differences(scene, *imap::find_command(name), line, {}, "box@bravo.example").size();
    INFO(name);
    CHECK(found > 0);
  }
}
