// The ranges and their edges are those of the IANA special-purpose address registries.
#include "core/outbound/address_policy.hpp"

#include <catch2/catch.hpp>

namespace {
using namespace postern;
using namespace postern::outbound;

std::string_view refused(const char* address, const AddressPolicy& policy = {}) {
  return refusal(ip::make_address(address), policy);
}

Errc network_error(const char* text) { return parse_private_network(text).error().code; }
}  // namespace

TEST_CASE("address_outside_special_ranges_is_allowed", "[outbound]") {
  for (const char* address : {"1.0.0.0",         "1.1.1.1",
                              "8.8.8.8",         "9.255.255.255",
                              "11.0.0.0",        "100.63.255.255",
                              "100.128.0.0",     "126.255.255.255",
                              "128.0.0.0",       "169.253.255.255",
                              "169.255.0.0",     "172.15.255.255",
                              "172.32.0.0",      "191.255.255.255",
                              "192.0.1.0",       "192.0.3.0",
                              "192.88.98.255",   "192.88.100.0",
                              "192.167.255.255", "192.169.0.0",
                              "198.17.255.255",  "198.20.0.0",
                              "198.51.99.255",   "198.51.101.0",
                              "203.0.112.255",   "203.0.114.0",
                              "223.255.255.255", "2000::",
                              "2001:200::1",     "2001:db7:ffff::1",
                              "2001:db9::",      "2001:4860:4860::8888",
                              "2003::1",         "2606:4700:4700::1111",
                              "2a00:1450::1",    "3ffe:ffff::1",
                              "3fff:1000::1"}) {
    CAPTURE(address);
    CHECK(refused(address).empty());
  }
}

TEST_CASE("address_in_a_special_ipv4_range_is_refused", "[outbound]") {
  for (const char* address :
       {"0.0.0.0",         "0.255.255.255",   "10.0.0.0",        "10.255.255.255",
        "100.64.0.0",      "100.127.255.255", "100.100.100.200", "127.0.0.0",
        "127.0.0.1",       "127.255.255.255", "168.63.129.16",   "169.254.0.0",
        "169.254.169.254", "169.254.255.255", "172.16.0.0",      "172.31.255.255",
        "192.0.0.0",       "192.0.0.192",     "192.0.0.255",     "192.0.2.0",
        "192.0.2.255",     "192.88.99.0",     "192.88.99.255",   "192.168.0.0",
        "192.168.255.255", "198.18.0.0",      "198.19.255.255",  "198.51.100.0",
        "198.51.100.255",  "203.0.113.0",     "203.0.113.255",   "224.0.0.0",
        "239.255.255.255", "240.0.0.0",       "255.255.255.254", "255.255.255.255"}) {
    CAPTURE(address);
    CHECK_FALSE(refused(address).empty());
  }
}

TEST_CASE("address_in_a_special_ipv6_range_is_refused", "[outbound]") {
  for (const char* address : {"::",
                              "::1",
                              "::2",
                              "::127.0.0.1",
                              "::8.8.8.8",
                              "::ffff:0:0",
                              "::ffff:127.0.0.1",
                              "::ffff:8.8.8.8",
                              "::ffff:169.254.169.254",
                              "::ffff:255.255.255.255",
                              "::1:0:0:0",
                              "64:ff9b::",
                              "64:ff9b::7f00:1",
                              "64:ff9b::a9fe:a9fe",
                              "64:ff9b::808:808",
                              "64:ff9b:1::",
                              "64:ff9b:1:ffff::1",
                              "64:ff9b:2::1",
                              "100::",
                              "100::1",
                              "100:0:0:1::1",
                              "1fff:ffff::1",
                              "2001::",
                              "2001:0:7f00:1::",
                              "2001::5601:5601",
                              "2001:1::1",
                              "2001:20::1",
                              "2001:1ff:ffff::1",
                              "2001:db8::",
                              "2001:db8:ffff::1",
                              "2002::",
                              "2002:7f00:1::",
                              "2002:a9fe:a9fe::1",
                              "2002:ffff::1",
                              "3fff::",
                              "3fff:fff::1",
                              "4000::1",
                              "5f00::",
                              "5f00:1::",
                              "8000::1",
                              "fc00::",
                              "fd00:ec2::254",
                              "fd20:ce::254",
                              "fdff:ffff::1",
                              "fe00::1",
                              "fe80::",
                              "fe80::a9fe:a9fe",
                              "febf:ffff::1",
                              "fec0::1",
                              "feff::1",
                              "ff00::",
                              "ff02::1",
                              "ffff:ffff::1"}) {
    CAPTURE(address);
    CHECK_FALSE(refused(address).empty());
  }
}

TEST_CASE("address_with_a_scope_is_refused", "[outbound]") {
  auto scoped = ip::make_address_v6("2606:4700:4700::1111");
  scoped.scope_id(2);
  CHECK_FALSE(refusal(scoped, {}).empty());
}

TEST_CASE("address_refusal_names_the_rule", "[outbound]") {
  CHECK(refused("169.254.169.254") == "cloud metadata");
  CHECK(refused("169.254.1.1") == "link-local (RFC 3927)");
  CHECK(refused("10.1.2.3") == "private network (RFC 1918)");
  CHECK(refused("::ffff:7f00:1") == "IPv4-mapped (RFC 4291)");
  CHECK(refused("64:ff9b::1") == "NAT64 (RFC 6052)");
  CHECK(refused("64:ff9b:1::1") == "NAT64 (RFC 8215)");
  CHECK(refused("2001::1") == "Teredo (RFC 4380)");
  CHECK(refused("4000::1") == "not global unicast (RFC 4291)");
}

TEST_CASE("address_policy_that_allows_loopback_opens_nothing_else", "[outbound]") {
  AddressPolicy policy;
  policy.allow_loopback = true;
  CHECK(refused("127.0.0.1", policy).empty());
  CHECK(refused("127.9.9.9", policy).empty());
  CHECK(refused("::1", policy).empty());
  for (const char* still : {"0.0.0.0", "::", "::ffff:127.0.0.1", "::127.0.0.1", "10.0.0.1",
                            "64:ff9b::7f00:1", "2002:7f00:1::", "169.254.169.254"}) {
    CAPTURE(still);
    CHECK_FALSE(refused(still, policy).empty());
  }
}

TEST_CASE("address_policy_opens_the_private_networks_it_lists", "[outbound]") {
  AddressPolicy policy;
  for (const char* network : {"10.1.0.0/16", "100.64.0.0/10", "fd00::/8", "192.168.7.7/32"}) {
    policy.private_networks.push_back(parse_private_network(network).value());
  }
  for (const char* open :
       {"10.1.0.0", "10.1.255.255", "100.100.100.199", "fd12::1", "192.168.7.7"}) {
    CAPTURE(open);
    CHECK(refused(open, policy).empty());
  }
  for (const char* still : {"10.0.255.255", "10.2.0.0", "100.100.100.200", "fd00:ec2::254",
                            "fc00::1", "192.168.7.6", "192.168.7.8", "127.0.0.1", "::1"}) {
    CAPTURE(still);
    CHECK_FALSE(refused(still, policy).empty());
  }
}

TEST_CASE("private_network_text_is_parsed_strictly", "[outbound]") {
  CHECK(parse_private_network("172.16.0.0/12"));
  CHECK(parse_private_network("fd12:3456:789a::/64"));
  CHECK(parse_private_network("fd12:3456:789a:0:8000::/65"));
  for (const char* wrong :
       {"", "/", "10.0.0.0", "10.0.0.0/", "/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
        "10.0.0.0/8 ", "10.0.0.0/8/8", "10.0.0/8", "010.0.0.0/8", "10.0.0.1/8", "fd00::1/64",
        "fd00::/129", "fd00:0:0:1::/63", "fd00::1/127", "10.0.0.0/99999999999"}) {
    CAPTURE(wrong);
    CHECK(network_error(wrong) == Errc::invalid);
  }
  for (const char* wide : {"0.0.0.0/0", "10.0.0.0/7", "172.0.0.0/11", "8.8.8.0/24", "127.0.0.0/8",
                           "169.254.0.0/16", "169.254.169.254/32", "fd00:ec2::254/128", "::/0",
                           "::1/128", "fe80::/10", "2002:a00::/24"}) {
    CAPTURE(wide);
    CHECK(network_error(wide) == Errc::denied);
  }
}
