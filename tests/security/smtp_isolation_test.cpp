// No sender learns of another tenant, nor speaks in its name: every verb of the SMTP dispatch table
// and every parameter of MAIL and RCPT, naming what is bravo's.
//
// Where a name is only looked at, bravo's and nobody's (ghost's) have to give the same replies,
// octet by octet, once the name is replaced. Whether a recipient exists is what RCPT is there to
// say: there alpha has to hear what any stranger on port 25 hears.
#include <algorithm>
#include <array>

#include "core/encoding.hpp"
#include "smtp/server/dispatch.hpp"
#include "tests/security/database_dump.hpp"
#include "tests/security/smtp_door.hpp"
#include "tests/security/tenancy.hpp"
#include "tests/security/text.hpp"

using namespace postern;
using namespace postern::test;
using smtp::Kind;

namespace {

constexpr const char* kPassword = "correct horse staple";
constexpr const char* kAlpha = "box@alpha.example";
const std::set<std::string> kTrail{"audit_records", "audit_heads"};

enum class Who : std::uint8_t { stranger, client, alpha };  // port 25; 465 before AUTH; after it

struct Case {
  std::string_view verb;
  Who who;
  std::string_view script;  ///< {name} is bravo's or ghost's; a line ends with "\n"
};

// What MAIL, RCPT and DATA need before them.
constexpr std::string_view kMail = "MAIL FROM:<box@alpha.example>\n";
constexpr std::string_view kRcpt = "RCPT TO:<postmaster@alpha.example>\n";

// clang-format off
constexpr auto kCases = std::to_array<Case>({
    {"HELO", Who::stranger, "HELO {name}.example\n"},
    {"EHLO", Who::stranger, "EHLO {name}.example\n"},
    {"EHLO", Who::alpha, "EHLO {name}.example\nMAIL FROM:<box@{name}.example>\n"},
    {"RSET", Who::alpha, "RSET {name}\n"},
    {"NOOP", Who::alpha, "NOOP {name}\n"},
    {"HELP", Who::alpha, "HELP {name}\n"},
    {"QUIT", Who::alpha, "QUIT {name}\n"},
    {"STARTTLS", Who::client, "STARTTLS {name}\n"},
    {"VRFY", Who::stranger, "VRFY box@{name}.example\nVRFY {name}\nVRFY <box@{name}.example> SMTPUTF8\n"},
    {"VRFY", Who::alpha, "VRFY box@{name}.example\nVRFY {name}\n"},
    {"EXPN", Who::stranger, "EXPN alias@{name}.example\n"},
    {"EXPN", Who::alpha, "EXPN alias@{name}.example\n"},
    {"AUTH", Who::client, "AUTH PLAIN {plain}\n"},
    {"AUTH", Who::client, "AUTH PLAIN {as}\n"},
    {"AUTH", Who::client, "AUTH LOGIN {user}\nd3Jvbmc=\n"},
    {"AUTH", Who::client, "AUTH XOAUTH2 {user}\n"},
    {"AUTH", Who::alpha, "AUTH PLAIN {plain}\n"},
    {"MAIL", Who::client, "MAIL FROM:<box@{name}.example>\n"},
    {"MAIL", Who::stranger, "MAIL FROM:<box@{name}.example>\n"},
    {"RCPT", Who::client, "RCPT TO:<box@{name}.example>\n"},
    {"RCPT", Who::stranger, "RCPT TO:<box@{name}.example>\n"},
    // Senders that are bravo's: address, postmaster, alias, subaddress, nobody (a catch-all's), another case,
    // quoted, source route, a bare domain, spellings of the domain.
    {"MAIL", Who::alpha, "MAIL FROM:<box@{name}.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<postmaster@{name}.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<alias@{name}.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box+tag@{name}.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<anything@{name}.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<BOX@{name}.EXAMPLE>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<\"box\"@{name}.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<@alpha.example:box@{name}.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<\"box@alpha.example\"@{name}.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box%{name}.example@alpha.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@alpha.example@{name}.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@{name}.example.>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@sub.{name}.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@m\xc3\xa4il.{name}.example> SMTPUTF8\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@ma\xcc\x88il.{name}.example> SMTPUTF8\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@xn--mil-qla.{name}.example>\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@m\xc3\x84IL.{name}.example> SMTPUTF8\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@\xef\xbd\x8d\xc3\xa4il.{name}.example> SMTPUTF8\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<b\xc3\xb6x@{name}.example> SMTPUTF8 BODY=8BITMIME\n"},
    // Parameters that can name something.
    {"MAIL", Who::alpha, "MAIL FROM:<box@{name}.example> SIZE=10\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@{name}.example> BODY=8BITMIME\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@{name}.example> RET=FULL ENVID={name}\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@alpha.example> ENVID={name}\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@alpha.example> AUTH=box@{name}.example\n"},
    {"MAIL", Who::alpha, "MAIL FROM:<box@{name}.example> AUTH=<>\n"},
    {"RCPT", Who::alpha, "{mail}RCPT TO:<postmaster@alpha.example> ORCPT=rfc822;box@{name}.example\n"},
    {"RCPT", Who::alpha, "{mail}RCPT TO:<postmaster@alpha.example> NOTIFY={name}\n"},
    {"RCPT", Who::alpha, "{mail}RCPT TO:<postmaster@alpha.example> NOTIFY=SUCCESS ORCPT=utf-8;{name}\n"},
    // Authors that are bravo's, in an envelope of alpha's own: DKIM would vouch for them.
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nFrom: box@{name}.example\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nFrom: box@alpha.example\nFrom: box@{name}.example\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nFrom: box@alpha.example, box@{name}.example\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nFrom: a: box@{name}.example;\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nFrom: box@alpha.example\nSender: box@{name}.example\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nFrom: \"box@alpha.example\" <box@{name}.example>\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nFrom: <box@{name}.example> <box@alpha.example>\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nFrom: box@{name}.example <box@alpha.example>\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nFrom: box@alpha.example (\n )box@{name}.example\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nfrom : box@{name}.example\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nFrom: b\xc3\xb6x@{name}.example\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nFrom: box@m\xc3\xa4il.{name}.example\n\nx\n.\n"},
    {"DATA", Who::alpha, "{mail}{rcpt}DATA\nSender: box@{name}.example\n\nx\n.\n"},
    {"DATA", Who::alpha, "MAIL FROM:<>\n{rcpt}DATA\nFrom: box@{name}.example\n\nx\n.\n"},
    {"BDAT", Who::alpha, "{mail}{rcpt}BDAT 30 LAST\nFrom: box@{name}.example\n\nxxxx"},
    {"BDAT", Who::alpha, "{mail}{rcpt}BDAT 10\nFrom: box@BDAT 20 LAST\n{name}.example\n\nxxxx"},
    {"BDAT", Who::client, "BDAT 5\n{name}"},
    {"DATA", Who::stranger, "DATA {name}\n"},
});
// clang-format on

std::string script_for(std::string_view script, const std::string& name) {
  const auto address = "box@" + name + ".example";
  std::string text(script);
  replace_all(text, "{mail}", kMail);
  replace_all(text, "{rcpt}", kRcpt);
  replace_all(text, "{plain}", sasl_plain("", address, "wrong"));
  replace_all(text, "{as}", sasl_plain(address, kAlpha, kPassword));
  replace_all(text, "{user}", base64_encode(address));
  replace_all(text, "{name}", name);
  replace_all(text, "\n", "\r\n");
  return text;
}

struct Scene {
  House house;
  std::string agency = make_agency(house);
  Tenancy alpha = make_tenancy(house, "alpha", agency);
  Tenancy bravo = make_tenancy(house, "bravo", agency);
  std::unique_ptr<smtp::reception::Reception> reception;

  Scene() {
    house.done(web::Method::post, "/v1/domains", kManagement,
               {{"domain", "m\xc3\xa4il.bravo.example"}, {"tenant", "bravo"}});
    house.done(web::Method::post, "/v1/accounts", kManagement,
               {{"address", "box@m\xc3\xa4il.bravo.example"}, {"password", kPassword}});
    reception = std::make_unique<smtp::reception::Reception>(reception_environment(house));
  }
  std::unique_ptr<SmtpDoor> door(Who who) {
    const auto kind = who == Who::stranger ? Kind::mx : Kind::submissions;
    auto made = std::make_unique<SmtpDoor>(house, *reception, kind);
    if (who == Who::alpha) REQUIRE(made->log_in(kAlpha, kPassword));
    return made;
  }
  std::string replies(Who who, std::string_view script, const std::string& name) {
    return door(who)->say(script_for(script, name));
  }
  [[nodiscard]] Dump dump() const {
    return dump_of(house.settings.data, bravo.things.at("tenant_id"), bravo.people, kTrail);
  }
  /// The text of the newest message in INBOX; empty: there is none.
  std::string newest(const std::string& address) {
    auto account =
        must(house.run(house.parts->imap->authenticate(address, kPassword, "192.0.2.9")));
    const auto inbox = must(house.run(account->open("INBOX", imap::Access::read_only)));
    if (inbox.messages.empty()) return {};
    return must(
        house.run(account->read_body(inbox.id, inbox.messages.back().uid, 0, imap::kReadChunk)));
  }
};

bool names_a_parameter(std::string_view verb, std::string_view keyword) {
  return std::ranges::any_of(kCases, [&](const Case& one) {
    const auto at = one.script.find(std::string(verb) + " ");
    return one.verb == verb && one.who == Who::alpha && at != std::string_view::npos &&
           one.script.find(" " + std::string(keyword), at) != std::string_view::npos;
  });
}

void check_unchanged(const Dump& before, const Dump& after) {
  REQUIRE(after.size() == before.size());
  for (const auto& [table, rows] : before) {
    INFO(table);
    CHECK(after.at(table) == rows);
  }
}

}  // namespace

TEST_CASE("every_smtp_verb_and_parameter_has_a_case_that_names_anothers_things",
          "[smtp_isolation]") {
  for (const auto& verb : smtp::verbs()) {
    INFO(verb.name);
    CHECK(std::ranges::any_of(kCases, [&](const Case& one) {
      return one.verb == verb.name && one.script.contains('{') && one.script.contains(verb.name);
    }));
  }
  for (const auto keyword : smtp::mail_parameters()) {
    INFO("MAIL " << keyword);
    CHECK(names_a_parameter("MAIL", keyword));
  }
  for (const auto keyword : smtp::rcpt_parameters()) {
    INFO("RCPT " << keyword);
    CHECK(names_a_parameter("RCPT", keyword));
  }
}

TEST_CASE("every_smtp_verb_answers_about_another_tenant_as_about_nobody", "[smtp_isolation]") {
  Scene scene;
  const auto before = scene.dump();
  for (const auto& one : kCases) {
    if (one.verb == "RCPT" && one.who == Who::stranger) continue;  // below
    INFO(one.script);
    auto others = scene.replies(one.who, one.script, "bravo");
    replace_all(others, "bravo", "ghost");
    replace_all(others, "BRAVO", "GHOST");
    CHECK(others == scene.replies(one.who, one.script, "ghost"));
    CHECK_FALSE(others.empty());
  }
  check_unchanged(before, scene.dump());
  CHECK(scene.newest("box@bravo.example").empty());
}

TEST_CASE("smtp_sender_and_author_of_another_tenant_are_refused", "[smtp_isolation]") {
  Scene scene;
  // Known to be allowed, to their owner: a cache must not forget to whom.
  for (const char* sender : {"box@bravo.example", "anything@bravo.example"}) {
    const auto theirs = scene.door(Who::client);
    REQUIRE(theirs->log_in("box@bravo.example", kPassword));
    CHECK(theirs->say(std::string("MAIL FROM:<") + sender + ">\r\n").starts_with("250"));
  }
  std::size_t refused = 0;
  for (const auto& one : kCases) {
    if (one.who != Who::alpha) continue;
    const bool sender = one.script.starts_with("MAIL FROM:<") && !one.script.starts_with(kMail) &&
                        one.verb == "MAIL" && !one.script.contains("@alpha.example>");
    const bool author = one.verb == "DATA" || one.verb == "BDAT";
    if (!sender && !author) continue;
    INFO(one.script);
    const auto replies = scene.replies(one.who, one.script, "bravo");
    INFO(replies);
    const auto last = replies.rfind("\r\n", replies.size() - 3);
    const auto line = last == std::string::npos ? replies : replies.substr(last + 2);
    CHECK(line.starts_with("5"));
    ++refused;
  }
  CHECK(refused > 30);
  CHECK(scene.newest("postmaster@alpha.example").empty());
}

TEST_CASE("rcpt_tells_a_tenants_user_what_it_tells_any_stranger", "[smtp_isolation]") {
  Scene scene;
  const auto said = [&](Who who, const std::string& recipient) {
    const auto door = scene.door(who);
    CHECK(door->say("MAIL FROM:<box@alpha.example> SMTPUTF8\r\n").starts_with("250"));
    return door->say("RCPT TO:<" + recipient + ">\r\n");
  };
  for (const char* recipient :
       {"box@bravo.example", "nobody@bravo.example", "alias@bravo.example", "box+tag@bravo.example",
        "BOX@Bravo.EXAMPLE", "postmaster@bravo.example", "clerk@bravo.example",
        "box@m\xc3\xa4il.bravo.example", "box@xn--mil-qla.bravo.example",
        "nobody@m\xc3\xa4il.bravo.example"}) {
    INFO(recipient);
    CHECK(said(Who::alpha, recipient) == said(Who::stranger, recipient));
  }
  CHECK(said(Who::stranger, "box@bravo.example").starts_with("250"));
  CHECK(said(Who::stranger, "nobody@bravo.example").starts_with("550 5.1.1"));
  scene.house.done(web::Method::post, "/v1/tenants/bravo/suspend", kManagement);
  for (const char* recipient : {"box@bravo.example", "nobody@bravo.example"}) {
    INFO(recipient << " of a suspended tenant");
    const auto strangers = said(Who::stranger, recipient);
    CHECK(said(Who::alpha, recipient) == strangers);
    CHECK_FALSE(strangers.starts_with("250"));
  }
}

TEST_CASE("nobody_relays_who_is_not_logged_in", "[smtp_isolation]") {
  Scene scene;
  for (const char* sender : {"box@alpha.example", "box@bravo.example", "joe@remote.example", ""}) {
    INFO(sender);
    const auto begin = std::string("MAIL FROM:<") + sender + ">\r\n";
    for (const char* to :
         {"joe@remote.example", "box%remote.example@ghost.example", "box@[192.0.2.1]",
          "@alpha.example:joe@remote.example", "\"joe@remote.example\"@ghost.example"}) {
      INFO(to);
      const auto replies =
          scene.door(Who::stranger)->say(begin + "RCPT TO:<" + to + ">\r\nDATA\r\n");
      CHECK(replies.contains("\r\n55"));
      CHECK_FALSE(replies.contains("\r\n354"));
    }
    CHECK(scene.door(Who::client)->say(begin).starts_with("530"));
  }
}

TEST_CASE("login_of_a_suspended_tenant_sends_nothing", "[smtp_isolation]") {
  Scene scene;
  const auto open = scene.door(Who::client);
  REQUIRE(open->log_in("box@bravo.example", kPassword));
  scene.house.done(web::Method::post, "/v1/tenants/bravo/suspend", kManagement);
  CHECK_FALSE(scene.door(Who::client)->log_in("box@bravo.example", kPassword));
  CHECK(open->say("MAIL FROM:<box@bravo.example>\r\n").starts_with("553"));
  CHECK(scene.door(Who::alpha)->say("MAIL FROM:<box@bravo.example>\r\n").starts_with("553"));
}

TEST_CASE("submission_bears_its_own_tenants_signature_and_no_others", "[smtp_isolation]") {
  Scene scene;
  const std::string head =
      std::string(kMail) + "RCPT TO:<postmaster@alpha.example> ORCPT=rfc822;box@bravo.example\n";
  auto text =
      head + "DATA\nFrom: box@alpha.example\nSubject: s\nReply-To: box@bravo.example\n\nx\n.\n";
  replace_all(text, "\n", "\r\n");
  CHECK(scene.door(Who::alpha)->say(text).contains("250 2.0.0 queued"));
  const auto stored = scene.newest("postmaster@alpha.example");
  CHECK(stored.contains("DKIM-Signature:"));
  CHECK(stored.contains("d=alpha.example"));
  CHECK_FALSE(stored.contains("d=bravo.example"));
  CHECK(scene.newest("box@bravo.example").empty());
}

// Reports go to the return path: it has to be the sender's own, whatever the parameters say.
TEST_CASE("report_about_ones_mail_has_no_way_to_another_tenant", "[smtp_isolation]") {
  Scene scene;
  const auto before = scene.dump();
  auto text = std::string(
      "MAIL FROM:<box@alpha.example> RET=FULL ENVID=bravo AUTH=box@bravo.example\n"
      "RCPT TO:<joe@remote.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;box@bravo.example\n"
      "DATA\nFrom: box@alpha.example\nReturn-Path: <box@bravo.example>\n"
      "Errors-To: box@bravo.example\nDisposition-Notification-To: box@bravo.example\n\nx\n.\n");
  replace_all(text, "\n", "\r\n");
  CHECK(scene.door(Who::alpha)->say(text).contains("250 2.0.0 queued"));
  check_unchanged(before, scene.dump());
  const auto mine = dump_of(scene.house.settings.data, scene.alpha.things.at("tenant_id"), {});
  const auto& queued = mine.at("queue.db/queue_messages");
  // The submitter is in the row as well as the return path.
  CHECK(std::ranges::all_of(queued, [](const std::string& row) {
    return row.contains("|box@alpha.example|") && !row.contains("bravo.example");
  }));
  CHECK(queued.size() == 2);  // with the one that every tenancy has
}

TEST_CASE("mail_to_another_tenant_waits_in_the_senders_queue_alone", "[smtp_isolation]") {
  Scene scene;
  const auto before = scene.dump();
  auto text = std::string(kMail) +
              "RCPT TO:<box@bravo.example> NOTIFY=SUCCESS\n"
              "DATA\nFrom: box@alpha.example\n\nx\n.\n";
  replace_all(text, "\n", "\r\n");
  CHECK(scene.door(Who::alpha)->say(text).contains("250 2.0.0 queued"));
  check_unchanged(before, scene.dump());
  const auto mine = dump_of(scene.house.settings.data, scene.alpha.things.at("tenant_id"), {});
  CHECK(mine.at("queue.db/queue_messages").size() == 2);  // with the one of every tenancy
}
