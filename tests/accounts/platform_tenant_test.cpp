#include "accounts/platform_tenant.hpp"

#include <functional>

#include "accounts/tenants.hpp"
#include "tests/accounts/world.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

/// Lets something happen right before a data key is wrapped.
class WatchedKey final : public storage::MasterKey {
 public:
  explicit WatchedKey(std::shared_ptr<storage::MasterKey> inner) : inner_(std::move(inner)) {}
  Result<std::string> wrap(std::string_view context, std::string_view secret) override {
    ++wraps;
    if (auto first = std::exchange(before_wrap, nullptr)) first();
    if (fails) return fail(Errc::temporary, "no master key now");
    return inner_->wrap(context, secret);
  }
  Result<std::string> unwrap(std::string_view context, std::string_view wrapped) override {
    return inner_->unwrap(context, wrapped);
  }

  std::function<void()> before_wrap;
  bool fails = false;
  int wraps = 0;

 private:
  std::shared_ptr<storage::MasterKey> inner_;
};

struct House {
  asio::io_context second_thread;  ///< outlives the database, which posts to it
  World world;
  std::shared_ptr<WatchedKey> master =
      std::make_shared<WatchedKey>(open_master(world.directory.file("watched.key")));
  storage::Keystore keystore{master};
  PlatformTenant platform{world.registry, keystore, world.clock, 2};

  std::vector<Tenant> tenants() {
    return must(world.change([](sql::Transaction& tx) -> Result<std::vector<Tenant>> {
      return list_tenants(tx, "", 10);
    }));
  }
  TenantId id() { return must(world.run(platform.id())); }
};

}  // namespace

TEST_CASE("platform_tenant_is_made_when_first_needed_and_found_later") {
  House house;
  CHECK(house.tenants().empty());
  const auto id = house.id();
  CHECK(house.id() == id);
  const auto rows = house.tenants();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].id == id);
  CHECK(rows[0].name == kPlatformTenant);
  CHECK(rows[0].created == house.world.clock.now());
  CHECK(house.keystore.data_key(id, rows[0].wrapped_data_key));
  PlatformTenant restarted(house.world.registry, house.keystore, house.world.clock, 2);
  CHECK(must(house.world.run(restarted.id())) == id);
  CHECK(house.master->wraps == 1);
}

TEST_CASE("platform_tenant_that_another_makes_first_is_taken") {
  House house;
  PlatformTenant other(house.world.registry, house.keystore, house.world.clock, 2);
  TenantId first;
  house.master->before_wrap = [&] {
    first = must(postern::test::run_task(house.second_thread, other.id()));
  };
  CHECK(house.id() == first);
  CHECK(house.master->wraps == 2);  // both found none
  CHECK(house.tenants().size() == 1);
}

TEST_CASE("platform_tenant_that_was_removed_is_made_again") {
  House house;
  const auto id = house.id();
  CHECK(house.id() == id);  // known by now
  must(house.world.change([id](sql::Transaction& tx) { return remove_tenant(tx, id); }));
  const auto again = house.id();
  CHECK(again != id);
  CHECK(house.tenants().at(0).id == again);
}

TEST_CASE("platform_tenant_without_a_master_key_is_not_made") {
  House house;
  house.master->fails = true;
  const auto id = house.world.run(house.platform.id());
  REQUIRE_FALSE(id);
  CHECK(id.error().code == Errc::temporary);
  CHECK(house.tenants().empty());
  house.master->fails = false;
  house.id();
}

TEST_CASE("name_of_the_platform_is_nobody_elses") {
  World world;
  for (const auto* name : {"postern-platform", "Postern-Platform"}) {
    const NewTenant fresh{TenantId::make(), name, 1, "k", world.clock.now()};
    const auto refused =
        world.change([fresh](sql::Transaction& tx) { return add_tenant(tx, fresh); });
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::exists);
  }
  world.tenant("platform1");
}
