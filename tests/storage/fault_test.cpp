// What waiters are told is what is on disk, wherever a batch fails.
#include <filesystem>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "tests/storage/fault_vfs.hpp"
#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {

namespace fs = std::filesystem;
constexpr int kWriters = 6;
constexpr int kStepLimit = 400;

std::string name_of(int round, int writer) { return fmt::format("{}-{}", round, writer); }

Database::Options fault_options(const std::string& path) {
  register_fault_vfs();
  auto options = options_for(path);
  options.vfs = kFaultVfs;
  return options;
}

/// Whether one of a batch's closures fails on its own, late: then the batch starts anew, and goes
/// on in savepoints.
enum class Company : std::uint8_t { all_succeed, one_fails };

/// One batch: each writer inserts a row with some bulk; the third may also fail on its own. Who was
/// told ok?
std::set<std::string> write_batch(Database& database, int round, Errc expected,
                                  Company company = Company::one_fails) {
  std::promise<void> inside;
  std::once_flag once;
  std::promise<void> go;
  auto gate = go.get_future().share();
  std::thread holder([&] {
    (void)database.write_blocking<void>(Purpose::outcome,
                                        [&inside, &once, gate](sql::Transaction&) -> Result<void> {
                                          std::call_once(once, [&] { inside.set_value(); });
                                          gate.wait();
                                          return {};
                                        });
  });
  inside.get_future().wait();
  std::vector<Result<void>> told(kWriters);
  std::vector<std::thread> writers;
  for (int i = 0; i < kWriters; ++i) {
    writers.emplace_back([&, i] {
      told[static_cast<std::size_t>(i)] = database.write_blocking<void>(
          Purpose::outcome, [round, i, company](sql::Transaction& tx) -> Result<void> {
            (void)put_counter(tx, name_of(round, i));
            (void)put_counter(tx, name_of(round, i) + std::string(30'000, 'x'));
            if (i == 2 && company == Company::one_fails) {
              return fail(Errc::denied, "its own failure");
            }
            return {};
          });
    });
  }
  while (database.queued_writes() < kWriters) std::this_thread::yield();
  go.set_value();
  holder.join();
  for (auto& writer : writers) writer.join();
  std::set<std::string> good;
  for (int i = 0; i < kWriters; ++i) {
    const auto& one = told[static_cast<std::size_t>(i)];
    if (one) good.insert(name_of(round, i));
    const bool own = i == 2 && company == Company::one_fails;
    if (!one && !own) CHECK(one.error().code == expected);
  }
  return good;
}

std::set<std::string> rows_of(Database& database) {
  std::set<std::string> rows;
  for (const auto& name : counter_names(database)) {
    if (name.size() < 100)
      rows.insert(name);
    else
      CHECK(
          rows.contains(name.substr(0, name.size() - 30'000)));  // both rows of a closure, or none
  }
  return rows;
}

void fail_at_each_step(Fault fault, Duration duration) {
  const auto company = GENERATE(Company::all_succeed, Company::one_fails);
  TempDirectory directory;
  const auto path = directory / "x.db";
  std::set<std::string> expected;
  // A full disk is told from a broken one: the first is an answer like any other bound's.
  const auto answer = fault == Fault::full ? Errc::overloaded : Errc::temporary;
  bool hit = true;
  int step = 1;
  for (; hit && step < kStepLimit; ++step) {
    INFO("step " << step);
    auto database = must(Database::open(fault_options(path)));
    inject_fault(step, fault, duration);
    auto good = write_batch(*database, step, answer, company);
    const bool struck = clear_fault();
    // The same database goes on once the disk is well.
    good.merge(write_batch(*database, step + kStepLimit, answer, company));
    CHECK(good.size() >= kWriters - 1);
    expected.merge(good);
    database.reset();
    database = must(Database::open(options_for(path)));
    CHECK(rows_of(*database) == expected);
    hit = struck;
    if (expected.size() > 60) {
      must(database->write_blocking<void>(Purpose::outcome,
                                          [](sql::Transaction& tx) -> Result<void> {
                                            tx.prepare("DELETE FROM counters").run();
                                            return {};
                                          }));
      expected.clear();
    }
  }
  CHECK(step > 20);  // faults were met in writes and in syncs
  CHECK(step < kStepLimit);
}

}  // namespace

TEST_CASE("disk_full_at_each_step_answers_truly") {
  fail_at_each_step(Fault::full, Duration::once);
}
TEST_CASE("lasting_disk_full_at_each_step_answers_truly") {
  fail_at_each_step(Fault::full, Duration::lasting);
}
TEST_CASE("io_error_at_each_step_answers_truly") {
  fail_at_each_step(Fault::io_error, Duration::once);
}
TEST_CASE("lasting_io_error_at_each_step_answers_truly") {
  fail_at_each_step(Fault::io_error, Duration::lasting);
}
TEST_CASE("no_memory_at_each_step_answers_truly") {
  fail_at_each_step(Fault::no_memory, Duration::once);
}

TEST_CASE("what_was_told_ok_survives_a_machine_that_stops") {
  TempDirectory directory;
  std::set<std::string> expected;
  auto database = must(Database::open(fault_options(directory / "x.db")));
  for (int round = 0; round < 5; ++round)
    expected.merge(write_batch(*database, round, Errc::temporary));
  stop_the_disk();  // not even the last checkpoint reaches the files
  database.reset();
  clear_fault();
  CHECK(rows_of(*open_database(directory / "x.db")) == expected);
}

TEST_CASE("fault_swallowed_by_a_closure_still_fails_the_batch") {
  TempDirectory directory;
  auto database = must(Database::open(fault_options(directory / "x.db")));
  // Enough pages to spill the cache into the log inside the closure, where the fault waits.
  const auto told =
      database->write_blocking<void>(Purpose::outcome, [](sql::Transaction& tx) -> Result<void> {
        inject_fault(1, Fault::full, Duration::once);
        for (int i = 0; i < 200; ++i) {
          try {
            (void)put_counter(tx, std::to_string(i) + std::string(200'000, 'x'));
          } catch (const sql::EngineError&) {
            // A closure should let it pass; this one goes on as if nothing had happened.
          }
        }
        return {};
      });
  CHECK(clear_fault());
  REQUIRE_FALSE(told);
  CHECK(told.error().code == Errc::overloaded);
  CHECK(counter_names(*database).empty());
  CHECK(write_counter(*database, "after"));
}

}  // namespace postern::storage::test
