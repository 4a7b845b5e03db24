#include "storage/monthly_files.hpp"

#include <filesystem>
#include <fstream>
#include <thread>

#include "storage/store.hpp"
#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {

namespace fs = std::filesystem;
using std::chrono::January;
using std::chrono::year;
using Months = std::vector<Month>;

constexpr Month kJanuary = year{2026} / January;

MonthlyFiles::Options monthly(const std::string& directory) {
  MonthlyFiles::Options options;
  options.stem = "events";
  options.file = options_for(directory);
  options.most_open = 2;
  return options;
}

void put(MonthlyFiles& files, Month month, const std::string& name) {
  must(write_counter(*must(files.open(month)), name));
}

std::vector<std::string> names(MonthlyFiles& files, Month month) {
  return counter_names(*must(files.find(month)));
}

}  // namespace

TEST_CASE("month_of_a_moment_is_taken_in_utc") {
  const Timestamp february{std::chrono::sys_days{year{2026} / 2 / 1}};
  CHECK(month_of(february - Micros{1}) == kJanuary);
  CHECK(month_of(february) == year{2026} / 2);
  CHECK(month_of(Timestamp{}) == year{1970} / 1);
}

TEST_CASE("month_without_a_file_is_made_by_open_and_not_by_find") {
  TempDirectory directory;
  MonthlyFiles files(monthly(directory.path()));
  CHECK(files.months().empty());
  CHECK(files.find(kJanuary).error().code == Errc::not_found);
  put(files, kJanuary, "a");
  put(files, kJanuary + std::chrono::months{11}, "b");
  CHECK(fs::exists(directory / "events-202601.db"));
  CHECK(fs::exists(directory / "events-202612.db"));
  CHECK(files.months() == Months{kJanuary, year{2026} / 12});
  CHECK(names(files, kJanuary) == std::vector<std::string>{"a"});
}

TEST_CASE("months_are_files_of_that_very_name") {
  TempDirectory directory;
  for (const auto* name :
       {"events-202601.db", "events-202513.db", "events-202500.db", "events-2026010.db",
        "events-20260a.db", "events-202602.db-wal", "others-202602.db", "events-202602", "a.db"}) {
    std::ofstream(directory / name).flush();
  }
  CHECK(MonthlyFiles(monthly(directory.path())).months() == Months{kJanuary});
  CHECK(MonthlyFiles(monthly(directory / "nowhere")).months().empty());
}

TEST_CASE("few_months_stay_open_and_all_can_be_read") {
  TempDirectory directory;
  MonthlyFiles files(monthly(directory.path()));
  std::vector<std::weak_ptr<Database>> handles;
  for (int i = 0; i < 6; ++i) {
    const auto month = kJanuary + std::chrono::months{i};
    put(files, month, std::to_string(i));
    handles.push_back(must(files.find(month)));
  }
  const auto closed = [](const auto& handle) { return handle.expired(); };
  CHECK(std::ranges::count_if(handles, closed) == 4);
  CHECK_FALSE(handles.back().expired());
  for (int i = 0; i < 6; ++i) {
    CHECK(names(files, kJanuary + std::chrono::months{i}) ==
          std::vector<std::string>{std::to_string(i)});
  }
}

TEST_CASE("month_in_use_is_not_closed_for_others") {
  TempDirectory directory;
  MonthlyFiles files(monthly(directory.path()));
  const auto held = must(files.open(kJanuary));
  for (int i = 1; i < 6; ++i) put(files, kJanuary + std::chrono::months{i}, "x");
  CHECK(must(files.find(kJanuary)) == held);
  must(write_counter(*held, "still"));
}

TEST_CASE("months_before_the_oldest_to_keep_are_dropped_with_all_their_files") {
  TempDirectory directory;
  MonthlyFiles files(monthly(directory.path()));
  for (int i = 0; i < 4; ++i) put(files, kJanuary + std::chrono::months{i}, "x");
  std::ofstream(directory / "events-202602.db-wal") << "left by a crash";
  CHECK(must(files.drop_before(year{2026} / 3)) == Months{kJanuary, year{2026} / 2});
  CHECK(files.months() == Months{year{2026} / 3, year{2026} / 4});
  for (const auto& entry : fs::directory_iterator(directory.path())) {
    const auto name = entry.path().filename().string();
    CHECK_FALSE((name.starts_with("events-202601") || name.starts_with("events-202602")));
  }
  CHECK(must(files.drop_before(year{2026} / 3)).empty());
  put(files, kJanuary, "anew");
  CHECK(names(files, kJanuary) == std::vector<std::string>{"anew"});
}

TEST_CASE("month_in_use_is_dropped_once_it_is_let_go") {
  TempDirectory directory;
  MonthlyFiles files(monthly(directory.path()));
  auto held = must(files.open(kJanuary));
  CHECK(must(files.drop_before(year{2026} / 3)).empty());
  must(write_counter(*held, "still"));
  held.reset();
  CHECK(must(files.drop_before(year{2026} / 3)) == Months{kJanuary});
}

TEST_CASE("several_threads_share_one_database_a_month") {
  TempDirectory directory;
  MonthlyFiles files(monthly(directory.path()));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&files, t] {
      for (int i = 0; i < 12; ++i) {
        const auto file = files.open(kJanuary + std::chrono::months{(i + t) % 4});
        if (file) (void)write_counter(**file, std::to_string(t * 100 + i));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::size_t count = 0;
  for (int i = 0; i < 4; ++i) count += names(files, kJanuary + std::chrono::months{i}).size();
  CHECK(count == 48);
}

TEST_CASE("read_only_months_are_neither_made_nor_written_nor_dropped") {
  TempDirectory directory;
  put(*std::make_unique<MonthlyFiles>(monthly(directory.path())), kJanuary, "a");
  auto options = monthly(directory.path());
  options.mode = MonthlyFiles::Mode::read_only;
  MonthlyFiles files(options);
  CHECK(names(files, kJanuary) == std::vector<std::string>{"a"});
  CHECK(files.open(year{2026} / 2).error().code == Errc::not_found);
  CHECK(write_counter(*must(files.open(kJanuary)), "b").error().code == Errc::denied);
  CHECK(files.drop_before(year{2027} / 1).error().code == Errc::denied);
}

TEST_CASE("damaged_month_is_an_error_and_others_open") {
  TempDirectory directory;
  std::ofstream(directory / "events-202601.db") << std::string(8192, 'x');
  MonthlyFiles files(monthly(directory.path()));
  CHECK_FALSE(files.open(kJanuary));
  put(files, year{2026} / 2, "fine");
}

TEST_CASE("store_backup_holds_every_month") {
  TempDirectory directory;
  Store::Options options;
  options.disk_reserve = 1;
  options.events = {test_schema()};
  options.directory = directory / "data";
  const Months wanted{kJanuary, year{2026} / 2, year{2026} / 3, year{2026} / 4, year{2026} / 5};
  auto store = must(Store::open(options));
  for (const auto month : wanted) put(store->events(), month, "kept");
  must(store->backup_to(directory / "backup"));
  put(store->events(), kJanuary, "later");
  options.directory = directory / "backup";
  auto copy = must(Store::open(options));
  CHECK(copy->events().months() == wanted);
  for (const auto month : wanted) {
    CHECK(names(copy->events(), month) == std::vector<std::string>{"kept"});
  }
  copy.reset();
  auto tool = must(Store::open_read_only(options));
  CHECK(names(tool->events(), kJanuary) == std::vector<std::string>{"kept"});
}

}  // namespace postern::storage::test
