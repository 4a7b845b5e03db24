#include "message/index.hpp"

#include <catch2/catch.hpp>

#include "suites.hpp"

using namespace postern;
using namespace postern::message;

namespace {

// RFC 9051 §6.4.5.1's example of part numbers.
const std::string kNested =
    "Subject: top\r\nContent-Type: multipart/mixed; boundary=A\r\n\r\npreamble\r\n--A\r\n"
    "Content-Type: text/plain\r\n\r\none\r\n--A\r\nContent-Type: "
    "application/octet-stream\r\n\r\ntwo\r\n--A\r\n"
    "Content-Type: message/rfc822\r\n\r\n"
    "Subject: three\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n\r\n3.1\r\n--B\r\n"
    "Content-Type: application/octet-stream\r\n\r\n3.2\r\n--B--\r\n\r\n--A\r\n"
    "Content-Type: multipart/mixed; boundary=C\r\nX: four\r\n\r\n--C\r\nContent-Type: "
    "image/gif\r\n\r\n4.1\r\n--C\r\n"
    "Content-Type: message/rfc822\r\n\r\nSubject: 4.2\r\nContent-Type: "
    "text/html\r\n\r\n4.2.1\r\n--C--\r\n--A--\r\n";

std::string section(const std::string& message, std::vector<std::uint32_t> path,
                    SectionText text = SectionText::all) {
  const auto range = find_section(make_index(message).tree, path, text);
  return range ? message.substr(range->offset, range->length) : "(none)";
}

}  // namespace

TEST_CASE("sections_are_ranges_of_the_message") {
  CHECK(section(kNested, {}) == kNested);
  CHECK(section(kNested, {}, SectionText::header) ==
        "Subject: top\r\nContent-Type: multipart/mixed; boundary=A\r\n\r\n");
  CHECK(section(kNested, {}, SectionText::text) == kNested.substr(kNested.find("preamble")));
  CHECK(section(kNested, {1}) == "one");
  CHECK(section(kNested, {1}, SectionText::mime) == "Content-Type: text/plain\r\n\r\n");
  CHECK(section(kNested, {2}) == "two");
  CHECK(section(kNested, {3}, SectionText::header) ==
        "Subject: three\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n");
  CHECK(section(kNested, {3}, SectionText::text).starts_with("--B\r\n"));
  CHECK(section(kNested, {3}, SectionText::mime) == "Content-Type: message/rfc822\r\n\r\n");
  CHECK(section(kNested, {3}).starts_with("Subject: three\r\n"));
  CHECK(section(kNested, {3, 1}) == "3.1");
  CHECK(section(kNested, {3, 2}) == "3.2");
  CHECK(section(kNested, {4}, SectionText::mime).find("X: four") != std::string::npos);
  CHECK(section(kNested, {4, 1}) == "4.1");
  CHECK(section(kNested, {4, 2}, SectionText::header) ==
        "Subject: 4.2\r\nContent-Type: text/html\r\n\r\n");
  CHECK(section(kNested, {4, 2}, SectionText::text) == "4.2.1");
  CHECK(section(kNested, {4, 2, 1}) == "4.2.1");
  CHECK(section(kNested, {4, 2, 1}, SectionText::mime) ==
        "Subject: 4.2\r\nContent-Type: text/html\r\n\r\n");
}

TEST_CASE("sections_that_do_not_exist_are_refused") {
  for (const std::vector<std::uint32_t>& path : {std::vector<std::uint32_t>{0},
                                                 {5},
                                                 {1, 1},
                                                 {3, 3},
                                                 {4, 2, 2},
                                                 {4, 2, 1, 1},
                                                 {4294967295U}}) {
    CHECK(section(kNested, path) == "(none)");
  }
  CHECK(section(kNested, {1}, SectionText::header) == "(none)");
  CHECK(section(kNested, {4}, SectionText::text) == "(none)");
  CHECK(section(kNested, {}, SectionText::mime) == "(none)");
}

TEST_CASE("sections_of_a_message_without_parts") {
  const std::string message = "Subject: x\r\n\r\nbody";
  CHECK(section(message, {1}) == "body");
  CHECK(section(message, {1}, SectionText::mime) == "Subject: x\r\n\r\n");
  CHECK(section(message, {2}) == "(none)");
  CHECK(section(message, {1, 1}) == "(none)");
}

TEST_CASE("index_keeps_what_threading_and_sorting_need") {
  const Index index = make_index(
      "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\nSubject: Re: [list] Hello (fwd)\r\nMessage-ID: "
      "<a@x>\r\n"
      "References: <1@x> <2@x>\r\n <3@x>\r\nIn-Reply-To: <3@x>\r\n\r\n");
  REQUIRE(index.sent);
  CHECK(index.sent->zone == -360);
  CHECK(index.message_id == "<a@x>");
  CHECK(index.references == std::vector<std::string>{"<1@x>", "<2@x>", "<3@x>"});
  CHECK(index.base_subject == "Hello");
  CHECK(index.is_reply);
  CHECK(make_index("In-Reply-To: <1@x> <2@x>\r\n\r\n").references ==
        std::vector<std::string>{"<1@x>"});
}

TEST_CASE("base_subject_follows_rfc_5256") {
  struct Case {
    std::string raw, text;
    bool reply;
  };
  const Case cases[] = {{"Hello", "Hello", false},
                        {"Re: Hello", "Hello", true},
                        {"RE: re: Fwd: Hello", "Hello", true},
                        {"Fw: Hello", "Hello", true},
                        {"Re : Hello", "Hello", true},
                        {"Re[2]: Hello", "Hello", true},
                        {"Re: [list] Re: Hello", "Hello", true},
                        {"[list] Hello", "Hello", false},
                        {"[list]", "[list]", false},
                        {"[a] [b]", "[b]", false},
                        {"Hello (fwd) (FWD) ", "Hello", true},
                        {"[Fwd: Hello]", "Hello", true},
                        {"[fwd: Re: [fwd: Hello]]", "Hello", true},
                        {"Re:", "", true},
                        {"", "", false},
                        {"Really", "Really", false},
                        {"=?utf-8?q?Re=3A_Gr=C3=BC=C3=9Fe?=", "Grüße", true},
                        {"a\t\tb   c", "a b c", false},
                        {"[a[b] x", "[a[b] x", false}};
  for (const Case& c : cases) {
    INFO(c.raw);
    const BaseSubject got = base_subject(c.raw);
    CHECK(got.text == c.text);
    CHECK(got.is_reply == c.reply);
  }
  CHECK(base_subject(std::string(100'000, '[')).text.size() <= 4'096);
}

TEST_CASE("index_survives_storage") {
  std::vector<std::string> messages{kNested, "", "Subject: x\r\n\r\n",
                                    "Date: Thu, 1 Jan 1903 00:00:00 +0130\r\n\r\n",
                                    "From: G:a@b,\"x y\"@z;\r\nTo: <@r:c@d>\r\nContent-Type: a/b; "
                                    "c=d\r\nContent-Language: en\r\nContent-ID: <1>\r\n\r\n"};
  const auto root = test::suites_path("mime");
  if (!test::suite_missing(root)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const auto extension = entry.path().extension();
      if (extension == ".eml" || extension == ".msg")
        messages.push_back(test::read_file(entry.path()));
    }
  }
  for (const std::string& message : messages) {
    const Index index = make_index(message);
    const std::string stored = encode_index(index);
    const auto back = decode_index(stored);
    REQUIRE(back);
    CHECK(encode_index(*back) == stored);
    CHECK(back->sent == index.sent);
    CHECK(back->envelope() == index.envelope());
    REQUIRE(back->tree.parts.size() == index.tree.parts.size());
    for (std::size_t i = 0; i < index.tree.parts.size(); ++i) {
      CHECK(back->tree.parts[i].children == index.tree.parts[i].children);
      CHECK(back->tree.parts[i].body_end == index.tree.parts[i].body_end);
    }
  }
}

TEST_CASE("damaged_index_is_corrupt_and_never_crashes") {
  const std::string stored = encode_index(make_index(kNested));
  for (std::size_t size = 0; size < stored.size(); ++size) {
    const auto got = decode_index(std::string_view(stored).substr(0, size));
    REQUIRE_FALSE(got);
    CHECK(got.error().code == Errc::corrupt);
  }
  CHECK_FALSE(decode_index(stored + "x"));
  for (std::size_t at = 0; at < stored.size(); ++at) {
    for (const char c : {'\0', '\x01', '\x7f', '\xff'}) {
      std::string damaged = stored;
      damaged[at] = c;
      const auto got = decode_index(damaged);
      if (got) CHECK(encode_index(*got) == damaged);
    }
  }
}
