#include "accounts/account.hpp"

#include "storage/outbox.hpp"
#include "tests/accounts/world.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {
struct Acme : World {
  TenantId id = tenant("acme").id;
  Domain home = domain(id, "acme.example");
};
}  // namespace

TEST_CASE("account_is_found_listed_and_suspended") {
  Acme world;
  const auto b = world.account(world.id, "B@acme.example");
  const auto a = world.account(world.id, "a@acme.example");
  CHECK(must(world.scoped(world.id, [&](sql::TenantScope& s) {
          return find_account(s, b.id);
        })).address == address("b@acme.example"));
  CHECK(must(world.change([](sql::Transaction& tx) {
          return locate_account(tx, address("A@ACME.example"));
        })).id == a.id);
  const auto list = [&](Address after) {
    return must(world.scoped(world.id, [=](sql::TenantScope& s) -> Result<std::vector<Account>> {
      return list_accounts(s, after, 10);
    }));
  };
  REQUIRE(list({}).size() == 2);
  CHECK(list({})[0].id == a.id);
  CHECK(list(a.address).size() == 1);
  must(world.scoped(world.id, [&](sql::TenantScope& s) {
    return set_account_status(s, a.id, Status::suspended);
  }));
  CHECK(must(world.scoped(world.id, [&](sql::TenantScope& s) {
          return find_account(s, a.id);
        })).status == Status::suspended);
}

TEST_CASE("account_that_can_not_be_is_refused") {
  Acme world;
  world.account(world.id, "user@acme.example");
  world.alias(world.id, "info@acme.example", {"user@acme.example"});
  const auto code = [&](const std::string& name) {
    const auto result = world.try_account(world.id, name);
    REQUIRE_FALSE(result);
    return result.error().code;
  };
  CHECK(code("User@ACME.example") == Errc::exists);
  CHECK(code("\"user\"@acme.example") == Errc::exists);
  CHECK(code("info@acme.example") == Errc::exists);
  CHECK(code("user@other.example") == Errc::not_found);
  CHECK(code("user+tag@acme.example") == Errc::invalid);
}

TEST_CASE("removed_account_takes_what_leads_to_it_and_leaves_an_outbox_entry") {
  Acme world;
  world.account(world.id, "owner@acme.example");
  const auto user = world.account(world.id, "user@acme.example");
  world.password(user, "a password");
  world.alias(world.id, "info@acme.example", {"user@acme.example", "owner@acme.example"});
  world.alias(world.id, "only@acme.example", {"user@acme.example"});
  must(world.scoped(world.id, [&](sql::TenantScope& s) {
    return set_catch_all(s, "acme.example", user.address);
  }));
  must(world.scoped(world.id,
                    [&](sql::TenantScope& s) { return grant_domain(s, user.id, "acme.example"); }));
  must(world.scoped(world.id, [&](sql::TenantScope& s) { return remove_account(s, user.id); }));

  CHECK(world.verdict("user@acme.example") == Verdict::no_mailbox);
  CHECK(world.verdict("only@acme.example") == Verdict::no_mailbox);
  CHECK(world.verdict("unknown@acme.example") == Verdict::no_mailbox);
  CHECK(world.reached("info@acme.example") == std::vector<std::string>{"owner@acme.example"});
  CHECK(must(world.scoped(world.id, [&](sql::TenantScope& s) -> Result<std::size_t> {
          return list_credentials(s, user.id, 10).size();
        })) == 0);
  const auto entries =
      must(world.change([](sql::Transaction& tx) -> Result<std::vector<storage::outbox::Entry>> {
        return storage::outbox::claim_due(tx, kAccountRemoved,
                                          system_clock().now() + std::chrono::hours(1), 10);
      }));
  REQUIRE(entries.size() == 1);
  const auto removed = must(parse_removed_account(entries[0].payload));
  CHECK(removed.account == user.id);
  CHECK(removed.tenant == world.id);
  CHECK(removed.address == "user@acme.example");
}

TEST_CASE("removed_account_entries_that_are_damaged_are_refused") {
  const std::string id(32, 'a');
  CHECK(parse_removed_account(id + " " + id + " 7 a@b.example"));
  for (const std::string& text :
       {std::string(), id, id + " " + id, id + " " + id + " x a@b.example", id + " " + id + " 7",
        std::string(32, 'g') + " " + id + " 7 a@b.example"}) {
    CHECK_FALSE(parse_removed_account(text));
  }
}

TEST_CASE("owner_is_removed_last") {
  Acme world;
  const auto owner = world.account(world.id, "owner@acme.example");
  const auto user = world.account(world.id, "user@acme.example");
  const auto remove = [&](AccountId id) {
    return world.scoped(world.id, [=](sql::TenantScope& s) { return remove_account(s, id); });
  };
  const auto refused = remove(owner.id);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::denied);
  must(remove(user.id));
  must(remove(owner.id));
  CHECK_FALSE(
      must(world.change([&](sql::Transaction& tx) { return find_tenant(tx, world.id); })).owner);
}

TEST_CASE("alias_that_can_not_be_is_refused") {
  Acme world;
  world.account(world.id, "user@acme.example");
  world.alias(world.id, "a@acme.example", {"user@acme.example"});
  world.alias(world.id, "b@acme.example", {"a@acme.example"});
  const auto code = [&](const std::string& name, const std::vector<std::string>& targets) {
    const auto result = world.try_alias(world.id, name, targets);
    REQUIRE_FALSE(result);
    return result.error().code;
  };
  CHECK(code("user@acme.example", {"a@acme.example"}) == Errc::exists);
  CHECK(code("x@acme.example", {"nobody@acme.example"}) == Errc::not_found);
  CHECK(code("x@acme.example", {"someone@elsewhere.example"}) == Errc::not_found);
  CHECK(code("x@acme.example", {}) == Errc::invalid);
  CHECK(code("x@other.example", {"user@acme.example"}) == Errc::not_found);
  CHECK(code("x+y@acme.example", {"user@acme.example"}) == Errc::invalid);
  CHECK(code("x@acme.example", {"x@acme.example"}) == Errc::invalid);
  CHECK(code("a@acme.example", {"b@acme.example"}) == Errc::invalid);  // would close a loop
  CHECK(world.reached("a@acme.example") ==
        std::vector<std::string>{"user@acme.example"});  // rolled back
}

TEST_CASE("alias_targets_are_added_listed_and_removed") {
  Acme world;
  for (const auto* name : {"u@acme.example", "v@acme.example", "w@acme.example"})
    world.account(world.id, name);
  world.alias(world.id, "all@acme.example", {"u@acme.example", "v@acme.example"});
  world.alias(world.id, "all@acme.example", {"v@acme.example", "w@acme.example"});
  world.alias(world.id, "zz@acme.example", {"all@acme.example"});
  const auto aliases =
      must(world.scoped(world.id, [](sql::TenantScope& s) -> Result<std::vector<Alias>> {
        return list_aliases(s, {}, 10);
      }));
  REQUIRE(aliases.size() == 2);
  CHECK(aliases[0].targets.size() == 3);
  const auto remove = [&](const std::string& target) {
    return world.scoped(world.id, [=](sql::TenantScope& s) {
      return remove_alias_target(s, address("all@acme.example"), address(target));
    });
  };
  must(remove("v@acme.example"));
  CHECK_FALSE(remove("v@acme.example"));
  CHECK(world.reached("zz@acme.example") ==
        std::vector<std::string>{"u@acme.example", "w@acme.example"});
  must(world.scoped(
      world.id, [](sql::TenantScope& s) { return remove_alias(s, address("all@acme.example")); }));
  CHECK_FALSE(world.scoped(
      world.id, [](sql::TenantScope& s) { return find_alias(s, address("all@acme.example")); }));
  CHECK(world.verdict("zz@acme.example") == Verdict::no_mailbox);
}

TEST_CASE("alias_chain_is_accepted_up_to_its_depth") {
  Acme world;
  world.account(world.id, "user@acme.example");
  std::string last = "user@acme.example";
  for (int i = 1; i <= kAliasDepth; ++i) {
    const auto name = "a" + std::to_string(i) + "@acme.example";
    world.alias(world.id, name, {last});
    last = name;
  }
  CHECK(world.reached(last) == std::vector<std::string>{"user@acme.example"});
  const auto deeper = world.try_alias(world.id, "deep@acme.example", {last});
  REQUIRE_FALSE(deeper);
  CHECK(deeper.error().code == Errc::invalid);
  // Nor may the chain grow at its other end.
  world.alias(world.id, "bottom@acme.example", {"user@acme.example"});
  const auto longer = world.try_alias(world.id, "a1@acme.example", {"bottom@acme.example"});
  REQUIRE_FALSE(longer);
  CHECK(longer.error().code == Errc::invalid);
}
