#include "accounts/domain_records.hpp"

#include <boost/json/parse.hpp>

#include "tests/accounts/watched_domains.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;
using namespace std::chrono_literals;
using enum RecordStatus;

namespace {

using Names = std::vector<std::string>;

void note_as_told(WatchedDomains& world) {
  const auto telling = world.telling();
  REQUIRE_FALSE(telling.empty());
  must(world.scoped(world.mine, [&world, telling](sql::TenantScope& scope) -> Result<void> {
    note_told(scope, "a.example", telling, world.clock.now(), world.timing);
    return {};
  }));
}

void make_drift(WatchedDomains& world) {
  (void)world.look({world.mx(ok), world.dkim("s", ok)});
  (void)world.look_after(6h, {world.mx(missing), world.dkim("s", ok)});
  (void)world.look_after(10min, {world.mx(different), world.dkim("s", ok)});
}

void make_key_drift(WatchedDomains& world) {
  (void)world.look({world.mx(ok), world.dkim("s", ok)});
  (void)world.look_after(6h, {world.mx(ok), world.dkim("s", missing)});
  (void)world.look_after(10min, {world.mx(ok), world.dkim("s", missing)});
}

}  // namespace

TEST_CASE("look_is_kept_as_it_was_seen", "[drift]") {
  WatchedDomains world;
  const auto noted = world.look({world.mx(ok), world.dkim("s", missing)});
  CHECK(noted.turned.empty());
  const auto rows = world.rows();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].purpose == RecordPurpose::mx);
  CHECK(rows[0].status == ok);
  CHECK(rows[0].first_ok == world.clock.now());
  CHECK(rows[1].name == "s._domainkey.a.example");
  CHECK(rows[1].status == missing);
  CHECK_FALSE(rows[1].first_ok);
  CHECK(world.actions().empty());
}

TEST_CASE("drift_is_in_the_trail_in_the_commit_that_finds_it", "[drift]") {
  WatchedDomains world;
  make_drift(world);
  CHECK(world.actions() == Names{"domain.drift"});
  const auto record = world.all(world.mine)[0].record;
  CHECK(record.target == "domain:a.example");
  CHECK(record.actor_kind == audit::ActorKind::system);
  CHECK(record.at == world.clock.now());
  const auto details = boost::json::parse(record.details);
  CHECK(details.at("purpose").as_string() == "mx");
  CHECK(details.at("name").as_string() == "a.example");
  CHECK(details.at("type").as_string() == "MX");
  CHECK(details.at("status").as_string() == "different");
  CHECK(details.at("found").as_string() == "10 other.example");
  CHECK(details.at("since_microseconds").as_int64() == to_micros(world.clock.now() - 10min));
  CHECK(world.counts().adrift == 1);
  (void)world.look_after(1min, {world.mx(ok), world.dkim("s", ok)});
  CHECK(world.actions() == Names{"domain.drift", "domain.drift_ended"});
  CHECK(world.counts().adrift == 0);
  CHECK(world.verify().sound());
}

TEST_CASE("look_that_can_not_be_entered_in_the_trail_is_not_noted", "[drift]") {
  WatchedDomains world;
  (void)world.look({world.mx(ok)});
  (void)world.look_after(6h, {world.mx(missing)});
  must(world.try_append(world.mine, world.record("thing.done")));
  must(world.change([&world](sql::Transaction& tx) {
    return world.chain.close(tx, world.mine, world.record(""), nullptr);
  }));
  world.clock.advance(10min);
  CHECK_FALSE(world.try_look(world.mine, world.home, {world.mx(missing)}));
  CHECK_FALSE(world.rows()[0].drifted);
  CHECK(world.counts().adrift == 0);
}

TEST_CASE("failed_look_up_makes_no_row_and_keeps_the_old_one", "[drift]") {
  WatchedDomains world;
  (void)world.look({world.mx(unknown), world.dkim("s", ok)});
  CHECK(world.rows().size() == 1);
  (void)world.look_after(6h, {world.mx(unknown), world.dkim("s", unknown)});
  REQUIRE(world.rows().size() == 1);
  CHECK(world.rows()[0].status == ok);
  CHECK(world.due().empty());  // and not before its time again
}

TEST_CASE("record_that_is_wanted_no_more_ends_its_drift", "[drift]") {
  WatchedDomains world;
  make_key_drift(world);
  CHECK(world.actions() == Names{"domain.drift"});
  (void)world.look_after(1h, {world.mx(ok)});
  CHECK(world.rows().size() == 1);
  CHECK(world.actions() == Names{"domain.drift", "domain.drift_ended"});
  CHECK(world.counts().adrift == 0);
}

TEST_CASE("record_that_was_told_of_and_is_wanted_no_more_is_told_as_ended_then_goes", "[drift]") {
  WatchedDomains world;
  make_key_drift(world);
  note_as_told(world);
  (void)world.look_after(1h, {world.mx(ok)});
  CHECK(world.actions() == Names{"domain.drift", "domain.drift_ended"});
  CHECK(world.counts().adrift == 0);
  REQUIRE(world.telling().ended.size() == 1);
  CHECK(world.telling().ended[0].purpose == RecordPurpose::dkim);
  (void)world.look_after(10min, {world.mx(ok)});  // the mail couldn't leave yet
  CHECK(world.actions().size() == 2);
  CHECK(world.telling().ended.size() == 1);
  note_as_told(world);
  CHECK(world.telling().empty());
  (void)world.look_after(6h, {world.mx(ok)});
  CHECK(world.rows().size() == 1);
}

TEST_CASE("record_that_is_wanted_again_before_its_end_was_told_is_a_new_one", "[drift]") {
  WatchedDomains world;
  make_key_drift(world);
  note_as_told(world);
  (void)world.look_after(1h, {world.mx(ok)});
  for (int i = 0; i < 3; ++i) (void)world.look_after(1h, {world.mx(ok), world.dkim("s", missing)});
  CHECK(world.counts().adrift == 0);  // not published yet
  CHECK(world.telling().ended.size() == 1);
}

TEST_CASE("domain_is_due_at_once_then_after_its_interval", "[drift]") {
  WatchedDomains world;
  CHECK(world.due() == Names{"a.example"});
  (void)world.look({world.mx(ok)});
  world.clock.advance(6h - 1us);
  CHECK(world.due().empty());
  world.clock.advance(1us);
  CHECK(world.due() == Names{"a.example"});
  (void)world.look({world.mx(missing)});
  world.clock.advance(10min - 1us);
  CHECK(world.due().empty());
  world.clock.advance(1us);
  CHECK(world.due() == Names{"a.example"});
}

TEST_CASE("longest_due_comes_first_and_no_more_than_asked_for", "[drift]") {
  WatchedDomains world;
  const auto second = world.domain(world.mine, "b.example");
  (void)world.domain(world.theirs, "c.example");
  (void)world.look({world.mx(ok)});
  world.clock.advance(1min);
  must(world.try_look(world.mine, second, {world.mx(ok)}));
  CHECK(world.due() == Names{"c.example"});
  world.clock.advance(6h);
  CHECK(world.due() == Names{"c.example", "a.example", "b.example"});
  CHECK(world.due(2) == Names{"c.example", "a.example"});
}

TEST_CASE("clock_that_was_ahead_does_not_put_a_domain_off", "[drift]") {
  WatchedDomains world;
  const auto now = world.clock.now();
  world.clock.advance(std::chrono::days(1000));
  (void)world.look({world.mx(ok)});
  CHECK(world.due().empty());
  world.clock.set(now);
  CHECK(world.due() == Names{"a.example"});
}

TEST_CASE("pending_and_suspended_domains_are_not_watched", "[drift]") {
  WatchedDomains world;
  const auto pending = world.domain(world.mine, "b.example", "challenge");
  CHECK(world.due() == Names{"a.example"});
  const auto refused = world.try_look(world.mine, pending, {world.mx(ok)});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::not_found);
  must(world.change(
      [](sql::Transaction& tx) { return set_domain_status(tx, "a.example", Status::suspended); }));
  CHECK(world.due().empty());
  must(world.change(
      [](sql::Transaction& tx) { return set_domain_status(tx, "a.example", Status::active); }));
  must(world.change([id = world.mine](sql::Transaction& tx) {
    return set_tenant_status(tx, id, Status::suspended);
  }));
  CHECK(world.due().empty());
}

TEST_CASE("look_at_anothers_domain_or_one_made_anew_is_not_noted", "[drift]") {
  WatchedDomains world;
  const auto refused = [&](TenantId tenant) {
    const auto noted = world.try_look(tenant, world.home, {world.mx(ok)});
    return !noted && noted.error().code == Errc::not_found;
  };
  CHECK(refused(world.theirs));
  must(world.change([](sql::Transaction& tx) { return remove_domain(tx, "a.example"); }));
  CHECK(refused(world.mine));
  (void)world.domain(world.mine, "a.example");
  CHECK(refused(world.mine));
  CHECK(world.rows().empty());
}

TEST_CASE("removed_domain_takes_its_records_along", "[drift]") {
  WatchedDomains world;
  make_drift(world);
  CHECK(world.rows().size() == 2);
  must(world.change([](sql::Transaction& tx) { return remove_domain(tx, "a.example"); }));
  CHECK(world.rows().empty());
  CHECK(world.counts().adrift == 0);
}

TEST_CASE("mail_is_noted_once_and_its_day_is_kept", "[drift]") {
  WatchedDomains world;
  make_drift(world);
  CHECK(world.due().empty());
  world.clock.advance(10min);
  CHECK(world.due() == Names{"a.example"});  // the mail hasn't left yet
  REQUIRE(world.telling().drifted.size() == 1);
  CHECK(world.telling().drifted[0].purpose == RecordPurpose::mx);
  note_as_told(world);
  CHECK(world.due().empty());
  CHECK(world.telling().empty());
  (void)world.look_after(1h, {world.mx(ok), world.dkim("s", ok)});
  CHECK(world.telling().ended.size() == 1);
  note_as_told(world);
  CHECK(world.telling().empty());
  (void)world.look_after(1h, {world.mx(missing), world.dkim("s", ok)});
  (void)world.look_after(10min, {world.mx(missing), world.dkim("s", ok)});
  CHECK(world.rows()[0].drifted);
  CHECK(world.telling().empty());
  world.clock.advance(22h);
  CHECK(world.telling().drifted.size() == 1);
}

TEST_CASE("end_told_in_a_mail_of_drift_does_not_put_off_the_mail_of_the_last_end", "[drift]") {
  WatchedDomains world;
  make_drift(world);
  note_as_told(world);
  (void)world.look_after(24h, {world.mx(ok), world.dkim("s", missing)});
  (void)world.look_after(10min, {world.mx(ok), world.dkim("s", missing)});
  REQUIRE(world.telling().drifted.size() == 1);
  REQUIRE(world.telling().ended.size() == 1);
  note_as_told(world);
  (void)world.look_after(1h, {world.mx(ok), world.dkim("s", ok)});
  CHECK(world.telling().ended.size() == 1);
}

TEST_CASE("check_that_was_put_off_waits", "[drift]") {
  WatchedDomains world;
  must(world.change([&world](sql::Transaction& tx) -> Result<void> {
    put_off_check(tx, "a.example", world.clock.now() + 1h);
    return {};
  }));
  CHECK(world.due().empty());
  world.clock.advance(1h);
  CHECK(world.due() == Names{"a.example"});
}
