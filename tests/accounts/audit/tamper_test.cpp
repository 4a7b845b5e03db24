// Every way to change the tables without the key, outside the engine, and where the check says it
// is.
#include "tests/accounts/audit/world.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::audit;
using namespace postern::accounts::audit::test;

namespace {

using Lines = std::vector<std::string>;

struct Tampered : World {
  Tampered() {
    append(mine, 5);
    append(theirs, 5);
    REQUIRE(verify().sound());
  }
  std::string of(TenantId id) const { return " WHERE tenant_id = " + sql(id); }
  std::string my(int number) const { return of(mine) + " AND number = " + std::to_string(number); }
  Lines found() { return described(verify(), {{mine, "mine"}, {theirs, "theirs"}}); }
};

}  // namespace

TEST_CASE("edit_of_any_column_of_a_record_is_found_there", "[audit]") {
  for (const auto* edit :
       {"id = x'00112233445566778899aabbccddeeff'", "at = at + 1", "action = 'domain.remove'",
        "outcome = 1", "outcome = 256", "actor_kind = 1", "actor_id = 'p-2'", "actor = 'Eve'",
        "original_actor = ''", "door = 1", "address = '192.0.2.2'", "target = 'domain:example.com'",
        "details = '{}'", "request_id = 'req-2'", "mac = zeroblob(32)", "mac = x''"}) {
    Tampered world;
    INFO(edit);
    world.raw("UPDATE audit_records SET " + std::string(edit) + world.my(3));
    CHECK(world.found() == Lines{"mine 3 record altered"});
    CHECK(described(world.verify(world.mine), {{world.mine, "mine"}}) ==
          Lines{"mine 3 record altered"});
    CHECK(world.verify(world.theirs).sound());
  }
}

TEST_CASE("bytes_moved_between_two_columns_are_found", "[audit]") {
  Tampered world;
  world.raw("UPDATE audit_records SET actor = 'An', original_actor = 'nBob'" + world.my(3));
  CHECK(world.found() == Lines{"mine 3 record altered"});
}

TEST_CASE("edit_of_the_first_and_of_the_last_record_is_found", "[audit]") {
  Tampered world;
  world.raw("UPDATE audit_records SET actor = 'Eve'" + world.my(1));
  world.raw("UPDATE audit_records SET actor = 'Eve'" + world.my(5));
  CHECK(world.found() == Lines{"mine 1 record altered", "mine 5 record altered"});
}

TEST_CASE("edited_mac_of_the_last_record_is_found", "[audit]") {
  Tampered world;
  world.raw("UPDATE audit_records SET mac = zeroblob(32)" + world.my(5));
  CHECK(world.found() == Lines{"mine 5 record altered"});
}

TEST_CASE("deleted_records_are_found", "[audit]") {
  Tampered world;
  world.raw("DELETE FROM audit_records" + world.my(3));
  CHECK(world.found() == Lines{"mine 3 records missing"});
  world.raw("DELETE FROM audit_records" + world.my(2));
  CHECK(world.found() == Lines{"mine 2-3 records missing"});
  world.raw("DELETE FROM audit_records" + world.my(1));
  CHECK(world.found() == Lines{"mine 1-3 records missing"});
}

TEST_CASE("deleted_record_with_the_rest_renumbered_is_found", "[audit]") {
  Tampered world;
  world.raw("DELETE FROM audit_records" + world.my(3));
  world.raw("UPDATE audit_records SET number = 3" + world.my(4));
  world.raw("UPDATE audit_records SET number = 4" + world.my(5));
  const auto found = world.found();
  CHECK(found.front() == "mine 3 record altered");
  CHECK(found.back() == "mine 5 records missing");
}

TEST_CASE("truncation_is_found_with_and_without_winding_the_head_back", "[audit]") {
  Tampered world;
  world.raw("DELETE FROM audit_records" + world.my(5));
  CHECK(world.found() == Lines{"mine 5 records missing"});
  const auto mac = "(SELECT mac FROM audit_records" + world.my(4) + ")";
  world.raw("UPDATE audit_heads SET next_number = 5, mac = " + mac + world.of(world.mine));
  CHECK(world.found() == Lines{"mine 5 head altered"});
}

TEST_CASE("two_records_swapped_are_found", "[audit]") {
  Tampered world;
  world.raw("UPDATE audit_records SET number = 99" + world.my(2));
  world.raw("UPDATE audit_records SET number = 2" + world.my(4));
  world.raw("UPDATE audit_records SET number = 4" + world.my(99));
  const auto found = world.found();
  CHECK(std::ranges::count(found, "mine 2 record altered") == 1);
  CHECK(std::ranges::count(found, "mine 4 record altered") == 1);
  CHECK(std::ranges::count(found, "mine 1 record altered") == 0);
}

TEST_CASE("renumbered_record_is_found_on_both_sides", "[audit]") {
  Tampered world;
  world.raw("UPDATE audit_records SET number = 100" + world.my(3));
  CHECK(world.found() == Lines{"mine 100 record outside the chain", "mine 3 records missing"});
}

TEST_CASE("forged_records_are_found", "[audit]") {
  const std::string columns =
      "id, at, action, outcome, actor_kind, actor_id, actor, original_actor, door, address, "
      "target, details, request_id, mac";
  const auto forge = [&](const Tampered& world, const std::string& number) {
    world.raw("INSERT INTO audit_records (tenant_id, number, " + columns + ") SELECT tenant_id, " +
              number + ", " + columns + " FROM audit_records" + world.my(3));
  };
  SECTION("after the end") {
    Tampered world;
    forge(world, "6");
    CHECK(world.found() == Lines{"mine 6 record outside the chain"});
  }
  SECTION("after the end, with the head moved on") {
    Tampered world;
    forge(world, "6");
    world.raw("UPDATE audit_heads SET next_number = 7" + world.of(world.mine));
    CHECK(world.found() == Lines{"mine 6 record altered", "mine 7 head altered"});
  }
  SECTION("before the beginning and at the ends of the numbers") {
    Tampered world;
    forge(world, "0");
    forge(world, "-9223372036854775807 - 1");
    forge(world, "9223372036854775807");
    CHECK(world.found() == Lines{"mine -9223372036854775808 record outside the chain",
                                 "mine 0 record outside the chain",
                                 "mine 9223372036854775807 record outside the chain"});
  }
  SECTION("in place of one") {
    Tampered world;
    world.raw("DELETE FROM audit_records" + world.my(4));
    forge(world, "4");
    // With the true record its MAC is gone, which the next one was computed from.
    CHECK(world.found() == Lines{"mine 4 record altered", "mine 5 record altered"});
  }
}

TEST_CASE("edit_of_any_column_of_a_head_is_found", "[audit]") {
  for (const auto* edit :
       {"next_number = 4", "next_number = 9223372036854775807",
        "next_number = -9223372036854775807 - 1", "mac = zeroblob(32)", "first_number = 2",
        "first_number = -9223372036854775807 - 1", "cut_mac = x'11'", "closed = 1", "closed = 256",
        "head_mac = zeroblob(32)"}) {
    Tampered world;
    INFO(edit);
    world.raw("UPDATE audit_heads SET " + std::string(edit) + world.of(world.mine));
    CHECK(has(world.verify(), world.mine, Problem::head_altered));
    CHECK(has(world.verify(world.mine), world.mine, Problem::head_altered));
    CHECK(world.verify(world.theirs).sound());
  }
}

TEST_CASE("head_removed_is_found", "[audit]") {
  Tampered world;
  world.raw("DELETE FROM audit_heads" + world.of(world.mine));
  CHECK(has(world.verify(), world.mine, Problem::head_missing));
}

TEST_CASE("whole_chain_removed_is_found", "[audit]") {
  Tampered world;
  world.raw("DELETE FROM audit_records" + world.of(world.mine));
  world.raw("DELETE FROM audit_heads" + world.of(world.mine));
  SECTION("alone") {}
  SECTION("with its place in the list") {
    world.raw("DELETE FROM audit_chains WHERE id = " + World::sql(world.mine));
  }
  CHECK(world.found() == Lines{"mine 0 chain missing",
                               "platform 0 a chain was put back to an earlier state, or removed"});
}

TEST_CASE("whole_chain_removed_and_opened_again_is_found", "[audit]") {
  Tampered world;
  world.raw("DELETE FROM audit_records" + world.of(world.mine));
  world.raw("DELETE FROM audit_heads" + world.of(world.mine));
  CHECK_FALSE(world.try_append(world.mine, world.record("domain.create")));
  world.raw("DELETE FROM audit_chains WHERE id = " + World::sql(world.mine));
  world.append(world.mine, 5);
  CHECK(world.found() == Lines{"mine 0 chain was removed and opened again",
                               "platform 0 a chain was put back to an earlier state, or removed"});
}

TEST_CASE("platforms_chain_removed_is_found", "[audit]") {
  Tampered world;
  world.raw("DELETE FROM audit_records" + world.of(kPlatform));
  world.raw("DELETE FROM audit_heads" + world.of(kPlatform));
  CHECK(has(world.verify(), kPlatform, Problem::chain_missing));
}

TEST_CASE("chain_copied_to_another_tenant_is_found", "[audit]") {
  Tampered world;
  world.raw("DELETE FROM audit_records" + world.of(world.theirs));
  world.raw("DELETE FROM audit_heads" + world.of(world.theirs));
  const auto theirs = World::sql(world.theirs);
  world.raw("INSERT INTO audit_records SELECT " + theirs +
            ", number, id, at, action, outcome, actor_kind, actor_id, actor, original_actor, door, "
            "address, target, details, request_id, mac FROM audit_records" +
            world.of(world.mine));
  world.raw("INSERT INTO audit_heads SELECT " + theirs +
            ", next_number, mac, first_number, cut_mac, closed, head_mac FROM audit_heads" +
            world.of(world.mine));
  const auto found = world.found();
  CHECK(std::ranges::count(found, "theirs 6 head altered") == 1);
  for (int number = 1; number <= 5; ++number) {
    CHECK(std::ranges::count(found, "theirs " + std::to_string(number) + " record altered") == 1);
  }
  CHECK(world.verify(world.mine).sound());
}

TEST_CASE("record_moved_to_another_tenant_is_found_on_both_sides", "[audit]") {
  Tampered world;
  world.raw("DELETE FROM audit_records" + world.of(world.theirs) + " AND number = 3");
  world.raw("UPDATE audit_records SET tenant_id = " + World::sql(world.theirs) + world.my(3));
  CHECK(world.found() ==
        Lines{"mine 3 records missing", "theirs 3 record altered", "theirs 4 record altered"});
}

TEST_CASE("old_head_put_back_is_found", "[audit]") {
  Tampered world;
  world.raw("CREATE TABLE kept AS SELECT * FROM audit_heads" + world.of(world.mine));
  world.raw("CREATE TABLE kept_seal AS SELECT * FROM audit_seal");
  world.append(world.mine, 2);
  world.append(world.theirs, 1);
  const auto put_back = [&](const std::string& table, const std::string& kept) {
    world.raw("INSERT OR REPLACE INTO " + table + " SELECT * FROM " + kept);
  };
  SECTION("alone") {
    put_back("audit_heads", "kept");
    const auto found = world.found();
    CHECK(std::ranges::count(found, "mine 6 record outside the chain") == 1);
    CHECK(std::ranges::count(found, "mine 7 record outside the chain") == 1);
  }
  SECTION("with the newer records removed") {
    put_back("audit_heads", "kept");
    world.raw("DELETE FROM audit_records" + world.of(world.mine) + " AND number > 5");
    CHECK(world.found() ==
          Lines{"platform 0 a chain was put back to an earlier state, or removed"});
    // The chain by itself is as it once was, and appending doesn't mend what is wrong.
    CHECK(world.verify(world.mine).sound());
    world.append(world.mine, 3);
    CHECK(world.found() ==
          Lines{"platform 0 a chain was put back to an earlier state, or removed"});
  }
  SECTION("with the newer records removed and the old seal") {
    put_back("audit_heads", "kept");
    put_back("audit_seal", "kept_seal");
    world.raw("DELETE FROM audit_records" + world.of(world.mine) + " AND number > 5");
    CHECK(world.found() ==
          Lines{"platform 0 a chain was put back to an earlier state, or removed"});
  }
}

TEST_CASE("edited_seal_is_found", "[audit]") {
  for (const auto* edit : {"UPDATE audit_seal SET sequence = sequence + 1",
                           "UPDATE audit_seal SET heads = zeroblob(32)",
                           "UPDATE audit_seal SET mac = x''", "DELETE FROM audit_seal"}) {
    Tampered world;
    INFO(edit);
    world.raw(edit);
    CHECK(world.found() == Lines{"platform 0 seal altered"});
  }
}

TEST_CASE("unlisted_chain_is_found", "[audit]") {
  Tampered world;
  world.raw("DELETE FROM audit_chains WHERE id = " + World::sql(world.mine));
  CHECK(world.found() == Lines{"mine 0 chain isn't in the list of chains"});
}

TEST_CASE("records_of_a_tenant_that_never_had_any_are_found", "[audit]") {
  Tampered world;
  const auto fresh = TenantId::make();
  world.raw(
      "INSERT INTO tenants (id, name, status, shard, wrapped_data_key, revision, created_at) "
      "VALUES (" +
      World::sql(fresh) + ", 'fresh', 0, 0, x'00', 0, 0)");
  CHECK(world.verify().sound());
  world.raw("UPDATE audit_records SET tenant_id = " + World::sql(fresh) + world.my(3));
  CHECK(has(world.verify(), fresh, Problem::head_missing));
}

TEST_CASE("more_findings_than_are_kept_are_counted", "[audit]") {
  World world;
  must(world.change([&](sql::Transaction& tx) -> Result<void> {
    for (std::size_t i = 0; i <= kMaxFindings; ++i) {
      if (auto done = world.chain.append(tx, world.mine, world.record("domain.create")); !done)
        return done;
    }
    return {};
  }));
  world.raw("UPDATE audit_records SET actor = 'Eve' WHERE tenant_id = " + World::sql(world.mine));
  const auto found = world.verify(world.mine);
  CHECK(found.problems == kMaxFindings + 1);
  CHECK(found.findings.size() == kMaxFindings);
}
