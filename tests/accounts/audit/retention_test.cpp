// Cutting a chain's beginning, and closing a chain.
#include <boost/json.hpp>

#include "tests/accounts/audit/world.hpp"

using namespace postern;
using namespace postern::accounts::audit;
using namespace postern::accounts::audit::test;

namespace {

struct Retained : World {
  Timestamp start = clock.now();  ///< record n was made n seconds later

  Retained() {
    append(mine, 6);
    append(theirs, 2);
    REQUIRE(verify().sound());
  }
  Result<Cut> cut(TenantId id, int before_second, std::size_t limit = 100) {
    const auto oldest = start + std::chrono::seconds(before_second);
    return scoped(id, [this, oldest, limit](sql::TenantScope& scope) {
      return chain.cut_before(scope, oldest, clock.now(), limit);
    });
  }
  Result<Closing> close(TenantId id, const WitnessKey* key = nullptr) {
    auto by = record("");
    return change(
        [this, id, by, key](sql::Transaction& tx) { return chain.close(tx, id, by, key); });
  }
  std::string of(TenantId id) const { return " WHERE tenant_id = " + sql(id); }
};

}  // namespace

TEST_CASE("cut_removes_the_old_records_and_tells_of_it", "[audit]") {
  Retained world;
  const auto last_mac = world.all(world.mine)[3].mac;
  const auto cut = must(world.cut(world.mine, 5));
  CHECK(cut.count == 4);
  CHECK(cut.last == 4);
  CHECK(cut.last_at == world.start + std::chrono::seconds(4));
  CHECK(cut.last_mac == last_mac);
  const auto left = world.all(world.mine);
  REQUIRE(left.size() == 3);
  CHECK(left[0].number == 5);
  CHECK(left[2].number == 7);
  CHECK(left[2].record.action == "audit.cut");
  const auto details = boost::json::parse(left[2].record.details).as_object();
  CHECK(details.at("count") == 4);
  CHECK(details.at("first") == 1);
  CHECK(details.at("last") == 4);
  CHECK(world.verify().sound());
  CHECK(world.all(world.theirs).size() == 2);
  world.append(world.mine, 2);
  CHECK(must(world.cut(world.mine, 6)).count == 1);
  CHECK(world.verify().sound());
}

TEST_CASE("cut_takes_what_is_older_and_at_most_the_limit", "[audit]") {
  Retained world;
  CHECK(must(world.cut(world.mine, 1)).count == 0);  // the first is of that very second
  CHECK(world.all(world.mine).size() == 6);
  CHECK(must(world.cut(world.mine, 2)).count == 1);
  CHECK(must(world.cut(world.mine, 100, 2)).last == 3);
  CHECK(must(world.cut(world.mine, 100)).count == 5);  // 4, 5, 6 and the two of the cuts
  CHECK(world.all(world.mine).size() == 1);
  CHECK(world.verify().sound());
}

TEST_CASE("cut_of_a_chain_that_is_not_there_does_nothing", "[audit]") {
  Retained world;
  CHECK(must(world.cut(TenantId::make(), 100)).count == 0);
  CHECK(world.verify().chains == 3);
}

TEST_CASE("cut_of_the_platforms_chain_verifies", "[audit]") {
  Retained world;
  world.append(kPlatform, 3, "server.start");
  CHECK(must(world.cut(kPlatform, 1'000)).count == 5);
  CHECK(world.verify().sound());
}

TEST_CASE("forged_cut_is_found", "[audit]") {
  Retained world;
  const auto mac = "(SELECT mac FROM audit_records" + world.of(world.mine) + " AND number = 2)";
  world.raw("UPDATE audit_heads SET first_number = 3, cut_mac = " + mac + world.of(world.mine));
  world.raw("DELETE FROM audit_records" + world.of(world.mine) + " AND number < 3");
  CHECK(described(world.verify(), {{world.mine, "mine"}}) ==
        std::vector<std::string>{"mine 7 head altered"});
}

TEST_CASE("oldest_records_removed_without_a_cut_are_found", "[audit]") {
  Retained world;
  must(world.cut(world.mine, 3));
  world.raw("DELETE FROM audit_records" + world.of(world.mine) + " AND number = 3");
  CHECK(described(world.verify(), {{world.mine, "mine"}}) ==
        std::vector<std::string>{"mine 3 records missing"});
}

TEST_CASE("cut_of_altered_records_is_refused", "[audit]") {
  Retained world;
  world.raw("UPDATE audit_records SET actor = 'Eve'" + world.of(world.mine) + " AND number = 3");
  CHECK(must(world.cut(world.mine, 3)).count == 2);  // only what lies before it
  CHECK(world.cut(world.mine, 5).error().code == Errc::corrupt);
  CHECK(described(world.verify(), {{world.mine, "mine"}}) ==
        std::vector<std::string>{"mine 3 record altered"});
}

TEST_CASE("closing_removes_the_records_and_leaves_a_signed_end", "[audit]") {
  Retained world;
  const auto key = WitnessKey::generate();
  const auto last = world.all(world.mine).back();
  const auto closing = must(world.close(world.mine, &key));
  CHECK(closing.chain == world.mine);
  CHECK(closing.last == 6);
  CHECK(closing.count == 6);
  CHECK(closing.mac == last.mac);
  CHECK(closing.at == world.clock.now());
  CHECK(world.all(world.mine).empty());
  const auto told = world.all(kPlatform).back().record;
  CHECK(told.action == "audit.chain_closed");
  CHECK(told.target == "tenant:" + world.mine.text());
  CHECK(told.actor == "Ann");
  auto parsed = must(parse_closing(told.details));
  CHECK(parsed.last == 6);
  CHECK(parsed.key == key.public_key().fingerprint());
  CHECK(verify_closing(parsed, key.public_key()));
  CHECK_FALSE(verify_closing(parsed, WitnessKey::generate().public_key()));
  parsed.last = 5;
  CHECK_FALSE(verify_closing(parsed, key.public_key()));
  CHECK(world.verify().sound());
}

TEST_CASE("closing_without_a_key_is_unsigned", "[audit]") {
  Retained world;
  CHECK(must(world.close(world.mine)).signature.empty());
  const auto parsed = must(parse_closing(world.all(kPlatform).back().record.details));
  CHECK(parsed.signature.empty());
  CHECK_FALSE(verify_closing(parsed, WitnessKey::generate().public_key()));
  CHECK(world.verify().sound());
}

TEST_CASE("closed_chain_takes_no_more_records", "[audit]") {
  Retained world;
  must(world.close(world.mine));
  CHECK(world.try_append(world.mine, world.record("domain.create")).error().code == Errc::denied);
  CHECK(world.close(world.mine).error().code == Errc::denied);
  CHECK(world.cut(world.mine, 100).error().code == Errc::denied);
  CHECK(world.verify().sound());
}

TEST_CASE("platforms_chain_and_unknown_chains_are_not_closed", "[audit]") {
  Retained world;
  CHECK(world.close(kPlatform).error().code == Errc::invalid);
  CHECK(world.close(TenantId::make()).error().code == Errc::not_found);
  CHECK(world.verify().sound());
}

TEST_CASE("tampering_with_a_closed_chain_is_found", "[audit]") {
  Retained world;
  must(world.close(world.mine));
  SECTION("opened again") {
    world.raw("UPDATE audit_heads SET closed = 0" + world.of(world.mine));
    CHECK(has(world.verify(), world.mine, Problem::head_altered));
    CHECK(has(world.verify(), world.mine, Problem::closing_contradicts));
  }
  SECTION("removed") {
    world.raw("DELETE FROM audit_heads" + world.of(world.mine));
    CHECK(has(world.verify(), world.mine, Problem::chain_missing));
  }
  SECTION("its closing removed") {
    world.raw("DELETE FROM audit_records" + world.of(kPlatform) + " AND number = 3");
    CHECK(has(world.verify(), kPlatform, Problem::records_missing));
    CHECK(has(world.verify(), world.mine, Problem::closing_missing));
  }
}

TEST_CASE("closing_that_was_cut_from_the_platforms_chain_is_no_finding", "[audit]") {
  Retained world;
  must(world.close(world.mine));
  must(world.cut(kPlatform, 1'000));
  CHECK(world.verify().sound());
}

TEST_CASE("details_of_no_closing_are_refused", "[audit]") {
  for (const auto* bad : {"", "{}", "[]", R"({"chain":"00","last":1})",
                          R"({"at":0,"chain":"00000000000000000000000000000001","count":1,)"
                          R"("last":-1,"mac":""})"}) {
    INFO(bad);
    CHECK(parse_closing(bad).error().code == Errc::corrupt);
  }
}
