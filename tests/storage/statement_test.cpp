#include <sqlite3.h>

#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {
struct Fixture {
  TempDirectory directory;
  std::unique_ptr<sql::Connection> connection = open_connection(directory / "x.db");
  sql::Transaction& tx = *connection;
};
constexpr std::string_view kInsert = "INSERT INTO counters (name, value) VALUES (:name, :value)";
}  // namespace

TEST_CASE("statement_binds_and_reads_each_type") {
  Fixture f;
  auto row = f.tx.prepare("SELECT :i, :t, :b, :n, :e, :z, :id, :when");
  const std::string binary("a\0b", 3);
  const auto id = ObjectId::make();
  row.bind(":i", std::int64_t{-5'000'000'000}).bind_text(":t", "text").bind_blob(":b", binary);
  row.bind_null(":n").bind_text(":e", {}).bind_blob(":z", {}).bind(":id", id).bind(":when",
                                                                                   from_micros(7));
  REQUIRE(row.step());
  CHECK(row.integer(0) == -5'000'000'000);
  CHECK(row.text(1) == "text");
  CHECK(row.blob(2) == binary);
  CHECK(row.is_null(3));
  CHECK_FALSE(row.is_null(4));  // an empty text is not NULL
  CHECK_FALSE(row.is_null(5));
  CHECK(row.id<ObjectId>(6) == id);
  CHECK(row.time(7) == from_micros(7));
  CHECK_FALSE(row.step());
  CHECK_FALSE(row.step());
}

TEST_CASE("statement_with_unknown_parameter_throws") {
  Fixture f;
  auto row = f.tx.prepare("SELECT value FROM counters WHERE name = :name");
  CHECK_THROWS_AS(row.bind(":nam", 1), std::logic_error);
  CHECK_THROWS_AS(row.bind("name", 1), std::logic_error);
}

TEST_CASE("statement_with_unbound_parameter_throws") {
  Fixture f;
  auto insert = f.tx.prepare(kInsert);
  insert.bind_text(":name", "a");
  CHECK_THROWS_AS(insert.run(), std::logic_error);
  insert.bind(":value", 1);
  CHECK_NOTHROW(insert.run());
}

TEST_CASE("statement_runs_again_with_new_values") {
  Fixture f;
  auto insert = f.tx.prepare(kInsert);
  for (int i = 0; i < 3; ++i) {
    insert.bind_text(":name", std::to_string(i)).bind(":value", i);
    insert.run();
    CHECK(f.tx.changes() == 1);
  }
  auto count = f.tx.prepare("SELECT count(*) FROM counters");
  REQUIRE(count.step());
  CHECK(count.integer(0) == 3);
}

TEST_CASE("statement_from_cache_forgets_old_bindings") {
  Fixture f;
  {
    auto insert = f.tx.prepare(kInsert);
    insert.bind_text(":name", "a").bind(":value", 1);
    insert.run();
  }
  auto insert = f.tx.prepare(kInsert);
  insert.bind_text(":name", "b");
  CHECK_THROWS_AS(insert.run(), std::logic_error);
}

TEST_CASE("statement_cache_is_not_fooled_by_reused_address") {
  Fixture f;
  std::string text = "SELECT 1";
  CHECK(f.tx.prepare(text).step());
  text = "SELECT 2";
  auto row = f.tx.prepare(text);
  REQUIRE(row.step());
  CHECK(row.integer(0) == 2);
}

TEST_CASE("statement_cache_stays_bounded") {
  Fixture f;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 2 * sql::kStatementCacheLimit; ++i)
    texts.push_back(fmt::format("SELECT {}", i));
  auto held = f.tx.prepare("SELECT 'held'");
  for (const auto& text : texts) CHECK(f.tx.prepare(text).step());
  REQUIRE(held.step());
  CHECK(held.text(0) == "held");
  int cached = 0;
  for (auto* next = sqlite3_next_stmt(f.connection->handle(), nullptr); next != nullptr;
       next = sqlite3_next_stmt(f.connection->handle(), next)) {
    ++cached;
  }
  CHECK(cached <= static_cast<int>(sql::kStatementCacheLimit) + 16);
}

TEST_CASE("unique_violation_has_its_own_type") {
  Fixture f;
  REQUIRE(put_counter(f.tx, "a"));
  CHECK_THROWS_AS(put_counter(f.tx, "a"), sql::UniqueViolation);
  sql::TenantScope scope(f.tx, TenantId::make());
  auto note = scope.prepare(
      "INSERT INTO notes (tenant_id, id, folder_id, body) VALUES (:tenant, :id, :id, 'x')");
  note.bind(":id", ObjectId::make());
  try {
    note.run();
    FAIL("a note without its folder was taken");
  } catch (const sql::UniqueViolation&) {
    FAIL("a foreign key is not a unique key");
  } catch (const sql::EngineError& error) {
    CHECK(error.code() == SQLITE_CONSTRAINT_FOREIGNKEY);
  }
}

TEST_CASE("connection_is_set_up_for_durability") {
  Fixture f;
  const auto pragma = [&](std::string_view text) {
    auto row = f.connection->prepare_unguarded(text);
    REQUIRE(row.step());
    return std::string(row.text(0));
  };
  CHECK(pragma("PRAGMA journal_mode") == "wal");
  CHECK(pragma("PRAGMA synchronous") == "2");
  CHECK(pragma("PRAGMA page_size") == "8192");
  CHECK(pragma("PRAGMA foreign_keys") == "1");
  CHECK(pragma("PRAGMA secure_delete") == "0");
  CHECK(pragma("PRAGMA trusted_schema") == "0");
  CHECK(pragma("PRAGMA wal_autocheckpoint") == "0");
}

}  // namespace postern::storage::test
