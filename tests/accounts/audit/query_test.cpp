// Lists, exports in order, and that no tenant sees another's.
#include "tests/accounts/audit/world.hpp"

using namespace postern;
using namespace postern::accounts::audit;
using namespace postern::accounts::audit::test;

namespace {

using Numbers = std::vector<std::uint64_t>;

Numbers numbers(const std::vector<Entry>& entries) {
  Numbers out;
  out.reserve(entries.size());
  for (const auto& entry : entries) out.push_back(entry.number);
  return out;
}

struct Listed : World {
  Timestamp start = clock.now();  ///< record n was made n seconds later

  Listed() {
    add("domain.create", "domain:a.example", "p-1", "Ann", "");
    add("domain.remove", "domain:a.example", "p-2", "Ben", "");
    add("domain.create", "domain:b.example", "p-1", "Ann", "Carl");
    add("domains.other", "domain:b.example", "p-2", "Ben", "");
    add("login.fail", "account:x@a.example", "", "", "");
    append(theirs, 3);
  }
  void add(const std::string& action, const std::string& target, const std::string& id,
           const std::string& actor, const std::string& original) {
    clock.advance(std::chrono::seconds(1));
    auto one = record(action, target);
    one.actor_id = id;
    one.actor = actor;
    one.original_actor = original;
    must(try_append(mine, one));
  }
  Page page(const Filter& filter, std::optional<std::uint64_t> before = {},
            std::size_t limit = 100) {
    return must(scoped(mine, [=](sql::TenantScope& scope) -> Result<Page> {
      return list(scope, filter, before, limit);
    }));
  }
  Numbers matching(const Filter& filter) { return numbers(page(filter).entries); }
};

}  // namespace

TEST_CASE("list_without_a_filter_is_newest_first_in_pages", "[audit]") {
  Listed world;
  CHECK(world.matching({}) == Numbers{5, 4, 3, 2, 1});
  auto page = world.page({}, {}, 2);
  CHECK(numbers(page.entries) == Numbers{5, 4});
  REQUIRE(page.next == 4);
  page = world.page({}, page.next, 2);
  CHECK(numbers(page.entries) == Numbers{3, 2});
  page = world.page({}, page.next, 2);
  CHECK(numbers(page.entries) == Numbers{1});
  CHECK_FALSE(page.next);
  CHECK_FALSE(world.page({}, {}, 5).next);
  CHECK(world.page({}, 1).entries.empty());
  CHECK(world.page({}, 0).entries.empty());
  CHECK(numbers(world.page({}, UINT64_MAX).entries) == Numbers{5, 4, 3, 2, 1});
}

TEST_CASE("list_limit_is_held_between_one_and_the_most", "[audit]") {
  Listed world;
  CHECK(world.page({}, {}, 0).entries.size() == 1);
  must(world.change([&](sql::Transaction& tx) -> Result<void> {
    for (std::size_t i = 0; i < kMaxPage; ++i) {
      if (auto done = world.chain.append(tx, world.mine, world.record("domain.create")); !done)
        return done;
    }
    return {};
  }));
  CHECK(world.page({}, {}, kMaxPage).entries.size() == kMaxPage);
  CHECK(world.page({}, {}, kMaxPage + 1).entries.size() == kMaxPage);
}

TEST_CASE("list_filters_table", "[audit]") {
  Listed world;
  CHECK(world.matching({.action = "domain."}) == Numbers{3, 2, 1});
  CHECK(world.matching({.action = "domain"}) == Numbers{4, 3, 2, 1});
  CHECK(world.matching({.action = "domain.create"}) == Numbers{3, 1});
  CHECK(world.matching({.action = "domain.create.more"}).empty());
  CHECK(world.matching({.action = "%"}).empty());
  CHECK(world.matching({.actor = "p-1"}) == Numbers{3, 1});
  CHECK(world.matching({.actor = "Ben"}) == Numbers{4, 2});
  CHECK(world.matching({.actor = "Carl"}) == Numbers{3});
  CHECK(world.matching({.actor = "An"}).empty());
  CHECK(world.matching({.target = "domain:a.example"}) == Numbers{2, 1});
  CHECK(world.matching({.target = "domain:a"}).empty());
  CHECK(world.matching({.action = "domain.create", .target = "domain:a.example"}) == Numbers{1});
  const auto at = [&](int second) { return world.start + std::chrono::seconds(second); };
  CHECK(world.matching({.from = at(3)}) == Numbers{5, 4, 3});
  CHECK(world.matching({.to = at(3)}) == Numbers{2, 1});
  CHECK(world.matching({.from = at(2), .to = at(4)}) == Numbers{3, 2});
  CHECK(world.matching({.from = at(6)}).empty());
  CHECK(world.matching({.to = at(1)}).empty());
  CHECK(world.matching({.target = "domain:b.example", .from = at(4)}) == Numbers{4});
}

TEST_CASE("list_by_time_survives_a_clock_that_stepped_back", "[audit]") {
  Listed world;
  world.clock.set(world.start + std::chrono::milliseconds(2500));
  must(world.try_append(world.mine, world.record("domain.create")));
  const auto at = [&](int second) { return world.start + std::chrono::seconds(second); };
  CHECK(world.matching({.to = at(3)}) == Numbers{6, 2, 1});
  CHECK(world.matching({.from = at(2), .to = at(3)}) == Numbers{6, 2});
}

TEST_CASE("list_filter_pages_reach_everything", "[audit]") {
  Listed world;
  auto page = world.page({.action = "domain.create"}, {}, 1);
  CHECK(numbers(page.entries) == Numbers{3});
  page = world.page({.action = "domain.create"}, page.next, 1);
  CHECK(numbers(page.entries) == Numbers{1});
  CHECK_FALSE(page.next);
}

TEST_CASE("export_is_in_ascending_order", "[audit]") {
  Listed world;
  const auto part =
      must(world.scoped(world.mine, [](sql::TenantScope& scope) -> Result<std::vector<Entry>> {
        return read_after(scope, 2, 2);
      }));
  CHECK(numbers(part) == Numbers{3, 4});
}

TEST_CASE("one_record_is_found_by_its_number", "[audit]") {
  Listed world;
  const auto find = [&](TenantId id, std::uint64_t number) {
    return world.scoped(id,
                        [number](sql::TenantScope& scope) { return find_record(scope, number); });
  };
  CHECK(must(find(world.mine, 5)).record.action == "login.fail");
  CHECK(find(world.mine, 6).error().code == Errc::not_found);
  CHECK(find(world.mine, UINT64_MAX).error().code == Errc::not_found);
  CHECK(find(world.theirs, 5).error().code == Errc::not_found);
}

TEST_CASE("tenants_list_never_shows_anothers_records", "[audit]") {
  Listed world;
  std::vector<std::string> mine;
  for (const auto& entry : world.all(world.mine)) mine.push_back(entry.record.id.text());
  for (const auto other : {world.theirs, kPlatform, TenantId::make()}) {
    for (const auto& entry : world.all(other)) {
      CHECK(std::ranges::find(mine, entry.record.id.text()) == mine.end());
    }
  }
  CHECK(world.all(world.theirs).size() == 3);
  CHECK(world.all(TenantId::make()).empty());
  const auto foreign = must(world.scoped(world.theirs, [](sql::TenantScope& scope) -> Result<Page> {
    return list(scope, {.target = "domain:a.example"}, {}, 100);
  }));
  CHECK(foreign.entries.empty());
}
