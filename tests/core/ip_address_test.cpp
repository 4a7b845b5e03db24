#include "core/ip_address.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace postern;
using namespace std::string_view_literals;

TEST_CASE("ip_address_of_either_family_parses") {
  CHECK(parse_ip("192.0.2.1")->to_string() == "192.0.2.1");
  CHECK(parse_ip("2001:DB8::1")->to_string() == "2001:db8::1");
  CHECK(parse_ip("::ffff:192.0.2.1")->is_v6());
  CHECK_FALSE(parse_ipv4("::1"));
  CHECK_FALSE(parse_ipv6("192.0.2.1"));
}

TEST_CASE("ip_address_with_anything_else_is_refused") {
  const auto text = GENERATE(as<std::string_view>{}, "", "192.0.2", "192.0.2.256", "192.0.2.1 ",
                             " ::1", "[::1]", "fe80::1%eth0", "::1%1", "::1\0"sv, "::\0001"sv,
                             "192.0.2.1\0x"sv, "host", ":::", "1:2:3:4:5:6:7:8:9");
  CAPTURE(text);
  CHECK_FALSE(parse_ip(text));
}

TEST_CASE("address_literal_is_an_address_in_brackets") {
  CHECK(parse_address_literal("[192.0.2.1]")->to_string() == "192.0.2.1");
  CHECK(parse_address_literal("[ipv6:2001:db8::1]")->to_string() == "2001:db8::1");
  const auto text = GENERATE(as<std::string_view>{}, "", "[", "[]", "192.0.2.1", "[192.0.2.1",
                             "[::1]", "[IPv6:192.0.2.1]", "[IPv6:]", "[x-tag:data]",
                             "[IPv6:::\0001]"sv, "[IPv6:::1\0\0]"sv, "[IPv6:fe80::1%1]");
  CAPTURE(text);
  CHECK_FALSE(parse_address_literal(text));
}
