#include "message/address.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "core/ascii.hpp"
#include "suites.hpp"

using namespace postern::message;
namespace json = boost::json;

namespace {

using Kind = Address::Kind;

/// "kind|name|local|domain" of each.
std::vector<std::string> shape(const std::string& value) {
  std::vector<std::string> out;
  for (const Address& a : parse_address_list(value)) {
    const char* kind = a.kind == Kind::mailbox ? "m" : a.kind == Kind::group_start ? "(" : ")";
    out.push_back(std::string(kind) + "|" + a.display_name() + "|" + a.local + "|" + a.domain);
  }
  return out;
}
using Shape = std::vector<std::string>;

}  // namespace

TEST_CASE("address_examples_of_rfc_5322_appendix_a") {
  CHECK(shape("John Doe <jdoe@machine.example>") == Shape{"m|John Doe|jdoe|machine.example"});
  CHECK(shape("\"Joe Q. Public\" <john.q.public@example.com>") ==
        Shape{"m|Joe Q. Public|john.q.public|example.com"});
  CHECK(shape("Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>") ==
        Shape{"m|Mary Smith|mary|x.test", "m||jdoe|example.org", "m|Who?|one|y.test"});
  CHECK(shape("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>") ==
        Shape{"m||boss|nil.test", "m|Giant; \"Big\" Box|sysservices|example.net"});
  CHECK(shape("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;") ==
        Shape{"(|A Group||", "m|Ed Jones|c|a.test", "m||joe|where.test", "m|John|jdoe|one.test",
              ")|||"});
  CHECK(shape("Undisclosed recipients:;") == Shape{"(|Undisclosed recipients||", ")|||"});
  // A.5 white space and comments
  CHECK(shape("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>") ==
        Shape{"m|Pete|pete|silly.test"});
  CHECK(shape("A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
              "         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of "
              "the group)") == Shape{"(|A Group||", "m|Chris Jones|c|public.example",
                                     "m||joe|example.org", "m|John|jdoe|one.test", ")|||"});
  // A.6 obsolete forms
  CHECK(shape("Joe Q. Public <john.q.public@example.com>") ==
        Shape{"m|Joe Q. Public|john.q.public|example.com"});
  const auto routed =
      parse_address_list("Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example");
  REQUIRE(routed.size() == 2);
  CHECK(routed[0].route == "@node.test");
  CHECK(routed[0].addr_spec() == "mary@example.net");
  CHECK(routed[1].addr_spec() == "jdoe@test.example");
  CHECK(shape("John Doe <jdoe@machine(comment).  example>") ==
        Shape{"m|John Doe|jdoe|machine.example"});
}

TEST_CASE("address_forms_in_the_wild") {
  CHECK(shape("jdoe@example.org (John Doe)") == Shape{"m|John Doe|jdoe|example.org"});
  CHECK(shape("\"a b\"@example.org") == Shape{"m||a b|example.org"});
  CHECK(shape("<user@[192.0.2.1]>") == Shape{"m||user|[192.0.2.1]"});
  CHECK(shape("=?utf-8?q?J=C3=B6rg?= <j@example.org>") == Shape{"m|Jörg|j|example.org"});
  CHECK(shape("Jörg <jörg@exämple.org>") == Shape{"m|Jörg|jörg|exämple.org"});
  CHECK(shape("John Doe jdoe@example.org") == Shape{"m|John Doe|jdoe|example.org"});
  CHECK(shape("root") == Shape{"m||root|"});
  CHECK(shape("<>") == Shape{"m|||"});
  CHECK(shape("") == Shape{});
  CHECK(shape(" , ,, ") == Shape{});
  CHECK(shape("a@b; c@d") == Shape{"m||a|b", "m||c|d"});
  CHECK(shape("x:a@b") == Shape{"(|x||", "m||a|b", ")|||"});
}

TEST_CASE("address_names_keep_encoded_words_raw") {
  const auto list = parse_address_list("=?utf-8?q?J=C3=B6rg?= Meier <j@example.org>");
  REQUIRE(list.size() == 1);
  CHECK(list[0].name == "=?utf-8?q?J=C3=B6rg?= Meier");
  CHECK(list[0].display_name() == "Jörg Meier");
}

TEST_CASE("address_count_limit_holds") {
  std::string text;
  for (std::size_t i = 0; i < kMaxAddresses + 5; ++i) text += "a@b,";
  CHECK(parse_address_list(text).size() == kMaxAddresses);
  text.resize(4 * (kMaxAddresses - 1));
  CHECK(parse_address_list(text).size() == kMaxAddresses - 1);
}

TEST_CASE("phrases_are_encoded_as_their_characters_need") {
  CHECK(encode_phrase("John Doe") == "John Doe");
  CHECK(encode_phrase("Joe Q. Public") == "\"Joe Q. Public\"");
  CHECK(encode_phrase("a \"b\" \\c") == "\"a \\\"b\\\" \\\\c\"");
  CHECK(encode_phrase("Jörg") == "=?utf-8?q?J=C3=B6rg?=");
  CHECK(encode_phrase("x\r\nBcc: y").find('\n') == std::string::npos);
  CHECK(format_mailbox("", "a@b.example") == "a@b.example");
  CHECK(format_mailbox("A, B", "a@b.example") == "\"A, B\" <a@b.example>");
  for (const std::string name :
       {"John Doe", "Joe Q. Public", "a \"b\" \\c", "Jörg Müller-Straße", "=?x?="}) {
    const auto back = parse_mailboxes(format_mailbox(name, "a@b.example"));
    REQUIRE(back.size() == 1);
    CHECK(back[0].display_name() == name);
    CHECK(back[0].addr_spec() == "a@b.example");
  }
}

TEST_CASE("message_ids_are_found_between_other_text") {
  CHECK(parse_message_ids("<1234@local.machine.example> <3456@example.net>") ==
        Shape{"<1234@local.machine.example>", "<3456@example.net>"});
  CHECK(parse_message_ids("Your message of today <a@b>") == Shape{"<a@b>"});
  CHECK(parse_message_ids("<1234   @   local .machine .example>") ==
        Shape{"<1234@local.machine.example>"});
  CHECK(parse_message_ids("<>").empty());
  CHECK(parse_message_ids("a@b").empty());
  CHECK(parse_message_ids("<a@b").empty());
}

namespace {

struct Expected {
  std::string name, address;
  bool operator==(const Expected&) const = default;
};

void collect(const json::value& list, std::vector<Expected>& out) {
  for (const auto& entry : list.as_array()) {
    const auto text = [&](const char* key) {
      const auto* value = entry.as_object().if_contains(key);
      return value != nullptr && value->is_string() ? std::string(value->as_string())
                                                    : std::string();
    };
    out.push_back({text("name"), text("address")});
  }
}

/// Where mail-parser's view of a list is a matter of taste: it adds every comment to the name,
/// keeps a route inside the address, reads URLs as addresses and trims nothing between a domain's
/// dots.
bool comparable(const std::string& header) {
  return header.find('(') == std::string::npos && header.find("<@") == std::string::npos &&
         header.find("://") == std::string::npos && header.find("mailto:") == std::string::npos;
}

}  // namespace

TEST_CASE("address_lists_agree_with_mail_parser") {
  const auto path = postern::test::suites_path("mime/mail-parser/address.json");
  if (postern::test::suite_missing(path)) return;
  int compared = 0;
  const json::value cases = postern::test::read_json(path);
  for (const auto& entry : cases.as_array()) {
    std::string header(entry.at("header").as_string());
    if (!comparable(header)) continue;
    // The table's texts run on after the field's end.
    for (auto lf = header.find('\n'); lf != std::string::npos; lf = header.find('\n', lf + 1)) {
      if (lf + 1 < header.size() && header[lf + 1] != ' ' && header[lf + 1] != '\t')
        header.resize(lf);
    }
    std::vector<Expected> expected;
    const auto& want = entry.at("expected").as_object();
    if (want.contains("List")) {
      collect(want.at("List"), expected);
    } else {
      for (const auto& group : want.at("Group").as_array())
        collect(group.at("addresses"), expected);
    }
    std::vector<Expected> got;
    for (const Address& a : parse_mailboxes(header))
      got.push_back({a.display_name(), a.addr_spec()});
    INFO(header);
    REQUIRE(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      CHECK(got[i].name == postern::ascii::trim(expected[i].name));
      CHECK(got[i].address == expected[i].address);
    }
    ++compared;
  }
  CHECK(compared > 35);
}
