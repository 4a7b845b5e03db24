#include <filesystem>

#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view kTables[] = {"counters"};
constexpr std::string_view kTwoTables[] = {"counters", "gauges"};
constexpr sql::Migration kOne[] = {
    {1, "counters",
     "CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)"}};
constexpr sql::Migration kTwo[] = {kOne[0],
                                   {2, "gauges",
                                    "CREATE TABLE gauges (name TEXT NOT NULL PRIMARY KEY); INSERT "
                                    "INTO gauges (name) SELECT name FROM counters"}};
constexpr sql::Migration kBroken[] = {
    kOne[0], {2, "gauges", "CREATE TABLE gauges (name TEXT); INSERT INTO nowhere VALUES (1)"}};
constexpr sql::Migration kDangling[] = {kOne[0],
                                        {2, "gauges",
                                         "CREATE TABLE gauges (name TEXT REFERENCES counters "
                                         "(name)); INSERT INTO gauges VALUES ('none')"}};
constexpr sql::Migration kRenamed[] = {{1, "something else", kOne[0].text}};
constexpr sql::Migration kGap[] = {kOne[0], {3, "gauges", kTwo[1].text}};

struct Fixture {
  TempDirectory directory;

  Result<std::unique_ptr<Database>> open(std::span<const sql::Migration> migrations,
                                         std::string_view component = "test") {
    const auto tables =
        migrations.size() == 1 ? std::span(kTables) : std::span<const std::string_view>(kTwoTables);
    return Database::open(options(migrations, tables, component));
  }
  Database::Options options(std::span<const sql::Migration> migrations,
                            std::span<const std::string_view> tables,
                            std::string_view component = "test") {
    Database::Options chosen;
    chosen.path = directory / "x.db";
    chosen.backup_directory = directory / "backups";
    chosen.schemas = {{component, migrations, {}, tables}};
    return chosen;
  }
  [[nodiscard]] std::vector<std::string> backups() const {
    std::vector<std::string> found;
    if (!fs::exists(directory / "backups")) return found;
    for (const auto& entry : fs::directory_iterator(directory / "backups"))
      found.push_back(entry.path().string());
    return found;
  }
};

}  // namespace

TEST_CASE("fresh_file_is_migrated_without_backup") {
  Fixture f;
  auto database = must(f.open(kTwo));
  must(write_counter(*database, "a"));
  CHECK(counter_names(*database) == std::vector<std::string>{"a"});
  CHECK(f.backups().empty());
}

TEST_CASE("existing_file_is_backed_up_then_migrated") {
  Fixture f;
  must(write_counter(*must(f.open(kOne)), "a"));
  CHECK(f.backups().empty());
  auto database = must(f.open(kTwo));
  const auto moved =
      database->read_blocking<std::string>([](sql::Transaction& tx) -> Result<std::string> {
        auto row = tx.prepare("SELECT name FROM gauges");
        return row.step() ? std::string(row.text(0)) : "";
      });
  CHECK(must(moved) == "a");
  const auto backups = f.backups();
  REQUIRE(backups.size() == 1);
  CHECK_THAT(backups[0], Catch::Contains("x-2") && Catch::EndsWith("Z-before-migration.db"));
  CHECK((fs::status(backups[0]).permissions() & fs::perms(077)) == fs::perms::none);
  auto old = f.options(kOne, kTables);
  old.path = backups[0];
  CHECK(counter_names(*must(Database::open(old))) == std::vector<std::string>{"a"});
}

TEST_CASE("current_file_is_not_backed_up") {
  Fixture f;
  must(f.open(kTwo));
  must(f.open(kTwo));
  CHECK(f.backups().empty());
}

TEST_CASE("failed_migration_leaves_the_file_as_it_was") {
  Fixture f;
  must(write_counter(*must(f.open(kOne)), "a"));
  for (const auto broken : {std::span(kBroken), std::span(kDangling)}) {
    const auto opened = f.open(broken);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == Errc::corrupt);
    CHECK_THAT(opened.error().message, Catch::Contains("migration test 2 \"gauges\" failed"));
  }
  CHECK(counter_names(*must(f.open(kOne))) == std::vector<std::string>{"a"});
  CHECK(must(f.open(kTwo)) != nullptr);
}

TEST_CASE("file_newer_than_the_program_is_refused") {
  Fixture f;
  must(f.open(kTwo));
  const auto opened = f.open(kOne);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == Errc::unsupported);
  CHECK_THAT(opened.error().message, Catch::Contains("newer version"));
  CHECK(f.backups().empty());
}

TEST_CASE("file_with_unknown_component_is_refused") {
  Fixture f;
  must(f.open(kOne));
  CHECK(f.open(kOne, "another").error().code == Errc::unsupported);
}

TEST_CASE("migration_with_another_history_is_refused") {
  Fixture f;
  must(f.open(kOne));
  CHECK(f.open(kRenamed).error().code == Errc::unsupported);
}

TEST_CASE("migrations_with_a_gap_are_refused") {
  Fixture f;
  CHECK(f.open(kGap).error().code == Errc::invalid);
}

TEST_CASE("database_of_another_program_is_refused") {
  Fixture f;
  {
    auto connection = must(sql::Connection::open({.path = f.directory / "x.db",
                                                  .access = sql::Connection::Access::owner,
                                                  .catalog = {},
                                                  .vfs = {}}));
    connection->execute("CREATE TABLE counters (name TEXT, value INTEGER)");
  }
  CHECK(f.open(kOne).error().code == Errc::corrupt);
}

TEST_CASE("file_that_is_no_database_is_refused") {
  Fixture f;
  {
    FILE* file = std::fopen((f.directory / "x.db").c_str(), "w");
    const std::string junk(20'000, 'j');
    std::fwrite(junk.data(), 1, junk.size(), file);
    std::fclose(file);
  }
  CHECK_FALSE(f.open(kOne));
}

TEST_CASE("read_only_opening_reads_and_changes_nothing") {
  Fixture f;
  {
    auto database = must(f.open(kOne));
    must(write_counter(*database, "a"));
    auto beside = must(Database::open_read_only(f.options(kOne, kTables)));  // while a server runs
    CHECK(counter_names(*beside) == std::vector<std::string>{"a"});
  }
  auto alone = must(Database::open_read_only(f.options(kOne, kTables)));
  CHECK(counter_names(*alone) == std::vector<std::string>{"a"});
  CHECK(write_counter(*alone, "b").error().code == Errc::denied);
  const auto older = Database::open_read_only(f.options(kTwo, kTwoTables));
  REQUIRE_FALSE(older);
  CHECK(older.error().code == Errc::unsupported);
  CHECK_FALSE(Database::open_read_only([&] {
    auto none = f.options(kOne, kTables);
    none.path = f.directory / "none.db";
    return none;
  }()));
  CHECK_FALSE(fs::exists(f.directory / "none.db"));
}

}  // namespace postern::storage::test
