#include "accounts/keys/address_list.hpp"

#include <catch2/catch.hpp>

#include "core/ip_address.hpp"

using namespace postern;
using namespace postern::accounts;

namespace {
bool allows(const std::vector<std::string>& networks, std::string_view peer) {
  return list_allows(networks, *parse_ip(peer));
}
}  // namespace

TEST_CASE("network_has_one_spelling", "[keys]") {
  // RFC 4632 §3.1, RFC 4291 §2.3; RFC 5952 §4 for the text of IPv6.
  const std::vector<std::pair<std::string, std::string>> accepted{
      {"192.0.2.0/24", "192.0.2.0/24"},
      {"192.0.2.7", "192.0.2.7/32"},
      {"192.0.2.7/32", "192.0.2.7/32"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"192.0.2.128/25", "192.0.2.128/25"},
      {"2001:DB8:0:0::/32", "2001:db8::/32"},
      {"2001:db8::1", "2001:db8::1/128"},
      {"::/0", "::/0"},
      {"2001:db8::8000/113", "2001:db8::8000/113"},
  };
  for (const auto& [text, wanted] : accepted) {
    INFO(text);
    const auto network = parse_network(text);
    REQUIRE(network);
    CHECK(*network == wanted);
  }
}

TEST_CASE("text_that_is_no_network_is_refused", "[keys]") {
  for (const std::string text :
       {"", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/08",
        "192.0.2.0/24 ", "192.0.2.0/2a", "192.0.2.0/24/24", "192.0.2/24", "192.0.2.1/24",
        "192.0.2.64/25", "2001:db8::/129", "2001:db8::1/64", "fe80::1%eth0", "::ffff:192.0.2.0/120",
        "example.com", "192.0.2.0/99999999999999999999"}) {
    INFO(text);
    CHECK_FALSE(parse_network(text));
  }
  CHECK_FALSE(parse_network(std::string("192.0.2.0\0/24", 13)));
}

TEST_CASE("address_list_is_bounded_and_without_repeats", "[keys]") {
  CHECK(check_address_list({"192.0.2.1", "192.0.2.1/32", "10.0.0.0/8"}).value() ==
        std::vector<std::string>{"10.0.0.0/8", "192.0.2.1/32"});
  CHECK(check_address_list(std::vector<std::string>(kMaxKeyAddresses, "192.0.2.1")));
  const auto many = check_address_list(std::vector<std::string>(kMaxKeyAddresses + 1, "192.0.2.1"));
  REQUIRE_FALSE(many);
  CHECK(many.error().code == Errc::too_large);
  CHECK_FALSE(check_address_list({"192.0.2.1", "x"}));
}

TEST_CASE("peer_is_allowed_within_the_networks_alone", "[keys]") {
  CHECK(allows({}, "203.0.113.9"));
  const std::vector<std::string> list{"192.0.2.128/25", "2001:db8:8000::/33", "198.51.100.7/32"};
  for (const auto* peer : {"192.0.2.128", "192.0.2.255", "2001:db8:8000::", "2001:db8:ffff::1",
                           "198.51.100.7", "::ffff:192.0.2.200"}) {
    INFO(peer);
    CHECK(allows(list, peer));
  }
  for (const auto* peer : {"192.0.2.127", "192.0.3.128", "2001:db8:7fff::1", "2001:db9:8000::",
                           "198.51.100.6", "198.51.100.8", "::ffff:192.0.2.1", "::1"}) {
    INFO(peer);
    CHECK_FALSE(allows(list, peer));
  }
  CHECK(allows({"0.0.0.0/0"}, "203.0.113.9"));
  CHECK_FALSE(allows({"0.0.0.0/0"}, "2001:db8::1"));
  CHECK_FALSE(allows({"not a network"}, "203.0.113.9"));
}
