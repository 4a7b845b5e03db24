// Acts whose records wait in queue.db while the tenant's trail is closed.
#include <catch2/catch.hpp>

#include "accounts/audit/query.hpp"
#include "accounts/audit/schema.hpp"
#include "accounts/audit/verify.hpp"
#include "accounts/schema.hpp"
#include "storage/store.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temp_directory.hpp"
#include "web/access/audit.hpp"
#include "web/access/audit_intent.hpp"

using namespace postern;
namespace audit = postern::accounts::audit;

namespace {

template <class T>
T must(Result<T> result) {
  if (!result) FAIL("unexpected error: " << result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::unique_ptr<storage::Store> open_store(const std::string& directory) {
  storage::Store::Options options;
  options.directory = directory;
  options.mail_shards = 1;
  options.control = {accounts::schema(), audit::schema()};
  options.disk_reserve = 0;
  return must(storage::Store::open(std::move(options)));
}

struct House {
  test::TempDirectory directory;
  // Entries are dated by the system's clock; here they are all due.
  test::FakeClock clock{system_clock().now() + std::chrono::hours(1)};
  std::unique_ptr<storage::Store> store = open_store(directory.file("data"));
  accounts::Registry registry{store->control()};
  audit::Chain chain{std::string(32, 'k')};
  TenantId acme = TenantId::make();
  web::Services services = make_services();

  web::Services make_services() {
    web::Services all;
    all.store = store.get();
    all.registry = &registry;
    all.audit = &chain;
    all.clock = &clock;
    return all;
  }
  audit::Record record(const std::string& action) const {
    audit::Record fresh;
    fresh.id = audit::AuditId::make();
    fresh.at = clock.now();
    fresh.action = action;
    return fresh;
  }
  void append(TenantId id, const std::string& action) {
    must(registry.change_blocking<void>([this, id, one = record(action)](sql::Transaction& tx) {
      return chain.append(tx, id, one);
    }));
  }
  void close() {
    must(registry.change_blocking<audit::Closing>(
        [this, by = record("tenant.delete")](sql::Transaction& tx) {
          return chain.close(tx, acme, by, nullptr);
        }));
  }
  void leave(const web::AuditIntent& intent) {
    must(store->queue().write_blocking<void>(storage::Purpose::outcome,
                                             [intent](sql::Transaction& tx) -> Result<void> {
                                               web::leave_intent(tx, intent);
                                               return {};
                                             }));
  }
  void settle() { must(test::run_task(web::settle_intents(services))); }
  std::size_t waiting() {
    return must(store->queue().read_blocking<std::vector<web::WaitingIntent>>(
                    [this](sql::Transaction& tx) { return web::waiting_intents(tx, clock.now()); }))
        .size();
  }
  std::vector<std::string> actions(TenantId id) {
    const auto entries = must(registry.read_blocking<std::vector<audit::Entry>>(
        [id](sql::Transaction& tx) -> Result<std::vector<audit::Entry>> {
          sql::TenantScope scope(tx, id);
          return audit::read_after(scope, 0, audit::kMaxPage);
        }));
    std::vector<std::string> out;
    out.reserve(entries.size());
    for (const auto& entry : entries) out.push_back(entry.record.action);
    return out;
  }
  bool sound() {
    return must(registry.read_blocking<bool>([this](sql::Transaction& tx) -> Result<bool> {
      return audit::verify_all(tx, chain).sound();
    }));
  }
};

using Actions = std::vector<std::string>;

}  // namespace

TEST_CASE("record_on_its_way_goes_into_its_tenants_trail_once", "[audit]") {
  House house;
  const web::AuditIntent intent{house.acme, house.record("queue.drop")};
  house.leave(intent);
  CHECK(house.waiting() == 1);
  house.settle();
  house.leave(intent);  // as after a crash
  house.settle();
  CHECK(house.waiting() == 0);
  CHECK(house.actions(house.acme) == Actions{"queue.drop"});
  CHECK(house.sound());
}

TEST_CASE("record_on_its_way_to_a_closed_trail_goes_into_the_platforms_once", "[audit]") {
  House house;
  house.append(house.acme, "domain.create");
  const web::AuditIntent late{house.acme, house.record("queue.drop")};
  const web::AuditIntent other{TenantId::make(), house.record("queue.hold")};
  house.close();
  house.leave(late);
  house.leave(other);
  house.settle();
  house.leave(late);
  house.settle();
  CHECK(house.waiting() == 0);
  CHECK(house.actions(house.acme).empty());
  CHECK(house.actions(other.tenant) == Actions{"queue.hold"});  // it waits for nobody
  CHECK(house.actions(TenantId{}) ==
        Actions{"audit.chain_opened", "audit.chain_closed", "queue.drop", "audit.chain_opened"});
  CHECK(house.sound());
}
