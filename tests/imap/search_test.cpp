#include <catch2/catch.hpp>

#include "tests/imap/test_server.hpp"

using namespace postern;
using namespace postern::imap;
using namespace postern::imap::test;

namespace {
Timestamp day(int year, unsigned month, unsigned of_month, int hour) {
  return Timestamp(std::chrono::sys_days{std::chrono::year{year} / static_cast<int>(month) /
                                         static_cast<int>(of_month)} +
                   std::chrono::hours(hour));
}

struct Inbox {
  TestServer server;
  Client client{server};

  explicit Inbox(Options options = test_options()) : server(std::move(options)) {
    auto& backend = server.backend();
    // 1: plain. 2: encoded words and quoted-printable UTF-8. 3: base64 part in a multipart. 4:
    // large, no date.
    backend.deliver(
        "INBOX", {"From: Fred Foobar <foobar@Blurdybloop.example>\r\nTo: mooch@owatagu.example\r\n"
                  "Subject: afternoon meeting\r\nDate: Mon, 7 Feb 1994 23:52:25 -0800\r\n"
                  "Message-Id: <B27397@blurdybloop.example>\r\nX-Spam: no\r\n\r\n"
                  "Hello Joe, shall we meet at 3:30 tomorrow?\r\n",
                  Flags{kSeen, {"$Work"}}, day(1994, 2, 8, 8)});
    backend.deliver("INBOX",
                    {"From: =?utf-8?Q?J=C3=BCrgen?= <j@x.example>\r\nCc: smith@y.example\r\n"
                     "Subject: =?iso-8859-1?Q?Gr=FC=DFe?= aus\r\n =?utf-8?B?TcO8bmNoZW4=?=\r\n"
                     "Date: Tue, 1 Mar 1994 00:30:00 +0100\r\nMIME-Version: 1.0\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                     "Das Wetter ist sch=C3=B6n, lang=\r\ne Zeile\r\n",
                     Flags{kFlagged | kAnswered, {}}, day(1994, 3, 1, 1)});
    backend.deliver("INBOX",
                    {"From: a@b.example\r\nBcc: hidden@z.example\r\nMIME-Version: 1.0\r\n"
                     "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                     "Content-Type: text/plain; charset=iso-8859-1\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\n"
                     "TmHvdmUgdGV4dA==\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\n"
                     "meeting\r\n--b--\r\n",
                     Flags{kDeleted | kDraft, {}}, day(1995, 1, 1, 0)});
    backend.deliver("INBOX", {"Subject: big\r\n\r\n" + std::string(5000, 'y') + "\r\n", Flags{},
                              day(1996, 1, 1, 0)});
    client.log_in();
    client.select();
  }

  std::string search(const std::string& keys) {
    const auto response = client.run("SEARCH " + keys);
    if (!response.ok()) return response.tagged;
    auto all = response.all();
    return all.size() > 7 ? all.substr(7) : "";
  }
};
}  // namespace

TEST_CASE("search_by_every_key_of_rfc_3501") {
  Inbox inbox;
  const std::vector<std::pair<std::string, std::string>> rows{
      {"ALL", "1 2 3 4"},
      {"2:3", "2 3"},
      {"*", "4"},
      {"UID 1,4:*", "1 4"},
      {"ANSWERED", "2"},
      {"UNANSWERED", "1 3 4"},
      {"DELETED", "3"},
      {"UNDELETED", "1 2 4"},
      {"DRAFT", "3"},
      {"UNDRAFT", "1 2 4"},
      {"FLAGGED", "2"},
      {"UNFLAGGED", "1 3 4"},
      {"SEEN", "1"},
      {"UNSEEN", "2 3 4"},
      {"KEYWORD $work", "1"},
      {"UNKEYWORD $WORK", "2 3 4"},
      {"RECENT", "1 2 3 4"},
      {"NEW", "2 3 4"},
      {"OLD", ""},
      {"BEFORE 1-Mar-1994", "1"},
      {"ON 1-Mar-1994", "2"},
      {"SINCE 1-Mar-1994", "2 3 4"},
      // The sender's own day counts, whatever the zone (RFC 3501 §6.4.4).
      {"SENTON 7-Feb-1994", "1"},
      {"SENTBEFORE 1-Mar-1994", "1"},
      {"SENTSINCE 1-Mar-1994", "2"},
      {"SENTON 1-Mar-1994", "2"},
      {"LARGER 4000", "4"},
      {"SMALLER 4000", "1 2 3"},
      {"FROM foobar", "1"},
      {"FROM FRED", "1"},
      {"FROM \"j\xc3\xbcrgen\"", "2"},
      {"FROM \"J\xc3\x9cRGEN\"", "2"},
      {"FROM example", "1 2 3"},
      {"TO mooch@owatagu.example", "1"},
      {"CC smith", "2"},
      {"BCC hidden", "3"},
      {"SUBJECT \"AFTERNOON meeting\"", "1"},
      {"SUBJECT \"gr\xc3\xbc\xc3\x9f\x65 aus m\xc3\xbcnchen\"", "2"},
      {"HEADER X-Spam \"\"", "1"},
      {"HEADER x-spam NO", "1"},
      {"HEADER X-Spam yes", ""},
      {"HEADER Message-ID <b27397@", "1"},
      {"HEADER Subject \"\"", "1 2 4"},
      {"BODY tomorrow", "1"},
      {"BODY \"sch\xc3\xb6n, lange zeile\"", "2"},
      {"BODY \"na\xc3\xafve\"", "3"},
      {"BODY meeting", ""},  // not in an opaque attachment, and a subject is no body
      {"TEXT meeting", "1"},
      {"TEXT \"x-spam: no\"", "1"},
      {"TEXT \"\"", "1 2 3 4"},
      {"NOT SEEN", "2 3 4"},
      {"OR SEEN DELETED", "1 3"},
      {"NOT OR SEEN (DELETED NOT FLAGGED)", "2 4"},
      {"FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\"", "2"},
      {"(SEEN UNSEEN)", ""},
      {"OR BODY tomorrow SUBJECT big", "1 4"},
      {"NOT BODY tomorrow", "2 3 4"},
      {"CHARSET UTF-8 BODY {10+}\r\nNA\xc3\x8fVE TEX", "3"},
      {"CHARSET us-ascii SUBJECT big", "4"},
  };
  for (const auto& [keys, expected] : rows) {
    CAPTURE(keys);
    CHECK(inbox.search(keys) == expected);
  }
}

TEST_CASE("uid_search_gives_uids") {
  Inbox inbox;
  inbox.client.run("STORE 1 +FLAGS.SILENT (\\Deleted)");
  inbox.client.run("UID EXPUNGE 1");
  CHECK(inbox.client.run("UID SEARCH ALL").all() == "SEARCH 2 3 4");
  CHECK(inbox.client.run("SEARCH ALL").all() == "SEARCH 1 2 3");
  CHECK(inbox.client.run("SEARCH UID 4").all() == "SEARCH 3");
}

TEST_CASE("extended_search_results") {
  Inbox inbox;
  const auto run = [&](const std::string& text) {
    inbox.client.send("A282 " + text + "\r\n");
    return inbox.client.until("A282").all();
  };
  CHECK(run("SEARCH RETURN (MIN COUNT) UNSEEN") == "ESEARCH (TAG \"A282\") MIN 2 COUNT 3");
  CHECK(run("SEARCH RETURN () UNSEEN") == "ESEARCH (TAG \"A282\") ALL 2:4");
  CHECK(run("UID SEARCH RETURN (MAX MIN) 1:3") == "ESEARCH (TAG \"A282\") UID MIN 1 MAX 3");
  CHECK(run("UID SEARCH RETURN (ALL) OR SEEN 3:4") == "ESEARCH (TAG \"A282\") UID ALL 1,3:4");
  CHECK(run("SEARCH RETURN (MIN MAX ALL COUNT) SUBJECT nothing") ==
        "ESEARCH (TAG \"A282\") COUNT 0");
  CHECK(run("SEARCH RETURN (MIN) SUBJECT nothing") == "ESEARCH (TAG \"A282\")");
}

TEST_CASE("search_refusals") {
  Inbox inbox;
  CHECK(inbox.client.run("SEARCH CHARSET KOI8-R TEXT x").tagged ==
        "NO [BADCHARSET (US-ASCII UTF-8)] Charset not supported");
  CHECK(inbox.client.run("SEARCH " + std::string(50, '(') + "ALL" + std::string(50, ')')).tagged ==
        "NO [LIMIT] Search nested too deep");
  CHECK(inbox.client.run("SEARCH FOO").tagged == "BAD Unknown search key");
}

TEST_CASE("search_cost_is_limited") {
  auto options = test_options();
  options.limits.search_bytes = 4000;
  Inbox inbox(options);
  CHECK(inbox.search("BODY nothing") == "NO [LIMIT] Search reads too much");
  CHECK(inbox.search("SMALLER 4000 BODY tomorrow") == "1");
  CHECK(inbox.search("SUBJECT big") == "4");
}

TEST_CASE("search_of_an_empty_mailbox") {
  Inbox inbox;
  inbox.client.select("Sent");
  CHECK(inbox.client.run("SEARCH ALL").all() == "SEARCH");
  CHECK(inbox.client.run("UID SEARCH 1:*").tagged == "OK SEARCH completed");
}
