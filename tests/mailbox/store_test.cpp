#include <boost/asio/io_context.hpp>

#include "mailbox/mailbox_store.hpp"
#include "mailbox/schema.hpp"
#include "support.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/run_task.hpp"

using namespace postern;
using namespace postern::mailbox;
using test::must;
using test::run_task;

namespace {

class FixedKeys final : public TenantKeys {
 public:
  Task<Result<std::shared_ptr<const storage::DataKey>>> data_key(TenantId tenant) override {
    co_return std::make_shared<const storage::DataKey>(tenant, std::string(32, 'k'));
  }
};

struct Fixture {
  Fixture() {
    storage::Store::Options options;
    options.directory = directory.file("data");
    options.mail = {mail_schema()};
    options.disk_reserve = 0;
    files = must(storage::Store::open(std::move(options)));
    store = std::make_unique<MailboxStore>(
        *files, storage::Staging(workers, files->staging_directory()), keys, feed, clock);
    must(run_task(context, store->create_account(place, account)));
  }
  test::TempDirectory directory;
  asio::io_context context{1};  ///< outlives the databases: their threads post to it
  std::unique_ptr<storage::Store> files;
  FixedKeys keys;
  ChangeFeed feed;
  test::FakeClock clock;
  std::unique_ptr<MailboxStore> store;
  Place place{TenantId::make(), 1};
  AccountId account = AccountId::make();
  WorkerPool workers{"worker", 1, 100};
};

const std::string kText = "Subject: hi\r\nFrom: a@b.example\r\n\r\nbody of the message\r\n";

/// kText as a new body under the tenant's key.
storage::SealedBody seal_text(Fixture& f) {
  const auto key = must(run_task(f.context, f.keys.data_key(f.place.tenant)));
  return storage::seal_body(*key, ObjectId::make(), kText);
}
DeliveryOutcome deliver_text(Fixture& f, const DeliveryTarget& target) {
  return must(run_task(f.context, f.store->deliver(f.place, Lane::auth, {target}, seal_text(f),
                                                   message::make_index(kText), f.clock.now())))
      .at(0);
}
Placed append_text(Fixture& f, MailboxId mailbox, Flags flags) {
  return must(run_task(f.context,
                       f.store->append(f.place, mailbox, std::move(flags), seal_text(f),
                                       message::make_index(kText), f.clock.now(), std::nullopt)));
}

}  // namespace

TEST_CASE("store_delivers_reads_and_tells_views") {
  Fixture f;
  const auto inbox = must(run_task(f.context, f.store->find(f.place, f.account, "inbox")));
  std::vector<std::uint64_t> told;
  auto subscription = f.feed.subscribe(f.context.get_executor(), inbox.id,
                                       [&](const Change& c) { told.push_back(c.modseq); });
  const DeliveryTarget target{DeliveryId::make(), f.account, SpecialUse::none, {}, {}};
  const auto first = deliver_text(f, target);
  CHECK(first.state == DeliveryState::placed);
  CHECK(deliver_text(f, target).state == DeliveryState::repeated);
  f.context.restart();
  f.context.poll();
  CHECK(told == std::vector<std::uint64_t>{first.where.modseq});

  const auto opened = must(run_task(f.context, f.store->open(f.place, inbox.id)));
  REQUIRE(opened.messages.size() == 1);
  const auto rows = must(
      run_task(f.context, f.store->fetch(f.place, inbox.id, {UidRange{}}, FetchDepth::index, 10)));
  const auto index = must(run_task(f.context, f.store->index(f.place, rows.at(0))));
  CHECK(index.envelope().subject == "hi");
  const auto text = message::find_section(index.tree, {}, message::SectionText::text);
  CHECK(must(run_task(f.context, f.store->read_body(f.place, rows[0].object, text->offset,
                                                    text->length))) == "body of the message\r\n");
  CHECK(must(run_task(f.context, f.store->usage(f.place, f.account))).messages == 1);
}

TEST_CASE("store_runs_every_change") {
  Fixture f;
  auto& store = *f.store;
  const auto run = [&](auto task) { return must(run_task(f.context, std::move(task))); };
  const auto inbox = run(store.find(f.place, f.account, "INBOX")).id;
  const auto work = run(store.create(f.place, f.account, "work", SpecialUse::none)).id;
  const auto placed = append_text(f, inbox, {kSeen, {}});
  CHECK(placed.uid == 1);
  CHECK(run(store.copy(f.place, inbox, {UidRange{}}, work, {})).target_uids.size() == 1);
  CHECK(run(store.store(f.place, inbox, {UidRange{}}, StoreMode::add, {kDeleted, {}}, {}))
            .changed.size() == 1);
  CHECK(run(store.expunge(f.place, inbox, {UidRange{}})).uids.size() == 1);
  CHECK(run(store.fetch_gone(f.place, inbox, {UidRange{}}, FetchDepth::state, 10)).size() == 1);
  CHECK(run(store.changes(f.place, inbox, placed.modseq)).vanished.size() == 1);
  CHECK(run(store.move(f.place, work, {UidRange{}}, inbox)).target_uids ==
        std::vector<std::uint32_t>{2});
  run(store.rename(f.place, f.account, "work", "play"));
  run(store.subscribe(f.place, f.account, "play"));
  CHECK(run(store.subscriptions(f.place, f.account)).back() == "play");
  run(store.unsubscribe(f.place, f.account, "play"));
  run(store.remove(f.place, f.account, "play"));
  CHECK(run(store.list(f.place, f.account)).size() == 6);
  CHECK(run_task(f.context, store.remove(f.place, f.account, "play")).error().code ==
        Errc::not_found);
  CHECK(run_task(f.context, store.subscribe(f.place, f.account, "")).error().code == Errc::invalid);
  CHECK(run(store.sweep(f.place, f.clock.now() + std::chrono::hours(1), 10)) == 0);
}
