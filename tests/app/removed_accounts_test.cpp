#include "app/server/removed_accounts.hpp"

#include <catch2/catch.hpp>

#include "mailbox/schema.hpp"
#include "storage/store.hpp"
#include "tests/accounts/directory_keys.hpp"
#include "tests/accounts/world.hpp"

using namespace postern;
using accounts::test::DirectoryKeys;
using accounts::test::must;

namespace {

std::unique_ptr<storage::Store> open_mail(const std::string& directory) {
  storage::Store::Options options;
  options.directory = directory;
  options.mail_shards = 3;
  options.mail = {mailbox::mail_schema()};
  options.disk_reserve = 0;
  return must(storage::Store::open(std::move(options)));
}

struct House {
  accounts::test::World world;
  std::unique_ptr<storage::Store> files = open_mail(world.directory.file("data"));
  DirectoryKeys keys{world.look_up};
  mailbox::ChangeFeed feed;
  WorkerPool workers{"worker", 1, 100};
  mailbox::MailboxStore store{*files, storage::Staging(workers, files->staging_directory()), keys,
                              feed, world.clock};
  accounts::Tenant tenant = world.tenant("acme");
  mailbox::Place place{tenant.id, tenant.shard};

  accounts::Account account(const std::string& address) {
    (void)world.try_domain(tenant.id, "acme.example");
    auto made = world.account(tenant.id, address);
    must(world.run(store.create_account(place, made.id)));
    return made;
  }
  void remove(const accounts::Account& account) {
    must(world.scoped(tenant.id, [id = account.id](sql::TenantScope& scope) {
      return accounts::remove_account(scope, id);
    }));
  }
  void work() { world.run(server::erase_removed_accounts(*world.control, store, system_clock())); }
  Errc usage_error(const accounts::Account& account) {
    const auto usage = world.run(store.usage(place, account.id));
    REQUIRE_FALSE(usage.has_value());
    return usage.error().code;
  }
};

}  // namespace

TEST_CASE("removed_account_loses_its_mail_and_others_keep_theirs") {
  House house;
  const auto owner = house.account("owner@acme.example");
  const auto gone = house.account("gone@acme.example");
  house.remove(gone);
  REQUIRE(house.world.run(house.store.usage(house.place, gone.id)));
  house.work();
  CHECK(house.usage_error(gone) == Errc::not_found);
  CHECK(house.world.run(house.store.usage(house.place, owner.id)));
  CHECK(must(house.world.run(house.store.list(house.place, owner.id))).size() == 6);
}

TEST_CASE("erasing_again_after_a_crash_changes_nothing") {
  House house;
  const auto owner = house.account("owner@acme.example");
  const auto gone = house.account("gone@acme.example");
  house.remove(gone);
  // The crash: the mail was erased, but the entry not completed.
  must(house.world.run(house.store.erase_account(house.place, gone.id)));
  house.work();
  house.work();
  CHECK(house.usage_error(gone) == Errc::not_found);
  CHECK(house.world.run(house.store.usage(house.place, owner.id)));
}
