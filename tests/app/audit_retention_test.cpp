#include "app/server/audit_retention.hpp"

#include "accounts/audit/retention.hpp"
#include "accounts/audit/shorten.hpp"
#include "tests/accounts/audit/world.hpp"
#include "tests/support/run_task.hpp"

using namespace postern;
using namespace postern::accounts::audit;
using namespace postern::accounts::audit::test;
using namespace std::chrono_literals;
using std::chrono::days;

namespace {

struct Kept : World {
  accounts::Registry registry{*control};

  void cut(Micros retention) {
    postern::test::run_task(server::cut_audit_chains(registry, chain, clock.now(), retention));
  }
  void shorten_to(std::uint64_t keep) {
    must(postern::test::run_task(shorten(registry, chain, mine, keep, clock.now())));
  }
  std::vector<TenantId> due() {
    return must(control->read_blocking<std::vector<TenantId>>(
        [this](sql::Transaction& tx) -> Result<std::vector<TenantId>> {
          return chains_older_than(tx, clock.now() - days(10));
        }));
  }
  std::vector<std::string> actions(TenantId id) {
    std::vector<std::string> out;
    const auto entries = all(id);
    out.reserve(entries.size());
    for (const auto& entry : entries) out.push_back(entry.record.action);
    return out;
  }
};

using Actions = std::vector<std::string>;

}  // namespace

TEST_CASE("retention_cuts_every_chain_and_leaves_what_is_younger", "[audit]") {
  Kept world;
  world.append(world.mine, 3, "thing.old");
  world.append(world.theirs, 1, "thing.old");
  world.clock.advance(days(20));
  world.append(world.mine, 2, "thing.young");
  world.cut(days(10));
  CHECK(world.actions(world.mine) == Actions{"thing.young", "thing.young", "audit.cut"});
  CHECK(world.actions(world.theirs) == Actions{"audit.cut"});
  CHECK(world.actions(kPlatform) == Actions{"audit.cut"});  // it told of the two openings
  CHECK(world.verify().sound());
}

TEST_CASE("chain_waits_until_a_days_worth_may_go", "[audit]") {
  Kept world;
  world.append(world.mine, 1, "thing.old");
  const auto first = world.clock.now();
  world.clock.advance(days(11));
  CHECK(world.clock.now() - first == days(11));
  world.cut(days(10));  // exactly a day too old: not yet more
  CHECK(world.actions(world.mine) == Actions{"thing.old"});
  world.clock.advance(1us);
  world.cut(days(10));
  CHECK(world.actions(world.mine) == Actions{"audit.cut"});
  world.cut(days(10));
  CHECK(world.actions(world.mine) == Actions{"audit.cut"});
}

TEST_CASE("long_chain_is_cut_in_several_steps", "[audit]") {
  Kept world;
  must(world.change([&world](sql::Transaction& tx) -> Result<void> {
    for (int i = 0; i < 4'500; ++i) {
      if (auto done = world.chain.append(tx, world.mine, world.record("thing.old")); !done)
        return done;
    }
    return {};
  }));
  world.clock.advance(days(20));
  world.cut(days(10));
  CHECK(world.actions(world.mine) == Actions{"audit.cut", "audit.cut", "audit.cut"});
  CHECK(world.verify().sound());
}

TEST_CASE("tampered_chain_is_not_cut_and_the_others_are", "[audit]") {
  Kept world;
  world.append(world.mine, 3, "thing.old");
  world.append(world.theirs, 3, "thing.old");
  world.clock.advance(days(20));
  SECTION("edited") {
    world.raw("UPDATE audit_records SET actor = 'Eve' WHERE number = 2 AND tenant_id = " +
              World::sql(world.mine));
    world.cut(days(10));
    CHECK(world.actions(world.mine).size() == 3);
  }
  SECTION("the oldest removed") {
    world.raw("DELETE FROM audit_records WHERE number = 1 AND tenant_id = " +
              World::sql(world.mine));
    world.cut(days(10));
    CHECK(world.actions(world.mine).size() == 2);
  }
  CHECK(world.actions(world.theirs) == Actions{"audit.cut"});
  CHECK_FALSE(world.verify().sound());
}

TEST_CASE("closed_chains_are_never_due", "[audit]") {
  Kept world;
  world.append(world.mine, 3, "thing.old");
  must(world.change([&world](sql::Transaction& tx) {
    return world.chain.close(tx, world.mine, world.record(""), nullptr);
  }));
  world.clock.advance(days(20));
  CHECK(world.due() == std::vector{kPlatform});
  world.cut(days(10));
  CHECK(world.due().empty());
  CHECK(world.verify().sound());
}

TEST_CASE("shortened_chain_has_what_was_to_be_kept", "[audit]") {
  Kept world;
  world.append(world.mine, 10, "thing.young");
  world.shorten_to(10);
  CHECK(world.actions(world.mine).size() == 10);
  world.shorten_to(9);
  CHECK(world.actions(world.mine).size() == 9);
  world.shorten_to(2);
  CHECK(world.actions(world.mine) == Actions{"audit.cut", "audit.cut"});
  CHECK(world.verify().sound());
  world.append(world.mine, 1, "thing.on");
  CHECK(world.verify().sound());
}

TEST_CASE("chain_of_thousands_is_shortened_step_by_step", "[audit]") {
  Kept world;
  must(world.change([&world](sql::Transaction& tx) -> Result<void> {
    for (int i = 0; i < 5'000; ++i) {
      if (auto done = world.chain.append(tx, world.mine, world.record("thing.young")); !done)
        return done;
    }
    return {};
  }));
  world.shorten_to(100);
  CHECK(world.actions(world.mine).size() == 100);
  CHECK(world.verify().sound());
}
