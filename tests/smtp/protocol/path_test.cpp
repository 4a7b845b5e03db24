#include "smtp/protocol/path.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace postern::smtp;

namespace {

struct Accepted {
  std::string text;
  std::string local;
  std::string domain;
};

std::string repeat(char c, std::size_t n) { return std::string(n, c); }

// Labels of 63 octets and dots: `n` octets in all.
std::string long_domain(std::size_t n) {
  std::string out;
  while (out.size() + 64 <= n) out += repeat('d', 63) + ".";
  return out + repeat('e', n - out.size());
}

}  // namespace

TEST_CASE("path_wellformed_is_parsed") {
  const std::vector<Accepted> table = {
      {"<a@b>", "a", "b"},
      {"<Smith@bar.com>", "Smith", "bar.com"},
      {"<@hosta.int,@jkl.org:userc@d.bar.org>", "userc", "d.bar.org"},  // RFC 5321 §C
      {"<@one.example:a@b.example>", "a", "b.example"},
      {"<!#$%&'*+-/=?^_`{|}~@x.example>", "!#$%&'*+-/=?^_`{|}~", "x.example"},
      {"<\"Joe\\,Smith\"@x.example>", "Joe,Smith", "x.example"},  // RFC 5321 §4.1.2
      {"<\"a b\"@x.example>", "a b", "x.example"},
      {"<\"a\\\"b\\\\c\"@x.example>", "a\"b\\c", "x.example"},
      {"<\"<>@;\"@x.example>", "<>@;", "x.example"},
      {"<\"plain\"@x.example>", "plain", "x.example"},
      {"<a@[192.0.2.1]>", "a", "[192.0.2.1]"},
      {"<a@[IPv6:2001:db8::1]>", "a", "[IPv6:2001:db8::1]"},
      {"<a@[ipv6:::ffff:192.0.2.1]>", "a", "[ipv6:::ffff:192.0.2.1]"},
      {"<a@xn--bcher-kva.example>", "a", "xn--bcher-kva.example"},
      {"<a@3com.example>", "a", "3com.example"},
      {"<a.b.c@x>", "a.b.c", "x"},
      {"<\xC3\xA9@\xC3\xA9.example>", "\xC3\xA9", "\xC3\xA9.example"},
  };
  for (const auto& row : table) {
    INFO(row.text);
    const auto parsed = parse_path(row.text + " REST");
    REQUIRE(parsed);
    CHECK(parsed->path == Path{row.local, row.domain});
    CHECK(parsed->length == row.text.size());
  }
}

TEST_CASE("path_malformed_is_refused") {
  const std::vector<std::string> table = {
      "",
      "<",
      ">",
      "<>",
      "a@b",
      "<a@b",
      "a@b>",
      "<a>",
      "<@b>",
      "<a@>",
      "<a@@b>",
      "<.a@b>",
      "<a.@b>",
      "<a..b@c>",
      "<a b@c>",
      "<a@b c>",
      "<a@-b>",
      "<a@b->",
      "<a@b..c>",
      "<a@.b>",
      "<a@b.>",
      "<a@b_c>",
      "<a@[]>",
      "<a@[192.0.2.256]>",
      "<a@[192.0.2]>",
      "<a@[2001:db8::1]>",
      "<a@[IPv6:zz]>",
      "<a@[IPv6:fe80::1%eth0]>",
      "<a@[x-tag:data]>",
      "<a@[192.0.2.1>",
      "<\"a@b>",
      "<\"\"@b>",
      "<\"a\"b@c>",
      "<\"a\\",
      "<\"a\x01\"@b>",
      "<a\x7F@b>",
      "<a\t@b>",
      "<@a,b:c@d>",
      "<@a:@b:c@d>",
      "<@a,:c@d>",
      "<@:c@d>",
      "<@a c@d>",
      "<@[192.0.2.1]:c@d>",
      "<a,b@c>",
      "<a:b@c>",
      "<(a)@b>",
      "<<a@b>>",
      "<a@b\r\n>",
      "<\xFF@b>",
      "<\xC0\x80@b>",
      "<\xED\xA0\x80@b>",
      "<a@\xC3>",
      "<\"\\\xC3\xA9\"@b>",
  };
  for (const auto& text : table) {
    INFO(text);
    CHECK_FALSE(parse_path(text));
  }
  CHECK_FALSE(parse_path(std::string("<a\0@b>", 6)));
}

TEST_CASE("path_limits_at_below_above") {
  CHECK(parse_path("<" + repeat('a', kMaxLocalPart) + "@b>"));
  CHECK_FALSE(parse_path("<" + repeat('a', kMaxLocalPart + 1) + "@b>"));
  CHECK(is_domain(repeat('a', 63) + ".b"));
  CHECK_FALSE(is_domain(repeat('a', 64) + ".b"));
  CHECK(is_domain(long_domain(254)));
  CHECK(is_domain(long_domain(255)));
  CHECK_FALSE(is_domain(long_domain(256)));
}

TEST_CASE("path_truncated_anywhere_is_refused") {
  const std::string whole = "<@hosta.int,@jkl.org:\"user c\"@d.bar.org>";
  REQUIRE(parse_path(whole));
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(parse_path(whole.substr(0, n)));
}

TEST_CASE("path_to_string_quotes_only_where_needed") {
  CHECK(to_string(Path{"a.b", "c"}) == "a.b@c");
  CHECK(to_string(Path{"a b", "c"}) == "\"a b\"@c");
  CHECK(to_string(Path{"a\"\\", "c"}) == "\"a\\\"\\\\\"@c");
  CHECK(to_string(Path{".a", "c"}) == "\".a\"@c");
  CHECK(to_string(Path{"postmaster", ""}) == "postmaster");
  CHECK(to_string(Path{}).empty());
}

TEST_CASE("path_text_parses_back_to_itself") {
  for (const std::string text : {"<a@b>", "<\"a b\"@c>", "<\"a\\\"\\\\\"@c>", "<x@[192.0.2.1]>"}) {
    const auto once = parse_path(text);
    REQUIRE(once);
    CHECK("<" + to_string(once->path) + ">" == text);
  }
}
