#include "storage/store.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "storage/backup.hpp"
#include "storage/disk_watch.hpp"
#include "storage/outbox.hpp"
#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {
namespace fs = std::filesystem;

Store::Options store_options(const std::string& directory) {
  Store::Options options;
  options.directory = directory;
  options.disk_reserve = 1;
  options.control = {test_schema()};
  options.queue = {test_schema()};
  options.mail = {test_schema()};
  return options;
}
}  // namespace

TEST_CASE("store_makes_its_private_files") {
  TempDirectory directory;
  const auto path = directory / "data";
  auto store = must(Store::open(store_options(path)));
  CHECK(store->mail_shards() == 2);
  for (const auto* name : {"control.db", "queue.db", "mail-00.db", "mail-01.db", "lock"}) {
    INFO(name);
    REQUIRE(fs::exists(path + "/" + name));
    CHECK((fs::status(path + "/" + name).permissions() & fs::perms(077)) == fs::perms::none);
  }
  CHECK((fs::status(path).permissions() & fs::perms(077)) == fs::perms::none);
  CHECK(fs::is_directory(store->staging_directory()));
  must(write_counter(store->mail(1), "a"));
  CHECK(counter_names(store->mail(0)).empty());
  CHECK(counter_names(store->mail(1)).size() == 1);
  CHECK_FALSE(store->below_reserve());
}

TEST_CASE("store_opens_again_with_what_it_held") {
  TempDirectory directory;
  must(write_counter(must(Store::open(store_options(directory.path())))->queue(), "a"));
  auto store = must(Store::open(store_options(directory.path())));
  CHECK(counter_names(store->queue()) == std::vector<std::string>{"a"});
}

TEST_CASE("second_store_on_a_directory_is_refused") {
  TempDirectory directory;
  auto store = must(Store::open(store_options(directory.path())));
  const auto second = Store::open(store_options(directory.path()));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == Errc::exists);
  CHECK_THAT(second.error().message,
             Catch::Contains("in use") && Catch::Contains(std::to_string(::getpid())));
  store.reset();
  CHECK(Store::open(store_options(directory.path())));
}

TEST_CASE("store_with_another_number_of_shards_is_refused") {
  TempDirectory directory;
  must(Store::open(store_options(directory.path())));
  for (const std::size_t shards : {1U, 3U}) {
    auto options = store_options(directory.path());
    options.mail_shards = shards;
    const auto opened = Store::open(options);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::invalid);
    CHECK_THAT(opened.error().message, Catch::Contains("made with 2 mail shards"));
  }
  for (const std::size_t shards : {0U, 101U}) {
    auto options = store_options(directory / "other");
    options.mail_shards = shards;
    CHECK(Store::open(options).error().code == Errc::invalid);
  }
}

TEST_CASE("store_sweeps_orphans_of_staging") {
  TempDirectory directory;
  must(Store::open(store_options(directory.path())));
  std::fclose(std::fopen((directory / "staging/left.stage").c_str(), "w"));
  must(Store::open(store_options(directory.path())));
  CHECK(fs::is_empty(directory / "staging"));
}

TEST_CASE("store_below_its_reserve_stops_intake_only") {
  TempDirectory directory;
  auto options = store_options(directory.path());
  options.disk_reserve = UINT64_MAX;
  auto store = must(Store::open(options));
  CHECK(store->below_reserve());
  const auto put = [&](Database& database, Purpose purpose) {
    return database.write_blocking<void>(purpose,
                                         [](sql::Transaction& tx) { return put_counter(tx, "a"); });
  };
  for (auto* database : {&store->control(), &store->queue(), &store->mail(0), &store->mail(1)}) {
    CHECK(put(*database, Purpose::intake).error().code == Errc::overloaded);
    CHECK(put(*database, Purpose::outcome));
  }
}

TEST_CASE("disk_watch_follows_free_space") {
  std::atomic<std::uint64_t> free = 100;
  DiskWatch watch([&] { return std::optional<std::uint64_t>(free.load()); }, 50,
                  std::chrono::milliseconds(1));
  const auto below = watch.below();
  const auto wait_for = [&](bool expected) {
    for (int i = 0; i < 5000 && *below != expected; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return *below == expected;
  };
  CHECK_FALSE(*below);
  free = 49;
  CHECK(wait_for(true));
  free = 50;
  CHECK(wait_for(false));
}

TEST_CASE("disk_watch_keeps_its_answer_when_space_cannot_be_told") {
  DiskWatch watch([] { return std::optional<std::uint64_t>(); }, 50, std::chrono::milliseconds(1));
  CHECK_FALSE(*watch.below());
  CHECK(free_space_of("/")().value_or(0) > 0);
  CHECK_FALSE(free_space_of("/nowhere/at/all")());
}

TEST_CASE("store_backup_holds_every_file_of_one_moment") {
  TempDirectory directory;
  auto store = must(Store::open(store_options(directory / "data")));
  std::atomic<bool> stop = false;
  // Numbers go first into queue, then into mail: a backup may lack the last in mail, never in
  // queue.
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      must(write_counter(store->queue(), fmt::format("{:06}", i)));
      must(write_counter(store->mail(0), fmt::format("{:06}", i)));
    }
  });
  while (counter_names(store->mail(0)).size() < 20) std::this_thread::yield();
  for (int i = 0; i < 5; ++i) must(store->backup_to(directory / fmt::format("backup{}", i)));
  stop = true;
  writer.join();
  CHECK(store->backup_to(directory / "backup0").error().code == Errc::exists);
  for (int i = 0; i < 5; ++i) {
    const auto path = directory / fmt::format("backup{}", i);
    must(check_database(path + "/queue.db"));
    auto copy = must(Store::open(store_options(path)));
    const auto sent = counter_names(copy->queue()).size();
    const auto applied = counter_names(copy->mail(0)).size();
    CHECK(applied >= 20);
    CHECK(sent >= applied);
    CHECK(sent <= applied + 1);
  }
}

TEST_CASE("damaged_backup_does_not_check") {
  TempDirectory directory;
  auto database = open_database(directory / "x.db");
  for (int i = 0; i < 50; ++i)
    must(write_counter(*database, std::to_string(i) + std::string(2000, 'x')));
  must(database->backup_to(directory / "copy.db"));
  must(check_database(directory / "copy.db"));
  FILE* file = std::fopen((directory / "copy.db").c_str(), "r+");
  std::fseek(file, 6 * 8192, SEEK_SET);
  const std::string junk(5 * 8192, '\xff');
  std::fwrite(junk.data(), 1, junk.size(), file);
  std::fclose(file);
  CHECK(check_database(directory / "copy.db").error().code == Errc::corrupt);
}

TEST_CASE("read_only_store_opens_beside_a_server_and_without") {
  TempDirectory directory;
  auto options = store_options(directory.path());
  options.mail_shards = 3;
  auto store = must(Store::open(options));
  must(write_counter(store->queue(), "a"));
  const auto look = [&] {
    auto tool = must(Store::open_read_only(store_options(directory.path())));
    CHECK(tool->mail_shards() == 3);
    CHECK(counter_names(tool->queue()) == std::vector<std::string>{"a"});
    CHECK(write_counter(tool->queue(), "b").error().code == Errc::denied);
  };
  look();
  store.reset();
  look();
  CHECK_FALSE(Store::open_read_only(store_options(directory / "none")));
}

TEST_CASE("outbox_entry_appears_with_its_cause_only") {
  TempDirectory directory;
  auto store = must(Store::open(store_options(directory.path())));
  (void)store->mail(0).write_blocking<void>(Purpose::outcome,
                                            [](sql::Transaction& tx) -> Result<void> {
                                              outbox::append(tx, "bounce", "lost with its cause");
                                              return fail(Errc::denied, "no");
                                            });
  must(store->mail(0).write_blocking<void>(
      Purpose::outcome, [](sql::Transaction& tx) -> Result<void> {
        outbox::append(tx, "bounce", std::string("pay\0load", 8), from_micros(1000));
        return {};
      }));
  must(store->mail(0).write_blocking<void>(
      Purpose::outcome, [](sql::Transaction& tx) -> Result<void> {
        const auto due = outbox::claim_due(tx, "bounce", from_micros(1000), 10);
        REQUIRE(due.size() == 1);
        CHECK(due[0].payload == std::string("pay\0load", 8));
        return {};
      }));
}

TEST_CASE("outbox_claims_in_order_leases_and_completes") {
  TempDirectory directory;
  auto store = must(Store::open(store_options(directory.path())));
  must(store->queue().write_blocking<void>(
      Purpose::outcome, [](sql::Transaction& tx) -> Result<void> {
        const auto at = [](int seconds) { return Timestamp{std::chrono::seconds(seconds)}; };
        const auto second = outbox::append(tx, "t", "second", at(20));
        const auto first = outbox::append(tx, "t", "first", at(10));
        outbox::append(tx, "t", "later", at(1000));
        outbox::append(tx, "other", "another topic", at(1));
        CHECK(outbox::claim_due(tx, "t", at(9), 10).empty());
        CHECK(outbox::next_due(tx, "t") == at(10));
        CHECK_FALSE(outbox::next_due(tx, "none"));
        auto due = outbox::claim_due(tx, "t", at(30), 1);
        REQUIRE(due.size() == 1);
        CHECK(due[0].place.id == first.id);
        CHECK(due[0].attempts == 1);
        CHECK(due[0].created_at == at(10));
        due = outbox::claim_due(tx, "t", at(30), 10);
        REQUIRE(due.size() == 1);
        CHECK(due[0].place.id == second.id);
        CHECK(outbox::claim_due(tx, "t", at(30), 10).empty());  // both are leased
        CHECK_FALSE(outbox::complete(tx, first));               // it lies elsewhere since
        CHECK(outbox::complete(tx, {"t", at(30) + outbox::kLease, first.id}));
        due = outbox::claim_due(tx, "t", at(30) + outbox::kLease,
                                10);  // the lease of the other ran out
        REQUIRE(due.size() == 1);
        CHECK(due[0].place.id == second.id);
        CHECK(due[0].attempts == 2);
        CHECK_FALSE(outbox::postpone(tx, second, at(4000)));
        const auto later = outbox::postpone(tx, due[0].place, at(5000));
        REQUIRE(later);
        CHECK(later->next_at == at(5000));
        CHECK(outbox::claim_due(tx, "t", at(999), 10).empty());
        CHECK(outbox::claim_due(tx, "t", at(5000), 10).size() == 2);
        return {};
      }));
}

TEST_CASE("outbox_entries_due_are_given_again_until_completed_or_postponed") {
  TempDirectory directory;
  auto store = must(Store::open(store_options(directory.path())));
  must(store->queue().write_blocking<void>(
      Purpose::outcome, [](sql::Transaction& tx) -> Result<void> {
        const auto at = [](int seconds) { return Timestamp{std::chrono::seconds(seconds)}; };
        const auto second = outbox::append(tx, "t", "second", at(20));
        const auto first = outbox::append(tx, "t", "first", at(10));
        CHECK(outbox::due(tx, "t", at(9), 10).empty());
        for (int i = 0; i < 2; ++i) {
          const auto due = outbox::due(tx, "t", at(30), 10);
          REQUIRE(due.size() == 2);
          CHECK(due[0].place.id == first.id);
          CHECK(due[0].attempts == 0);
          CHECK(due[1].place.id == second.id);
        }
        CHECK(outbox::due(tx, "t", at(30), 1).size() == 1);
        CHECK(outbox::complete(tx, first));
        CHECK(outbox::postpone(tx, second, at(40)));
        CHECK(outbox::due(tx, "t", at(39), 10).empty());
        CHECK(outbox::due(tx, "t", at(40), 10).size() == 1);
        return {};
      }));
}

}  // namespace postern::storage::test
