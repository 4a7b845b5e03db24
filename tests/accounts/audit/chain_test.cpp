// Appending, and what it refuses.
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <thread>

#include "core/crypto.hpp"
#include "storage/keystore.hpp"
#include "tests/accounts/audit/world.hpp"

using namespace postern;
using namespace postern::accounts::audit;
using namespace postern::accounts::audit::test;

TEST_CASE("empty_database_verifies", "[audit]") {
  World world;
  const auto found = world.verify();
  CHECK(found.sound());
  CHECK(found.chains == 0);
  CHECK(found.records == 0);
}

TEST_CASE("appended_records_are_numbered_kept_whole_and_verify", "[audit]") {
  World world;
  const auto first = world.record("domain.create");
  auto second = world.record("login.fail", "account:user@example.org");
  second.outcome = Outcome::denied;
  second.actor_kind = ActorKind::account;
  second.door = Door::imap;
  must(world.try_append(world.mine, first));
  must(world.try_append(world.mine, second));
  const auto entries = world.all(world.mine);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].number == 1);
  CHECK(entries[1].number == 2);
  const auto& kept = entries[1].record;
  CHECK(kept.id == second.id);
  CHECK(kept.at == second.at);
  CHECK(kept.action == "login.fail");
  CHECK(kept.outcome == Outcome::denied);
  CHECK(kept.actor_kind == ActorKind::account);
  CHECK(kept.actor_id == "p-1");
  CHECK(kept.actor == "Ann");
  CHECK(kept.original_actor == "Bob");
  CHECK(kept.door == Door::imap);
  CHECK(kept.address == "192.0.2.1");
  CHECK(kept.target == "account:user@example.org");
  CHECK(kept.details == R"({"name":"example.org"})");
  CHECK(kept.request_id == "req-1");
  const auto found = world.verify();
  CHECK(found.sound());
  CHECK(found.chains == 2);
  CHECK(found.records == 3);
}

TEST_CASE("first_record_of_a_tenant_is_told_in_the_platforms_chain", "[audit]") {
  World world;
  world.append(world.mine, 3);
  world.append(world.theirs, 1);
  const auto told = world.all(kPlatform);
  REQUIRE(told.size() == 2);
  CHECK(told[0].record.action == "audit.chain_opened");
  CHECK(told[0].record.target == "tenant:" + world.mine.text());
  CHECK(told[1].record.target == "tenant:" + world.theirs.text());
  CHECK(world.verify().sound());
}

TEST_CASE("platforms_own_records_open_no_other_chain", "[audit]") {
  World world;
  world.append(kPlatform, 2, "server.start");
  CHECK(world.all(kPlatform).size() == 2);
  CHECK(world.verify().sound());
}

TEST_CASE("several_records_of_one_transaction_follow_each_other", "[audit]") {
  World world;
  must(world.change([&](sql::Transaction& tx) -> Result<void> {
    for (int i = 0; i < 3; ++i) {
      if (auto done = world.chain.append(tx, world.mine, world.record("domain.create")); !done)
        return done;
      if (auto done = world.chain.append(tx, kPlatform, world.record("server.note")); !done)
        return done;
    }
    return {};
  }));
  CHECK(world.all(world.mine).size() == 3);
  CHECK(world.all(kPlatform).size() == 4);
  CHECK(world.verify().sound());
}

TEST_CASE("closure_that_fails_appends_nothing", "[audit]") {
  World world;
  world.append(world.mine, 2);
  const auto failed = world.change([&](sql::Transaction& tx) -> Result<void> {
    if (auto done = world.chain.append(tx, world.mine, world.record("domain.create")); !done)
      return done;
    if (auto done = world.chain.append(tx, world.theirs, world.record("domain.create")); !done)
      return done;
    return fail(Errc::denied, "the act itself failed");
  });
  CHECK(failed.error().code == Errc::denied);
  CHECK(world.all(world.mine).size() == 2);
  CHECK(world.all(world.theirs).empty());
  CHECK(world.all(kPlatform).size() == 1);
  CHECK(world.verify().sound());
  world.append(world.mine);
  CHECK(world.verify().sound());
}

TEST_CASE("concurrent_appends_are_chained_in_order", "[audit]") {
  World world;
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  {
    std::vector<std::jthread> threads;
    threads.reserve(kThreads);
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&world, t] {
        for (int i = 0; i < kEach; ++i) {
          const auto id = (t + i) % 2 == 0 ? world.mine : world.theirs;
          const auto one = world.record("domain.create");
          if (!world.try_append(id, one)) std::abort();
        }
      });
    }
  }
  CHECK(world.all(world.mine).size() == kThreads * kEach / 2);
  CHECK(world.all(world.theirs).size() == kThreads * kEach / 2);
  CHECK(world.verify().sound());
  CHECK(world.verify().records == kThreads * kEach + 2);
}

TEST_CASE("record_with_a_wrong_action_is_refused", "[audit]") {
  World world;
  CHECK(world.try_append(world.mine, world.record("Not an action")).error().code == Errc::invalid);
  CHECK(world.all(world.mine).empty());
}

TEST_CASE("append_after_tampering_with_the_end_is_refused", "[audit]") {
  World world;
  world.append(world.mine, 3);
  const auto where = " WHERE tenant_id = " + World::sql(world.mine);
  SECTION("head edited") { world.raw("UPDATE audit_heads SET next_number = 3" + where); }
  SECTION("head removed") { world.raw("DELETE FROM audit_heads" + where); }
  SECTION("seal edited") { world.raw("UPDATE audit_seal SET heads = zeroblob(32)"); }
  SECTION("seal removed") { world.raw("DELETE FROM audit_seal"); }
  SECTION("next record forged") {
    world.raw("UPDATE audit_records SET number = 4 WHERE number = 3 AND tenant_id = " +
              World::sql(world.mine));
  }
  const auto refused = world.try_append(world.mine, world.record("domain.create"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::corrupt);
  CHECK_FALSE(world.verify().sound());
}

TEST_CASE("tampering_elsewhere_is_still_found_after_more_appends", "[audit]") {
  World world;
  world.append(world.mine, 3);
  world.raw("UPDATE audit_records SET actor = 'Eve' WHERE number = 2 AND tenant_id = " +
            World::sql(world.mine));
  world.append(world.mine, 3);
  CHECK(described(world.verify(), {{world.mine, "mine"}}) ==
        std::vector<std::string>{"mine 2 record altered"});
}

TEST_CASE("resume_goes_on_and_stays_visible", "[audit]") {
  World world;
  world.append(world.mine, 5);
  world.append(world.theirs, 2);
  const auto where = " WHERE tenant_id = " + World::sql(world.mine);
  SECTION("newest records removed and the head edited") {
    world.raw("DELETE FROM audit_records" + where + " AND number > 3");
    world.raw("UPDATE audit_heads SET next_number = 4" + where);
  }
  SECTION("head removed") { world.raw("DELETE FROM audit_heads" + where); }
  SECTION("seal removed") { world.raw("DELETE FROM audit_seal"); }
  SECTION("head of senseless numbers") {
    world.raw(
        "UPDATE audit_heads SET next_number = -9223372036854775807 - 1, "
        "first_number = -9223372036854775807 - 1" +
        where);
    CHECK_FALSE(world.verify().sound());
  }
  REQUIRE_FALSE(world.try_append(world.mine, world.record("domain.create")));
  auto by = world.record("");
  must(world.change([&](sql::Transaction& tx) { return world.chain.resume(tx, world.mine, by); }));
  world.append(world.mine, 2);
  world.append(world.theirs, 1);
  const auto found = world.verify();
  CHECK(has(found, world.mine, Problem::resumed));
  CHECK(world.all(world.mine).end()[-3].record.action == "audit.resumed");
  CHECK(world.all(world.mine).end()[-3].record.actor == "Ann");
}

TEST_CASE("resume_of_an_unknown_chain_is_refused", "[audit]") {
  World world;
  const auto refused = world.change(
      [&](sql::Transaction& tx) { return world.chain.resume(tx, world.mine, world.record("")); });
  CHECK(refused.error().code == Errc::not_found);
}

TEST_CASE("chain_key_is_made_once_and_kept_wrapped", "[audit]") {
  World world;
  const auto master_path = world.directory.file("master.key");
  must(storage::make_master_key_file(master_path));
  const auto master = must(storage::open_master_key_file(master_path));
  CHECK(read_chain_key(*world.control, *master).error().code == Errc::not_found);
  const auto key = must(open_chain_key(*world.control, *master, world.clock.now()));
  CHECK(key.size() == 32);
  CHECK(must(open_chain_key(*world.control, *master, world.clock.now())) == key);
  CHECK(must(read_chain_key(*world.control, *master)) == key);

  SECTION("another master key doesn't open it") {
    const auto other_path = world.directory.file("other.key");
    must(storage::make_master_key_file(other_path));
    const auto other = must(storage::open_master_key_file(other_path));
    CHECK(open_chain_key(*world.control, *other, world.clock.now()).error().code == Errc::corrupt);
  }
  SECTION("a lost key isn't replaced under chains that are there") {
    world.append(world.mine);
    world.raw("DELETE FROM audit_keys");
    CHECK(open_chain_key(*world.control, *master, world.clock.now()).error().code == Errc::corrupt);
  }
}
