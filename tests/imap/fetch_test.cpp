#include <catch2/catch.hpp>

#include "tests/imap/test_server.hpp"

using namespace postern;
using namespace postern::imap;
using namespace postern::imap::test;

namespace {
// RFC 3501 §8's message: its header as printed there, its body 3,028 octets in 92 lines.
std::string sample_header() {
  return "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
         "From: Terry Gray <gray@cac.washington.edu>\r\n"
         "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
         "To: imap@cac.washington.edu\r\n"
         "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
         "Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
         "MIME-Version: 1.0\r\n"
         "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n"
         "\r\n";
}

std::string sample_message() {
  std::string body;
  for (int i = 0; i < 91; ++i) body += std::string(31, 'x') + "\r\n";
  body += std::string(3028 - 2 - body.size(), 'x') + "\r\n";
  return sample_header() + body;
}

const std::string kMultipart =
    "From: a@example.com\r\n"
    "Subject: parts\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=\"b\"\r\n"
    "\r\n"
    "preamble\r\n"
    "--b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Language: en, de\r\n"
    "\r\n"
    "first\r\n"
    "--b\r\n"
    "Content-Type: message/rfc822\r\n"
    "Content-Disposition: attachment; filename=\"m.eml\"\r\n"
    "\r\n"
    "From: inner@example.com\r\n"
    "Subject: inner\r\n"
    "\r\n"
    "inner body\r\n"
    "--b\r\n"
    "Content-Type: image/png; name=x.png\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "Content-ID: <id@x>\r\n"
    "Content-Description: a picture\r\n"
    "\r\n"
    "iVBORw0KGgo=\r\n"
    "--b--\r\n";

struct Inbox {
  TestServer server;
  Client client{server};

  explicit Inbox(std::vector<std::string> messages, Options options = test_options())
      : server(std::move(options)) {
    for (auto& message : messages) server.backend().deliver("INBOX", {std::move(message)});
    client.log_in();
    client.select();
    // Claims \Recent away, so that flags below are short.
    client.select();
  }
};
}  // namespace

TEST_CASE("rfc_3501_sample_session") {
  TestServer server;
  auto& backend = server.backend();
  // 1996-07-17 09:44:25 UTC is the sample's 02:44:25 -0700.
  const Timestamp date{std::chrono::sys_days{std::chrono::year{1996} / 7 / 17} +
                       std::chrono::hours(9) + std::chrono::minutes(44) + std::chrono::seconds(25)};
  for (int i = 1; i <= 18; ++i) {
    const auto flags = i == 17 ? Flags{} : Flags{kSeen, {}};
    backend.deliver("INBOX", {i == 12 ? sample_message() : "a: b\r\n\r\n", flags, date});
  }
  {
    const std::lock_guard lock(backend.mail().mutex);
    backend.mail().mailboxes.at("INBOX").uid_validity = 3857529045;
    backend.mail().mailboxes.at("INBOX").claimed_uid = 16;
  }
  Client client(server);
  REQUIRE(sample_header().size() == 342);
  CHECK(converse(client, R"--(
S: * OK [CAPABILITY IMAP4rev1 SASL-IR ID ENABLE LITERAL+ AUTH=PLAIN AUTH=LOGIN] mail.test Postern ready
C: a001 login mrc secret
S: a001 OK [CAPABILITY IMAP4rev1 SASL-IR ID ENABLE LITERAL+ IDLE UIDPLUS MOVE NAMESPACE SPECIAL-USE UNSELECT CHILDREN ESEARCH APPENDLIMIT=67108864] Logged in
C: a002 select inbox
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * 18 EXISTS
S: * 2 RECENT
S: * OK [UNSEEN 17] First unseen message
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags that can be changed
S: * OK [UIDNEXT 19] Predicted next UID
S: * OK [UIDVALIDITY 3857529045] UIDs valid
S: a002 OK [READ-WRITE] SELECT completed
C: a003 fetch 12 full
S: * 12 FETCH (FLAGS (\Seen) INTERNALDATE "17-Jul-1996 09:44:25 +0000" RFC822.SIZE 3370 ENVELOPE ("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) (("Terry Gray" NIL "gray" "cac.washington.edu")) ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.edu>") BODY ("TEXT" "PLAIN" ("CHARSET" "US-ASCII") NIL NIL "7BIT" 3028 92))
S: a003 OK FETCH completed
C: a004 fetch 12 body[header]
)--")
            .empty());
  CHECK(client.line() == "* 12 FETCH (BODY[HEADER] {342}\r\n" + sample_header() + ")");
  CHECK(converse(client, R"(
S: a004 OK FETCH completed
C: a005 store 12 +flags \deleted
S: * 12 FETCH (FLAGS (\Deleted \Seen))
S: a005 OK STORE completed
C: a006 logout
S: * BYE Logging out
S: a006 OK LOGOUT completed
)")
            .empty());
}

TEST_CASE("fetch_of_flags_dates_and_uids") {
  Inbox inbox({"a: b\r\n\r\n", "a: b\r\n\r\nbody"});
  CHECK(inbox.client.run("FETCH 1:* (UID FLAGS RFC822.SIZE)").all() ==
        "1 FETCH (UID 1 FLAGS () RFC822.SIZE 8)|2 FETCH (UID 2 FLAGS () RFC822.SIZE 12)");
  CHECK(inbox.client.run("FETCH 2 INTERNALDATE").all() ==
        "2 FETCH (INTERNALDATE \" 1-Jan-1970 00:00:00 +0000\")");
  CHECK(inbox.client.run("UID FETCH 2 FLAGS").all() == "2 FETCH (UID 2 FLAGS ())");
  CHECK(inbox.client.run("UID FETCH 2 (UID FLAGS)").all() == "2 FETCH (UID 2 FLAGS ())");
  CHECK(inbox.client.run("UID FETCH 99 FLAGS").tagged == "OK FETCH completed");
  CHECK(inbox.client.run("FETCH 3 FLAGS").tagged == "BAD No such message");
  CHECK(inbox.client.run("FETCH 1 FAST").all() ==
        "1 FETCH (FLAGS () INTERNALDATE \" 1-Jan-1970 00:00:00 +0000\" RFC822.SIZE 8)");
}

TEST_CASE("fetch_of_body_sets_seen_and_says_so_but_peek_does_not") {
  Inbox inbox({"a: b\r\n\r\nbody\r\n", "a: b\r\n\r\nbody\r\n"});
  CHECK(inbox.client.run("FETCH 1 BODY.PEEK[]").all() ==
        "1 FETCH (BODY[] {14}\r\na: b\r\n\r\nbody\r\n)");
  CHECK(inbox.client.run("FETCH 1 RFC822.HEADER").all() ==
        "1 FETCH (RFC822.HEADER {8}\r\na: b\r\n\r\n)");
  CHECK(inbox.client.run("FETCH 1 BODY[TEXT]").all() ==
        "1 FETCH (FLAGS (\\Seen) BODY[TEXT] {6}\r\nbody\r\n)");
  CHECK(inbox.client.run("FETCH 1 BODY[TEXT]").all() == "1 FETCH (BODY[TEXT] {6}\r\nbody\r\n)");
  CHECK(inbox.client.run("FETCH 2 (FLAGS RFC822)").all() ==
        "2 FETCH (FLAGS (\\Seen) RFC822 {14}\r\na: b\r\n\r\nbody\r\n)");
  CHECK(inbox.client.run("FETCH 2 RFC822.TEXT").all() == "2 FETCH (RFC822.TEXT {6}\r\nbody\r\n)");
}

TEST_CASE("fetch_in_a_read_only_mailbox_sets_nothing") {
  Inbox inbox({"a: b\r\n\r\nbody\r\n"});
  inbox.client.run("EXAMINE INBOX");
  CHECK(inbox.client.run("FETCH 1 BODY[TEXT]").all() == "1 FETCH (BODY[TEXT] {6}\r\nbody\r\n)");
  CHECK(inbox.client.run("FETCH 1 FLAGS").all() == "1 FETCH (FLAGS ())");
}

TEST_CASE("partial_fetch_is_clipped_to_the_section") {
  Inbox inbox({"a: b\r\n\r\n0123456789"});
  const auto fetch = [&](const std::string& item) {
    return inbox.client.run("FETCH 1 BODY.PEEK" + item).all();
  };
  CHECK(fetch("[TEXT]<0.4>") == "1 FETCH (BODY[TEXT]<0> {4}\r\n0123)");
  CHECK(fetch("[TEXT]<8.4>") == "1 FETCH (BODY[TEXT]<8> {2}\r\n89)");
  CHECK(fetch("[TEXT]<10.4>") == "1 FETCH (BODY[TEXT]<10> \"\")");
  CHECK(fetch("[TEXT]<4294967295.4294967295>") == "1 FETCH (BODY[TEXT]<4294967295> \"\")");
  CHECK(fetch("[HEADER.FIELDS (A)]<2.3>") == "1 FETCH (BODY[HEADER.FIELDS (A)]<2> {3}\r\n b\r)");
}

TEST_CASE("sections_of_a_multipart") {
  Inbox inbox({kMultipart});
  const auto fetch = [&](const std::string& section) {
    const auto all = inbox.client.run("FETCH 1 BODY.PEEK[" + section + "]").all();
    const auto head = all.find("] ");
    REQUIRE(head != std::string::npos);
    auto value = all.substr(head + 2);
    value.pop_back();
    const auto literal = value.find("}\r\n");
    return literal == std::string::npos ? value : value.substr(literal + 3);
  };
  CHECK(fetch("") == kMultipart);
  CHECK(fetch("1") == "first");
  CHECK(fetch("1.MIME") ==
        "Content-Type: text/plain; charset=utf-8\r\nContent-Language: en, de\r\n\r\n");
  CHECK(fetch("2") == "From: inner@example.com\r\nSubject: inner\r\n\r\ninner body");
  CHECK(fetch("2.HEADER") == "From: inner@example.com\r\nSubject: inner\r\n\r\n");
  CHECK(fetch("2.TEXT") == "inner body");
  CHECK(fetch("2.1") == "inner body");
  CHECK(fetch("2.HEADER.FIELDS (SUBJECT)") == "Subject: inner\r\n\r\n");
  CHECK(fetch("3") == "iVBORw0KGgo=");
  CHECK(fetch("4") == "NIL");
  CHECK(fetch("1.1") == "NIL");
  CHECK(fetch("3.HEADER") == "NIL");
  CHECK(fetch("HEADER.FIELDS (subject \"FROM\" x-none)") ==
        "From: a@example.com\r\nSubject: parts\r\n\r\n");
  CHECK(fetch("HEADER.FIELDS (X-None)") == "\r\n");
  CHECK(fetch("HEADER.FIELDS.NOT (Content-Type mime-version)") ==
        "From: a@example.com\r\nSubject: parts\r\n\r\n");
}

TEST_CASE("body_and_bodystructure_of_a_multipart") {
  Inbox inbox({kMultipart});
  const std::string inner_envelope =
      "(NIL \"inner\" ((NIL NIL \"inner\" \"example.com\")) ((NIL NIL \"inner\" \"example.com\")) "
      "((NIL NIL \"inner\" \"example.com\")) NIL NIL NIL NIL NIL)";
  CHECK(inbox.client.run("FETCH 1 BODY").all() ==
        "1 FETCH (BODY ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 5 0)"
        "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 53 " +
            inner_envelope +
            " (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 10 0) 3)"
            "(\"IMAGE\" \"PNG\" (\"NAME\" \"x.png\") \"<id@x>\" \"a picture\" \"BASE64\" 12) "
            "\"MIXED\"))");
  CHECK(inbox.client.run("FETCH 1 BODYSTRUCTURE").all() ==
        "1 FETCH (BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 5 0 "
        "NIL NIL "
        "(\"en\" \"de\") NIL)(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 53 " +
            inner_envelope +
            " (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 10 0 NIL NIL NIL "
            "NIL) 3 NIL "
            "(\"ATTACHMENT\" (\"FILENAME\" \"m.eml\")) NIL NIL)(\"IMAGE\" \"PNG\" (\"NAME\" "
            "\"x.png\") "
            "\"<id@x>\" \"a picture\" \"BASE64\" 12 NIL NIL NIL NIL) \"MIXED\" (\"BOUNDARY\" "
            "\"b\") NIL NIL "
            "NIL))");
}

TEST_CASE("envelope_of_groups_missing_and_8bit_fields") {
  Inbox inbox(
      {"From: \"A \\\"B\\\"\" <a@x>\r\nSender: s@x\r\nReply-To: r@x\r\n"
       "To: team: b@y, C <c@y>;, d@z\r\nSubject: caf\xc3\xa9\r\nIn-Reply-To: <i@x>\r\n\r\n",
       "X: y\r\n\r\n"});
  CHECK(
      inbox.client.run("FETCH 1 ENVELOPE").all() ==
      "1 FETCH (ENVELOPE (NIL {5}\r\ncaf\xc3\xa9 ((\"A \\\"B\\\"\" NIL \"a\" \"x\")) "
      "((NIL NIL \"s\" \"x\")) ((NIL NIL \"r\" \"x\")) ((NIL NIL \"team\" NIL)(NIL NIL \"b\" \"y\")"
      "(\"C\" NIL \"c\" \"y\")(NIL NIL NIL NIL)(NIL NIL \"d\" \"z\")) NIL NIL \"<i@x>\" NIL))");
  CHECK(inbox.client.run("FETCH 2 ENVELOPE").all() ==
        "2 FETCH (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))");
}

TEST_CASE("nul_bytes_are_masked_in_literals") {
  Inbox inbox({std::string("a: b\r\n\r\nx\0y", 11)});
  CHECK(inbox.client.run("FETCH 1 BODY.PEEK[TEXT]").all() == "1 FETCH (BODY[TEXT] {3}\r\nx\x80y)");
}

TEST_CASE("large_body_is_streamed_whole") {
  std::string message = "a: b\r\n\r\n";
  for (int i = 0; message.size() < 5'000'000; ++i) message += "line " + std::to_string(i) + "\r\n";
  Inbox inbox({message});
  CHECK(inbox.client.run("FETCH 1 BODY.PEEK[]").all() ==
        "1 FETCH (BODY[] {" + std::to_string(message.size()) + "}\r\n" + message + ")");
  CHECK(inbox.client.run("FETCH 1 BODY.PEEK[]<70000.200000>").all() ==
        "1 FETCH (BODY[]<70000> {200000}\r\n" + message.substr(70000, 200000) + ")");
}

TEST_CASE("unreadable_body_fails_its_message_only") {
  Inbox inbox({"a: b\r\n\r\nbody\r\n", "a: b\r\n\r\nbody\r\n"});
  inbox.server.backend().body_end = 0;
  const auto response = inbox.client.run("FETCH 1:2 (UID BODY.PEEK[])");
  CHECK(response.all().empty());
  CHECK(response.tagged.starts_with("NO [UNAVAILABLE]"));
  CHECK(inbox.client.run("FETCH 1:2 UID").all() == "1 FETCH (UID 1)|2 FETCH (UID 2)");
}

TEST_CASE("body_that_breaks_within_a_literal_ends_the_connection") {
  Inbox inbox({"a: b\r\n\r\n" + std::string(500000, 'x')});
  inbox.server.backend().body_end = 200000;
  inbox.client.send("a FETCH 1 BODY.PEEK[]\r\n");
  CHECK(inbox.client.closed());
}

TEST_CASE("fetch_of_many_messages_runs_in_batches") {
  std::vector<std::string> messages(150, "Subject: s\r\n\r\nb\r\n");
  Inbox inbox(std::move(messages));
  const auto response = inbox.client.run("UID FETCH 1:* (ENVELOPE RFC822.SIZE)");
  CHECK(response.ok());
  CHECK(response.untagged.size() == 150);
}
