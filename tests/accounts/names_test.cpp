#include "accounts/names.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace postern;
using namespace postern::accounts;

TEST_CASE("address_forms_of_one_mailbox_are_equal") {
  const std::vector<std::pair<std::string, std::string>> table{
      {"User@Example.COM", "user@example.com"},
      {"\"user\"@example.com", "user@example.com"},
      {"\"us\\er\"@example.com", "user@example.com"},
      {"\"John Doe\"@example.com", "\"john doe\"@example.com"},
      {"user+Tag@EXAMPLE.com", "user+tag@example.com"},
      {"user@example.com.", "user@example.com"},
      // RFC 5891 / UTS 46 by the published A-labels of these names.
      {"user@bücher.example", "user@xn--bcher-kva.example"},
      {"user@BÜCHER.example", "user@xn--bcher-kva.example"},
      {"user@XN--BCHER-KVA.example", "user@xn--bcher-kva.example"},
      {"用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"},
      // Composed and decomposed, upper and lower case.
      {"BJ\xc3\x96RN@a.example", "bj\xc3\xb6rn@a.example"},
      {"bjo\xcc\x88rn@a.example", "bj\xc3\xb6rn@a.example"},
  };
  for (const auto& [given, canonical] : table) {
    INFO(given);
    const auto parsed = parse_address(given);
    if (given == "user@example.com." && !parsed) continue;  // a final dot may also be refused
    REQUIRE(parsed);
    CHECK(parsed->text() == canonical);
    const auto again = parse_address(parsed->text());
    REQUIRE(again);
    CHECK(*again == *parsed);
  }
}

TEST_CASE("text_that_is_no_mailbox_is_refused") {
  for (const std::string& text : {std::string(""),
                                  std::string("user"),
                                  std::string("@example.com"),
                                  std::string("user@"),
                                  std::string("user@localhost"),
                                  std::string("user@[192.0.2.1]"),
                                  std::string("a@b@example.com"),
                                  std::string("<user@example.com>"),
                                  std::string("user name@example.com"),
                                  std::string("user@exa mple.com"),
                                  std::string("user@-a.example"),
                                  std::string("user@a..example"),
                                  std::string(".user@example.com"),
                                  std::string("user.@example.com"),
                                  std::string("us..er@example.com"),
                                  std::string("\"user@example.com"),
                                  std::string("user@example.com\r\n"),
                                  std::string("us\0er@example.com", 18),
                                  std::string("\xff@example.com"),
                                  std::string("@a.example,@b.example:user@example.com")}) {
    INFO(text);
    CHECK_FALSE(parse_address(text));
  }
}

TEST_CASE("address_lengths_are_bounded") {
  const auto of = [](std::size_t local, std::size_t label) {
    return parse_address(std::string(local, 'a') + "@" + std::string(label, 'b') + ".example");
  };
  CHECK(of(63, 10));
  CHECK(of(64, 10));
  CHECK_FALSE(of(65, 10));
  CHECK(of(10, 63));
  CHECK_FALSE(of(10, 64));
  const std::string label(58, 'c');
  const auto domain = label + "." + label + "." + label + ".";                             // 177
  CHECK(parse_address(std::string(64, 'a') + "@" + domain + std::string(12, 'd')));        // 254
  CHECK_FALSE(parse_address(std::string(64, 'a') + "@" + domain + std::string(13, 'd')));  // 255
}

TEST_CASE("detail_is_what_follows_the_first_separator") {
  CHECK(split_detail("user+tag").base == "user");
  CHECK(split_detail("user+tag").detail == "tag");
  CHECK(split_detail("user+a+b").detail == "a+b");
  CHECK(split_detail("user").base == "user");
  CHECK(split_detail("user").detail.empty());
  CHECK(split_detail("user+").base == "user");
  CHECK(split_detail("+user").base == "+user");
}

TEST_CASE("reversed_name_sorts_a_domain_before_what_is_below_it") {
  CHECK(reversed_name("example.com") == "com.example.");
  CHECK(reversed_name("a.b.example.com") == "com.example.b.a.");
}

TEST_CASE("tenant_names_are_plain") {
  CHECK(parse_tenant_name("Acme-1") == "acme-1");
  CHECK(parse_tenant_name(std::string(63, 'a')));
  for (const std::string& name : {std::string(), std::string("-a"), std::string("a b"),
                                  std::string("a/b"), std::string("ä"), std::string(64, 'a')}) {
    CHECK_FALSE(parse_tenant_name(name));
  }
}

TEST_CASE("labels_are_short_printable_text") {
  CHECK(parse_label(" Handy (Käthe) ") == "Handy (Käthe)");
  CHECK(parse_label(std::string(100, 'a')));
  for (const std::string& label : {std::string(), std::string("  "), std::string("a\nb"),
                                   std::string("\xc3"), std::string(101, 'a')}) {
    CHECK_FALSE(parse_label(label));
  }
}
