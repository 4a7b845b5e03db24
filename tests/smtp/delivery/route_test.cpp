#include "smtp/delivery/route.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "tests/support/fake_resolver.hpp"
#include "tests/support/run_task.hpp"

using namespace postern;
using namespace postern::smtp;
using namespace postern::smtp::delivery;

namespace {
struct World {
  test::FakeResolver dns;
  DeliverySettings settings;
  World() { settings.hostname = "me.example"; }

  std::expected<Route, queue::Reply> find(const std::string& domain) {
    return test::run_task(find_route(dns, settings, domain));
  }
  std::string error(const std::string& domain) {
    const auto route = find(domain);
    return route ? "a route" : route.error().enhanced.text();
  }
  std::vector<std::string> hops(const std::string& domain) {
    std::vector<std::string> out;
    const auto route = find(domain);
    REQUIRE(route);
    for (const auto& hop : *route) out.push_back(hop.host + "/" + hop.address.to_string());
    return out;
  }
};
using Names = std::vector<std::string>;
}  // namespace

TEST_CASE("mx_hosts_come_by_preference_with_families_in_turns") {
  World w;
  w.dns.add_mx("b.example", 20, "second.example");
  w.dns.add_mx("b.example", 10, "first.example");
  w.dns.add_a("first.example", "11.0.0.1");
  w.dns.add_a("first.example", "11.0.0.2");
  w.dns.add_aaaa("first.example", "2a00::1");
  w.dns.add_a("second.example", "11.0.0.3");
  CHECK(w.hops("b.example") == Names{"first.example/2a00::1", "first.example/11.0.0.1",
                                     "first.example/11.0.0.2", "second.example/11.0.0.3"});
}

TEST_CASE("without_ipv6_only_a_records_are_asked_for") {
  World w;
  w.settings.ipv6 = Ipv6::off;
  w.dns.add_mx("b.example", 10, "first.example");
  w.dns.add_a("first.example", "11.0.0.1");
  w.dns.add_aaaa("first.example", "2a00::1");
  CHECK(w.hops("b.example") == Names{"first.example/11.0.0.1"});
  CHECK(w.dns.queries("first.example", dns::Type::aaaa) == 0);
}

TEST_CASE("mx_of_equal_preference_come_in_random_order") {
  World w;
  for (const std::string name : {"a", "b", "c"}) {
    w.dns.add_mx("d.example", 10, name + ".example");
    w.dns.add_a(name + ".example", "11.0.0.1");
  }
  std::set<std::string> first;
  for (int i = 0; i < 200; ++i) first.insert(w.find("d.example")->front().host);
  CHECK(first.size() == 3);
}

TEST_CASE("domain_without_mx_is_its_own_host") {
  World w;
  w.dns.add_a("b.example", "11.0.0.1");
  CHECK(w.hops("b.example") == Names{"b.example/11.0.0.1"});
}

TEST_CASE("domains_that_take_no_mail_fail_for_good") {
  World w;
  w.dns.add_mx("null.example", 0, ".");
  w.dns.add_a("null.example", "11.0.0.1");
  w.dns.add_txt("nothing.example", "x");
  w.dns.add_mx("noaddress.example", 10, "gone.example");
  CHECK(w.error("null.example") == "5.1.10");
  CHECK(w.error("nxdomain.example") == "5.1.2");
  CHECK(w.error("nothing.example") == "5.1.2");
  CHECK(w.error("noaddress.example") == "5.4.4");
  CHECK(w.find("null.example").error().permanent());
}

TEST_CASE("null_mx_among_others_is_passed_over") {
  World w;
  w.dns.add_mx("b.example", 0, ".");
  w.dns.add_mx("b.example", 10, "mx.example");
  w.dns.add_a("mx.example", "11.0.0.1");
  CHECK(w.hops("b.example") == Names{"mx.example/11.0.0.1"});
}

TEST_CASE("dns_trouble_is_temporary") {
  World w;
  w.dns.set_status("dead.example", dns::Status::temporary);
  w.dns.add_mx("b.example", 10, "deadhost.example");
  w.dns.set_status("deadhost.example", dns::Status::temporary);
  w.dns.add_mx("c.example", 10, "deadhost.example");
  w.dns.add_mx("c.example", 20, "alive.example");
  w.dns.add_a("alive.example", "11.0.0.1");
  CHECK(w.error("dead.example") == "4.4.3");
  CHECK(w.error("b.example") == "4.4.3");
  CHECK(w.hops("c.example") == Names{"alive.example/11.0.0.1"});
  CHECK(w.find("dead.example").error().temporary());
}

TEST_CASE("one_family_that_fails_leaves_the_other") {
  World w;
  w.dns.add_a("b.example", "11.0.0.1");
  w.dns.set_status("b.example", dns::Type::aaaa, dns::Status::temporary);
  w.dns.set_status("b.example", dns::Type::mx, dns::Status::nodata);
  CHECK(w.hops("b.example") == Names{"b.example/11.0.0.1"});
}

TEST_CASE("own_name_among_mx_drops_it_and_what_is_less_preferred") {
  World w;
  w.dns.add_mx("b.example", 10, "better.example");
  w.dns.add_mx("b.example", 20, "ME.example");
  w.dns.add_mx("b.example", 30, "worse.example");
  w.dns.add_a("better.example", "11.0.0.1");
  w.dns.add_a("worse.example", "11.0.0.2");
  CHECK(w.hops("b.example") == Names{"better.example/11.0.0.1"});
  w.dns.add_mx("loop.example", 10, "me.example");
  CHECK(w.error("loop.example") == "5.4.6");
}

TEST_CASE("own_endpoint_as_mx_is_a_loop") {
  World w;
  w.settings.own_endpoints.emplace_back(asio::ip::make_address("11.0.0.9"), 25);
  w.dns.add_a("b.example", "11.0.0.9");
  CHECK(w.error("b.example") == "5.4.6");
  w.settings.port = 2525;  // another port of the same host is another server
  CHECK(w.find("b.example"));
}

TEST_CASE("private_addresses_are_refused_unless_allowed_or_routed") {
  World w;
  w.dns.add_mx("b.example", 10, "mx.example");
  w.dns.add_a("mx.example", "127.0.0.1");
  CHECK(w.error("b.example") == "5.4.4");
  w.settings.private_addresses = PrivateAddresses::allowed;
  CHECK(w.find("b.example"));
  w.settings.private_addresses = PrivateAddresses::refused;
  w.settings.routes = {{"b.example", "127.0.0.1", 2626}};
  const auto routed = w.find("B.example");
  REQUIRE(routed);
  CHECK(routed->at(0) == Hop{"127.0.0.1", asio::ip::make_address("127.0.0.1"), 2626});
}

TEST_CASE("public_addresses_are_told_from_special_ones") {
  for (const auto* good : {"11.0.0.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00:1450::1",
                           "2606:4700::1", "::ffff:8.8.8.8"}) {
    INFO(good);
    CHECK(is_public(asio::ip::make_address(good)));
  }
  for (const auto* bad :
       {"0.0.0.0",       "10.1.2.3",         "100.64.0.1",      "127.9.9.9",   "169.254.169.254",
        "172.16.0.1",    "172.31.255.255",   "192.0.2.1",       "192.168.0.1", "198.18.0.1",
        "203.0.113.5",   "224.0.0.1",        "255.255.255.255", "::",          "::1",
        "fe80::1",       "fc00::1",          "ff02::1",         "2001:db8::1", "2001::1",
        "2002:7f00:1::", "::ffff:127.0.0.1", "64:ff9b::7f00:1"}) {
    INFO(bad);
    CHECK_FALSE(is_public(asio::ip::make_address(bad)));
  }
}

TEST_CASE("address_literals_need_no_dns") {
  World w;
  CHECK(w.hops("[11.0.0.1]") == Names{"[11.0.0.1]/11.0.0.1"});
  CHECK(w.hops("[IPv6:2a00::1]") == Names{"[IPv6:2a00::1]/2a00::1"});
  CHECK(w.error("[127.0.0.1]") == "5.4.4");
  CHECK(w.dns.queries() == 0);
}

TEST_CASE("routes_by_name_and_for_everything") {
  World w;
  w.settings.routes = {{"*", "smart.example", 587}, {"b.example", "own.example", 2626}};
  w.dns.add_a("smart.example", "10.0.0.1");
  w.dns.add_a("own.example", "10.0.0.2");
  CHECK(w.hops("b.example") == Names{"own.example/10.0.0.2"});
  CHECK(w.hops("other.example") == Names{"smart.example/10.0.0.1"});
  w.dns.remove("smart.example");
  CHECK(w.error("other.example") == "4.4.3");  // an operator's host that is gone may come back
}

TEST_CASE("numbers_of_hosts_and_addresses_are_bounded") {
  World w;
  w.settings.max_mx_hosts = 3;
  w.settings.max_addresses = 5;
  for (int i = 0; i < 50; ++i) {
    const auto name = "mx" + std::to_string(i) + ".example";
    w.dns.add_mx("many.example", 10, name);
    w.dns.add_a(name, "11.0.0." + std::to_string(i));
  }
  CHECK(w.find("many.example")->size() == 3);
  CHECK(w.dns.queries() == 1 + 3 * 2);
  for (int i = 0; i < 50; ++i) w.dns.add_a("big.example", "11.0.1." + std::to_string(i));
  CHECK(w.find("big.example")->size() == 5);
}

TEST_CASE("mx_that_is_an_address_is_no_host") {
  World w;
  w.dns.add_mx("b.example", 10, "11.0.0.1");
  CHECK(w.error("b.example") == "5.4.4");
}
