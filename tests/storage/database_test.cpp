#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <latch>
#include <mutex>
#include <thread>

#include "core/metrics.hpp"
#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {

/// Holds the writer inside a closure, so that what is submitted meanwhile joins the same batch.
class WriterHold {
 public:
  explicit WriterHold(Database& database)
      : thread_([this, &database] {
          held_ = database.write_blocking<void>(
              Purpose::outcome, [this](sql::Transaction&) -> Result<void> {
                // It may run again, when the batch starts anew.
                std::call_once(once_, [this] { inside_.set_value(); });
                released_.wait();
                return {};
              });
        }) {
    inside_.get_future().wait();
  }
  ~WriterHold() { release(); }
  WriterHold(const WriterHold&) = delete;
  WriterHold& operator=(const WriterHold&) = delete;
  void release() {
    if (!thread_.joinable()) return;
    release_.set_value();
    thread_.join();
    CHECK(held_);
  }

 private:
  std::once_flag once_;
  std::promise<void> inside_;
  std::promise<void> release_;
  std::shared_future<void> released_ = release_.get_future().share();
  Result<void> held_;
  std::thread thread_;
};

void wait_queued(const Database& database, std::size_t count) {
  for (int i = 0; i < 5000 && database.queued_writes() < count; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  REQUIRE(database.queued_writes() == count);
}

using Closure = Database::Closure<void>;

/// Runs the closures in one batch, in this order; what each was told.
std::vector<Result<void>> write_together(Database& database, const std::vector<Closure>& closures) {
  std::vector<Result<void>> told(closures.size());
  std::vector<std::thread> threads;
  WriterHold hold(database);
  for (std::size_t i = 0; i < closures.size(); ++i) {
    threads.emplace_back(
        [&, i] { told[i] = database.write_blocking<void>(Purpose::outcome, closures[i]); });
    wait_queued(database, i + 1);
  }
  hold.release();
  for (auto& thread : threads) thread.join();
  return told;
}

Closure putting(const std::string& name) {
  return [name](sql::Transaction& tx) { return put_counter(tx, name); };
}

struct Fixture {
  TempDirectory directory;
  std::unique_ptr<Database> database = open_database(directory / "x.db");
};

}  // namespace

TEST_CASE("write_then_read_sees_the_row") {
  Fixture f;
  must(write_counter(*f.database, "a", 7));
  const auto value =
      f.database->read_blocking<std::int64_t>([](sql::Transaction& tx) -> Result<std::int64_t> {
        auto row = tx.prepare("SELECT value FROM counters WHERE name = :name");
        row.bind_text(":name", "a");
        if (!row.step()) return fail(Errc::not_found, "none");
        return row.integer(0);
      });
  CHECK(must(value) == 7);
}

TEST_CASE("failing_closure_is_rolled_back_alone") {
  Fixture f;
  const auto told = write_together(
      *f.database, {putting("a"),
                    [](sql::Transaction& tx) -> Result<void> {
                      (void)put_counter(tx, "b");
                      return fail(Errc::denied, "changed its mind");
                    },
                    putting("a"),
                    [](sql::Transaction& tx) -> Result<void> {
                      (void)put_counter(tx, "c");
                      throw std::runtime_error("a bug");
                    },
                    [](sql::Transaction& tx) -> Result<void> {
                      (void)put_counter(tx, "d");
                      tx.prepare("SELECT id FROM notes");  // refused: a tenant's table
                      return {};
                    },
                    [](sql::Transaction& tx) -> Result<void> {
                      (void)put_counter(tx, "e");
                      tx.prepare("SELECT nonsense FROM counters");
                      return {};
                    },
                    putting("f")});
  CHECK(told[0]);
  CHECK(told[1].error().code == Errc::denied);
  CHECK(told[2].error().code == Errc::exists);
  CHECK(told[3].error().code == Errc::corrupt);
  CHECK(told[4].error().code == Errc::corrupt);
  CHECK(told[5].error().code == Errc::corrupt);
  CHECK(told[6]);
  CHECK(counter_names(*f.database) == std::vector<std::string>{"a", "f"});
}

TEST_CASE("batch_starts_anew_without_the_closure_that_failed_late") {
  Fixture f;
  int before = 0;
  int after = 0;
  const auto counting = [](const std::string& name, int& runs) -> Closure {
    return [name, &runs](sql::Transaction& tx) -> Result<void> {
      ++runs;
      return put_counter(tx, name);
    };
  };
  const auto told = write_together(*f.database, {counting("a", before),
                                                 [](sql::Transaction& tx) -> Result<void> {
                                                   (void)put_counter(tx, "b");
                                                   return fail(Errc::denied, "changed its mind");
                                                 },
                                                 counting("c", after), putting("a")});
  CHECK(told[0]);
  CHECK(told[1].error().code == Errc::denied);
  CHECK(told[2]);
  CHECK(told[3].error().code == Errc::exists);
  CHECK(before == 2);
  CHECK(after == 1);
  CHECK(counter_names(*f.database) == std::vector<std::string>{"a", "c"});
}

TEST_CASE("closure_that_fails_before_it_changes_anything_costs_the_others_nothing") {
  Fixture f;
  int runs = 0;
  const auto told = write_together(*f.database, {[&runs](sql::Transaction& tx) -> Result<void> {
                                                   ++runs;
                                                   return put_counter(tx, "a");
                                                 },
                                                 [](sql::Transaction&) -> Result<void> {
                                                   return fail(Errc::denied, "not allowed");
                                                 },
                                                 putting("a"), putting("b")});
  CHECK(told[0]);
  CHECK(told[1].error().code == Errc::denied);
  CHECK(told[2].error().code == Errc::exists);
  CHECK(told[3]);
  CHECK(runs == 1);
  CHECK(counter_names(*f.database) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("closure_that_fails_when_it_is_run_again_is_told_so") {
  Fixture f;
  int runs = 0;
  const auto told = write_together(*f.database, {putting("a"),
                                                 [&runs](sql::Transaction& tx) -> Result<void> {
                                                   (void)put_counter(tx, "b");
                                                   if (++runs == 1) return {};
                                                   return fail(Errc::temporary, "not twice");
                                                 },
                                                 [](sql::Transaction& tx) -> Result<void> {
                                                   (void)put_counter(tx, "c");
                                                   return fail(Errc::denied, "changed its mind");
                                                 },
                                                 putting("b")});
  CHECK(told[0]);
  CHECK(told[1].error().code == Errc::temporary);
  CHECK(told[2].error().code == Errc::denied);
  CHECK(told[3]);  // nothing is left of the "b" before
  CHECK(counter_names(*f.database) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("closure_that_answers_a_unique_violation_goes_on") {
  Fixture f;
  must(write_counter(*f.database, "a"));
  must(f.database->write_blocking<void>(Purpose::outcome, [](sql::Transaction& tx) -> Result<void> {
    try {
      (void)put_counter(tx, "a");
    } catch (const sql::UniqueViolation&) {
      return put_counter(tx, "a again");
    }
    return {};
  }));
  CHECK(counter_names(*f.database) == std::vector<std::string>{"a", "a again"});
}

TEST_CASE("waiting_writes_form_one_batch") {
  Fixture f;
  const auto before = metrics::render();
  std::vector<Closure> closures;
  for (int i = 0; i < 20; ++i) closures.push_back(putting(std::to_string(i)));
  for (const auto& told : write_together(*f.database, closures)) CHECK(told);
  CHECK(counter_names(*f.database).size() == 20);
  CHECK_THAT(metrics::render(), Catch::Contains("postern_sql_batch_closures_bucket"));
}

TEST_CASE("full_queue_answers_overloaded") {
  TempDirectory directory;
  auto options = options_for(directory / "x.db");
  options.queue_limit = 3;
  auto database = must(Database::open(options));
  std::vector<std::thread> threads;
  std::vector<Result<void>> told(3);
  WriterHold hold(*database);
  for (std::size_t i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] { told[i] = write_counter(*database, std::to_string(i)); });
  }
  wait_queued(*database, 3);
  CHECK(write_counter(*database, "one too many").error().code == Errc::overloaded);
  hold.release();
  for (auto& thread : threads) thread.join();
  for (const auto& one : told) CHECK(one);
  CHECK(write_counter(*database, "after"));
}

TEST_CASE("urgent_write_overtakes_waiting_bulk") {
  Fixture f;
  asio::io_context context(1);
  std::vector<std::string> order;  // written by the writer's thread, read after run()
  WriterHold hold(*f.database);
  const auto spawn = [&](Lane lane, const std::string& name) {
    asio::co_spawn(context,
                   f.database->write<void>(lane, Purpose::intake,
                                           [&order, name](sql::Transaction& tx) {
                                             order.push_back(name);
                                             return put_counter(tx, name);
                                           }),
                   [](std::exception_ptr, Result<void> told) { CHECK(told); });
  };
  for (int i = 0; i < 5; ++i) spawn(Lane::bulk, fmt::format("bulk{}", i));
  spawn(Lane::auth, "auth");
  context.poll();
  hold.release();
  context.run();
  REQUIRE(order.size() == 6);
  CHECK(order[0] == "auth");
  CHECK(order[1] == "bulk0");
}

TEST_CASE("coroutine_resumes_on_its_own_thread_after_the_commit") {
  Fixture f;
  asio::io_context context(1);
  const auto home = std::this_thread::get_id();
  int finished = 0;
  for (int i = 0; i < 50; ++i) {
    asio::co_spawn(context,
                   f.database->write<int>(Lane::transactional, Purpose::intake,
                                          [i](sql::Transaction& tx) -> Result<int> {
                                            (void)put_counter(tx, std::to_string(i));
                                            return i;
                                          }),
                   [&, i](std::exception_ptr, Result<int> told) {
                     CHECK(std::this_thread::get_id() == home);
                     CHECK(must(told) == i);
                     ++finished;
                     // Durable and visible to everyone by now, not only promised.
                     const auto names = counter_names(*f.database);
                     CHECK(std::ranges::find(names, std::to_string(i)) != names.end());
                   });
  }
  context.run();
  CHECK(finished == 50);
}

TEST_CASE("readers_keep_their_snapshot_and_cannot_write") {
  Fixture f;
  must(write_counter(*f.database, "a"));
  auto seen = f.database->read_blocking<std::vector<std::int64_t>>(
      [&](sql::Transaction& tx) -> Result<std::vector<std::int64_t>> {
        std::vector<std::int64_t> counts;
        for (int i = 0; i < 2; ++i) {
          auto row = tx.prepare("SELECT count(*) FROM counters");
          row.step();
          counts.push_back(row.integer(0));
          if (i == 0) must(write_counter(*f.database, "b"));
        }
        return counts;
      });
  CHECK(must(seen) == std::vector<std::int64_t>{1, 1});
  const auto written =
      f.database->read_blocking<void>([](sql::Transaction& tx) { return put_counter(tx, "c"); });
  CHECK(written.error().code == Errc::denied);
  CHECK(counter_names(*f.database).size() == 2);
}

TEST_CASE("destructor_finishes_what_is_queued") {
  TempDirectory directory;
  auto database = open_database(directory / "x.db");
  std::vector<std::thread> threads;
  std::vector<Result<void>> told(10);
  auto hold = std::make_unique<WriterHold>(*database);
  for (std::size_t i = 0; i < told.size(); ++i) {
    threads.emplace_back(
        [&, i, door = database.get()] { told[i] = write_counter(*door, std::to_string(i)); });
  }
  wait_queued(*database, told.size());
  hold->release();
  database.reset();
  for (auto& thread : threads) thread.join();
  for (const auto& one : told) CHECK(one);
  CHECK(counter_names(*open_database(directory / "x.db")).size() == 10);
}

TEST_CASE("below_the_reserve_only_intake_is_refused") {
  TempDirectory directory;
  auto closed = std::make_shared<std::atomic<bool>>(false);
  auto options = options_for(directory / "x.db");
  options.intake_closed = closed;
  auto database = must(Database::open(options));
  const auto put = [&](Purpose purpose, const std::string& name) {
    return database->write_blocking<void>(
        purpose, [name](sql::Transaction& tx) { return put_counter(tx, name); });
  };
  CHECK(put(Purpose::intake, "a"));
  *closed = true;
  CHECK(put(Purpose::intake, "b").error().code == Errc::overloaded);
  CHECK(put(Purpose::outcome, "c"));
  *closed = false;
  CHECK(put(Purpose::intake, "d"));
}

TEST_CASE("many_writers_and_readers_at_once_lose_nothing") {
  Fixture f;
  constexpr int kThreads = 8;
  constexpr int kEach = 100;
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        if (write_counter(*f.database, fmt::format("{}-{}", t, i))) ++good;
        if (i % 10 == 0) (void)counter_names(*f.database);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(good == kThreads * kEach);
  CHECK(counter_names(*f.database).size() == kThreads * kEach);
}

TEST_CASE("log_stays_small_while_much_is_written") {
  Fixture f;
  const std::string big(200'000, 'x');
  for (int i = 0; i < 600; ++i)
    must(write_counter(*f.database, std::to_string(i) + big));  // 120 MB
  FILE* wal = std::fopen((f.directory / "x.db-wal").c_str(), "r");
  REQUIRE(wal != nullptr);
  std::fseek(wal, 0, SEEK_END);
  CHECK(std::ftell(wal) < 70'000'000);
  std::fclose(wal);
}

TEST_CASE("backup_is_consistent_while_writes_go_on") {
  Fixture f;
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) {
      // Two rows or none: a torn copy would show an odd number.
      must(f.database->write_blocking<void>(Purpose::outcome,
                                            [i](sql::Transaction& tx) -> Result<void> {
                                              (void)put_counter(tx, fmt::format("{}a", i));
                                              return put_counter(tx, fmt::format("{}b", i));
                                            }));
    }
  });
  for (int i = 0; i < 5; ++i) {
    const auto path = f.directory / fmt::format("copy{}.db", i);
    must(f.database->backup_to(path));
    CHECK(counter_names(*open_database(path)).size() % 2 == 0);
  }
  stop = true;
  writer.join();
}

}  // namespace postern::storage::test
