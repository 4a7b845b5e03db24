#include "message/email_address.hpp"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::message;

TEST_CASE("email_addresses_that_are_accepted") {
  struct Case {
    std::string input, local, domain, text;
  };
  const Case cases[] = {
      {"user@example.com", "user", "example.com", "user@example.com"},
      {"User+Tag@EXAMPLE.com", "User+Tag", "example.com", "User+Tag@example.com"},
      {"a@b", "a", "b", "a@b"},
      {"!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~", "example.com",
       "!#$%&'*+-/=?^_`{|}~@example.com"},
      {"\"john doe\"@example.com", "john doe", "example.com", "\"john doe\"@example.com"},
      {"\"john\"@example.com", "john", "example.com", "john@example.com"},
      {"\"a@b\"@example.com", "a@b", "example.com", "\"a@b\"@example.com"},
      {"\"a\\\"b\"@example.com", "a\"b", "example.com", "\"a\\\"b\"@example.com"},
      {"\"..\"@example.com", "..", "example.com", "\"..\"@example.com"},
      {"u@[192.0.2.1]", "u", "[192.0.2.1]", "u@[192.0.2.1]"},
      {"u@[IPv6:2001:DB8::1]", "u", "[IPv6:2001:db8::1]", "u@[IPv6:2001:db8::1]"},
      {"u@xn--mnchen-3ya.de", "u", "xn--mnchen-3ya.de", "u@xn--mnchen-3ya.de"},
  };
  for (const Case& c : cases) {
    INFO(c.input);
    const auto got = parse_email(c.input, AddressCharset::ascii);
    REQUIRE(got);
    CHECK(got->local == c.local);
    CHECK(got->domain == c.domain);
    CHECK(got->text() == c.text);
    CHECK(parse_email(got->text(), AddressCharset::ascii) == *got);
  }
}

TEST_CASE("email_addresses_that_are_refused") {
  const std::string cases[] = {"",
                               "user",
                               "@example.com",
                               "user@",
                               "a..b@example.com",
                               ".a@example.com",
                               "a.@example.com",
                               "a b@example.com",
                               "<a@example.com>",
                               "a@example.com ",
                               "a@-example.com",
                               "a@example-.com",
                               "a@exa mple.com",
                               "a@example..com",
                               "a@.example.com",
                               "a@example.com.",
                               "a@exam_ple.com",
                               "a@b@example.com",
                               "\"a@example.com",
                               "\"\"@example.com",
                               "\"a\"b@example.com",
                               "\"a\nb\"@example.com",
                               "a@[192.0.2.256]",
                               "a@[192.0.2.1",
                               "a@[]",
                               "a@[IPv6:zz]",
                               "a@[2001:db8::1]",
                               "a@[IPv6:fe80::1%eth0]",
                               "a(c)@example.com",
                               "a,b@example.com",
                               "a:b@example.com",
                               "a\x01@example.com",
                               "\x7f@example.com",
                               "a\r\n@example.com",
                               std::string("a\0b@example.com", 15),
                               "j\xc3\xb6@example.com",
                               "a@ex\xc3\xa4mple.com",
                               "@a.example:b@c.example"};
  for (const std::string& input : cases) {
    INFO(input);
    CHECK_FALSE(parse_email(input, AddressCharset::ascii));
  }
}

TEST_CASE("email_address_length_limits") {
  // RFC 5321 §4.5.3.1
  const auto parses = [](const std::string& text) {
    return parse_email(text, AddressCharset::ascii).has_value();
  };
  CHECK(parses(std::string(63, 'a') + "@b.example"));
  CHECK(parses(std::string(64, 'a') + "@b.example"));
  CHECK_FALSE(parses(std::string(65, 'a') + "@b.example"));
  CHECK(parses("a@" + std::string(63, 'b') + ".example"));
  CHECK_FALSE(parses("a@" + std::string(64, 'b') + ".example"));
  const std::string label(63, 'c');
  const std::string three = label + "." + label + "." + label + ".";
  CHECK(parses("a@" + three + std::string(62, 'd')));
  CHECK(parses("a@" + three + std::string(63, 'd')));  // 255
  CHECK_FALSE(parses("a@" + three + "d." + std::string(62, 'd')));
  CHECK_FALSE(parses(std::string(100'000, 'a') + "@b.example"));
}

TEST_CASE("email_addresses_with_utf8") {
  // RFC 6531
  const auto got = parse_email("jörg@münchen.DE", AddressCharset::utf8);
  REQUIRE(got);
  CHECK(got->local == "jörg");
  CHECK(got->domain == "xn--mnchen-3ya.de");
  CHECK(got->needs_smtputf8());
  CHECK_FALSE(parse_email("joerg@münchen.de", AddressCharset::utf8)->needs_smtputf8());
  CHECK_FALSE(parse_email("j\xc3@example.com", AddressCharset::utf8));
  CHECK_FALSE(parse_email("j\xed\xa0\x80@example.com", AddressCharset::utf8));
  CHECK_FALSE(
      parse_email("a@\xe2\x80\xae"
                  "example.com",
                  AddressCharset::utf8));
}

TEST_CASE("domains_are_normalised") {
  CHECK(normalise_domain("Example.COM.") == "example.com");
  CHECK(normalise_domain("MÜNCHEN.de") == "xn--mnchen-3ya.de");
  CHECK(normalise_domain("faß.de") == "xn--fa-hia.de");  // UTS 46 nontransitional
  CHECK(normalise_domain("例え.テスト") == "xn--r8jz45g.xn--zckzah");
  CHECK_FALSE(normalise_domain(""));
  CHECK_FALSE(normalise_domain("."));
  CHECK_FALSE(normalise_domain("a..b"));
  CHECK_FALSE(normalise_domain("a b"));
  CHECK(display_domain("xn--mnchen-3ya.de") == "münchen.de");
  CHECK(display_domain("example.com") == "example.com");
}

TEST_CASE("utf8_follows_rfc_3629") {
  for (const std::string good : {"", "a", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                                 "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    CHECK(is_utf8(good));
  }
  for (const std::string bad :
       {"\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE1\x80",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
    CHECK_FALSE(is_utf8(bad));
  }
}
