// A tenant's list of hosts.
#include "accounts/outbound_hosts.hpp"

#include "tests/accounts/audit/world.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::audit::test;

namespace {

using Hosts = std::vector<std::string>;

struct Listed : World {
  Result<void> set(TenantId tenant, const Hosts& hosts) {
    return scoped(tenant,
                  [hosts](sql::TenantScope& scope) { return set_outbound_hosts(scope, hosts); });
  }
  std::optional<Hosts> find(TenantId tenant) {
    return must(scoped(tenant, [](sql::TenantScope& scope) -> Result<std::optional<Hosts>> {
      return find_outbound_hosts(scope);
    }));
  }
};

Hosts many(std::size_t count) {
  Hosts hosts;
  hosts.reserve(count);
  for (std::size_t i = 0; i < count; ++i) hosts.push_back("h" + std::to_string(i) + ".example.net");
  return hosts;
}

}  // namespace

TEST_CASE("list_of_hosts_is_the_tenants_own_and_canonical", "[outbound]") {
  Listed world;
  CHECK_FALSE(world.find(world.mine));
  must(world.set(world.mine, {"Logs.Example.NET", "*.example.org", "logs.example.net", "8.8.8.8"}));
  CHECK(world.find(world.mine) == Hosts{"*.example.org", "8.8.8.8", "logs.example.net"});
  CHECK_FALSE(world.find(world.theirs));
  must(world.set(world.mine, {"one.example.net"}));
  CHECK(world.find(world.mine) == Hosts{"one.example.net"});
  must(world.set(world.mine, {}));
  CHECK_FALSE(world.find(world.mine));
}

TEST_CASE("host_that_is_no_pattern_changes_nothing", "[outbound]") {
  Listed world;
  must(world.set(world.mine, {"one.example.net"}));
  for (const char* host : {"", "*", "*.net", "a", "https://a.example.net", "a.example.net:443",
                           "*.*.example.net", "a.*.example.net", "1.2.3", "a..example.net"}) {
    CAPTURE(host);
    const auto set = world.set(world.mine, {host});
    REQUIRE_FALSE(set);
    CHECK(set.error().code == Errc::invalid);
  }
  CHECK(world.find(world.mine) == Hosts{"one.example.net"});
}

TEST_CASE("list_of_hosts_has_100_at_most", "[outbound]") {
  Listed world;
  for (const std::size_t count : {99U, 100U}) CHECK(world.set(world.mine, many(count)));
  const auto more = world.set(world.mine, many(101));
  REQUIRE_FALSE(more);
  CHECK(more.error().code == Errc::too_large);
  CHECK(world.find(world.mine)->size() == 100);
}
