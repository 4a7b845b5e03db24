#include "accounts/tenants.hpp"

#include "tests/accounts/world.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

TEST_CASE("tenant_is_found_by_id_and_name") {
  World world;
  const auto made = world.tenant("Acme");
  CHECK(made.name == "acme");
  CHECK(made.status == Status::active);
  const auto by_name =
      must(world.change([](sql::Transaction& tx) { return find_tenant(tx, "ACME"); }));
  CHECK(by_name.id == made.id);
  CHECK(by_name.wrapped_data_key == made.wrapped_data_key);
  CHECK(by_name.created == world.clock.now());
  const auto missing = world.change([](sql::Transaction& tx) { return find_tenant(tx, "other"); });
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == Errc::not_found);
}

TEST_CASE("tenant_with_a_taken_name_is_refused") {
  World world;
  world.tenant("acme");
  const NewTenant fresh{TenantId::make(), "ACME", 1, "k", world.clock.now()};
  const auto second = world.change([fresh](sql::Transaction& tx) { return add_tenant(tx, fresh); });
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::exists);
}

TEST_CASE("tenants_spread_over_the_shards") {
  World world;  // two shards
  std::vector<int> shards(2);
  for (int i = 0; i < 6; ++i) ++shards.at(world.tenant("t" + std::to_string(i)).shard);
  CHECK(shards == std::vector<int>{3, 3});
}

TEST_CASE("tenants_are_listed_in_pages_by_name") {
  World world;
  for (const auto* name : {"c", "a", "b"}) world.tenant(name);
  const auto list = [&](std::string after, std::size_t limit) {
    std::string names;
    for (const auto& t :
         must(world.change([=](sql::Transaction& tx) -> Result<std::vector<Tenant>> {
           return list_tenants(tx, after, limit);
         }))) {
      names += t.name;
    }
    return names;
  };
  CHECK(list("", 2) == "ab");
  CHECK(list("b", 2) == "c");
  CHECK(list("c", 2).empty());
}

TEST_CASE("tenant_is_suspended_and_resumed") {
  World world;
  const auto id = world.tenant("acme").id;
  const auto set = [&](Status status) {
    must(world.change([=](sql::Transaction& tx) { return set_tenant_status(tx, id, status); }));
    return must(world.change([=](sql::Transaction& tx) { return find_tenant(tx, id); })).status;
  };
  CHECK(set(Status::suspended) == Status::suspended);
  CHECK(set(Status::active) == Status::active);
  CHECK_FALSE(world.change([](sql::Transaction& tx) {
    return set_tenant_status(tx, TenantId::make(), Status::suspended);
  }));
}

TEST_CASE("tenant_with_domains_is_not_removed") {
  World world;
  const auto id = world.tenant("acme").id;
  world.domain(id, "acme.example");
  const auto remove = [&] {
    return world.change([=](sql::Transaction& tx) { return remove_tenant(tx, id); });
  };
  const auto refused = remove();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
  CHECK_THAT(refused.error().message, Catch::Matchers::Contains("acme.example"));
  must(world.change([](sql::Transaction& tx) { return remove_domain(tx, "acme.example"); }));
  must(remove());
  const auto gone = remove();
  REQUIRE_FALSE(gone);
  CHECK(gone.error().code == Errc::not_found);
}

TEST_CASE("owner_is_the_first_account_until_another_is_named") {
  World world;
  const auto id = world.tenant("acme").id;
  world.domain(id, "acme.example");
  const auto first = world.account(id, "a@acme.example");
  const auto second = world.account(id, "b@acme.example");
  const auto owner = [&] {
    return must(world.change([=](sql::Transaction& tx) { return find_tenant(tx, id); })).owner;
  };
  CHECK(owner() == first.id);
  must(world.change([&](sql::Transaction& tx) { return set_tenant_owner(tx, id, second.id); }));
  CHECK(owner() == second.id);
  const auto other = world.tenant("other").id;
  const auto foreign =
      world.change([&](sql::Transaction& tx) { return set_tenant_owner(tx, other, first.id); });
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code == Errc::not_found);
}

TEST_CASE("domain_is_canonical_and_found_in_any_spelling") {
  World world;
  const auto id = world.tenant("acme").id;
  CHECK(world.domain(id, "BÜCHER.Example").name == "xn--bcher-kva.example");
  for (const std::string name : {"bücher.example", "XN--bcher-kva.EXAMPLE"}) {
    CHECK(must(world.change([=](sql::Transaction& tx) { return find_domain(tx, name); })).tenant ==
          id);
  }
}

TEST_CASE("domain_that_is_taken_or_related_to_another_tenants_is_refused") {
  World world;
  const auto one = world.tenant("one").id;
  const auto two = world.tenant("two").id;
  world.domain(one, "b.one.example");
  const std::vector<std::tuple<TenantId, std::string, Errc>> refused{
      {two, "b.one.example", Errc::exists},   {one, "B.one.example", Errc::exists},
      {two, "a.b.one.example", Errc::denied}, {two, "x.y.b.one.example", Errc::denied},
      {two, "one.example", Errc::denied},     {TenantId::make(), "c.example", Errc::not_found},
      {two, "example", Errc::invalid},        {two, "co.uk", Errc::invalid},
      {two, "-a.example", Errc::invalid},
  };
  for (const auto& [tenant, name, code] : refused) {
    INFO(name);
    const auto result = world.try_domain(tenant, name);
    REQUIRE_FALSE(result);
    CHECK(result.error().code == code);
  }
  // Its own relations, and names that only look related.
  for (const auto& [tenant, name] :
       std::vector<std::pair<TenantId, std::string>>{{one, "one.example"},
                                                     {one, "a.b.one.example"},
                                                     {two, "bb.one2.example"},
                                                     {two, "two-one.example"},
                                                     {two, "one.example.com"}}) {
    INFO(name);
    CHECK(world.try_domain(tenant, name));
  }
  CHECK_FALSE(world.try_domain(two, "c.one.example"));
  CHECK_FALSE(world.try_domain(one, "example.com"));
}

TEST_CASE("domains_are_listed_for_all_and_by_tenant") {
  World world;
  const auto one = world.tenant("one").id;
  const auto two = world.tenant("two").id;
  world.domain(one, "b.example");
  world.domain(two, "a.example");
  world.domain(one, "c.example");
  const auto names = [](const std::vector<Domain>& domains) {
    std::string out;
    for (const auto& d : domains) out += d.name.substr(0, 1);
    return out;
  };
  CHECK(names(must(world.change([](sql::Transaction& tx) -> Result<std::vector<Domain>> {
          return list_domains(tx, "", 10);
        }))) == "abc");
  CHECK(names(must(world.change([one](sql::Transaction& tx) -> Result<std::vector<Domain>> {
          return list_domains(tx, one, "", 10);
        }))) == "bc");
  CHECK(names(must(world.change([one](sql::Transaction& tx) -> Result<std::vector<Domain>> {
          return list_domains(tx, one, "b.example", 10);
        }))) == "c");
}

TEST_CASE("domain_with_accounts_or_aliases_is_not_removed") {
  World world;
  const auto id = world.tenant("acme").id;
  world.domain(id, "a.example");
  world.domain(id, "b.example");
  const auto account = world.account(id, "user@a.example");
  world.alias(id, "info@b.example", {"user@a.example"});
  const auto remove = [&](std::string name) {
    return world.change([=](sql::Transaction& tx) { return remove_domain(tx, name); });
  };
  for (const auto* name : {"a.example", "b.example"}) {
    const auto refused = remove(name);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::denied);
  }
  must(world.scoped(
      id, [](sql::TenantScope& s) { return remove_alias(s, address("info@b.example")); }));
  must(remove("b.example"));
  must(world.scoped(id, [&](sql::TenantScope& s) { return remove_account(s, account.id); }));
  must(remove("a.example"));
  CHECK_FALSE(remove("a.example"));
}

TEST_CASE("domain_to_be_proved_is_not_routed_until_it_is") {
  World world;
  const auto tenant = world.tenant("alpha");
  const NewDomain fresh{DomainId::make(),           tenant.id,         "alpha.example",
                        DomainOrigin::self_service, world.clock.now(), "abc"};
  const auto domain =
      must(world.change([fresh](sql::Transaction& tx) { return add_domain(tx, fresh); }));
  CHECK(domain.pending());
  world.account(tenant.id, "a@alpha.example");
  CHECK(world.verdict("a@alpha.example") == Verdict::not_hosted);
  CHECK_FALSE(must(world.run(world.look_up.is_local_domain("alpha.example"))));
  must(world.change([](sql::Transaction& tx) { return prove_domain(tx, "alpha.example"); }));
  CHECK(world.verdict("a@alpha.example") == Verdict::deliver);
}

TEST_CASE("domain_that_nobody_proved_goes_unless_somebody_lives_there") {
  World world;
  const auto tenant = world.tenant("alpha");
  const auto add = [&](const std::string& name, const std::string& challenge) {
    const NewDomain fresh{DomainId::make(),           tenant.id,         name,
                          DomainOrigin::self_service, world.clock.now(), challenge};
    must(world.change([fresh](sql::Transaction& tx) { return add_domain(tx, fresh); }));
  };
  add("empty.example", "abc");
  add("lived-in.example", "abc");
  add("proved.example", "");
  world.account(tenant.id, "a@lived-in.example");
  const auto drop = [&](Timestamp before) {
    return must(world.change([before](sql::Transaction& tx) -> Result<std::size_t> {
      return drop_unproved_domains(tx, before);
    }));
  };
  CHECK(drop(world.clock.now()) == 0);
  CHECK(drop(world.clock.now() + Micros{1}) == 1);
  CHECK(world.try_domain(tenant.id, "empty.example"));
  CHECK_FALSE(world.try_domain(tenant.id, "lived-in.example"));
  CHECK_FALSE(world.try_domain(tenant.id, "proved.example"));
}
