#include "tests/storage/support.hpp"

#include <stdlib.h>

#include <filesystem>
#include <random>

#include "storage/schema.hpp"
#include "storage/sql/migrate.hpp"

namespace postern::storage::test {

TempDirectory::TempDirectory() {
  auto pattern = (std::filesystem::temp_directory_path() / "postern-storage-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  path_ = pattern;
}

TempDirectory::~TempDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

namespace {
constexpr sql::Migration kMigrations[] = {{1, "first", R"sql(
CREATE TABLE folders (
  tenant_id BLOB NOT NULL, id BLOB NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (tenant_id, id));
CREATE TABLE notes (
  tenant_id BLOB NOT NULL, id BLOB NOT NULL, folder_id BLOB NOT NULL, body TEXT NOT NULL, rank INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, folder_id) REFERENCES folders (tenant_id, id) ON DELETE CASCADE);
CREATE INDEX notes_rank ON notes (tenant_id, folder_id, rank);
CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE sessions (id INTEGER NOT NULL PRIMARY KEY, tenant_id BLOB NOT NULL);
CREATE INDEX sessions_tenant ON sessions (tenant_id);
)sql"}};
constexpr std::string_view kTenantTables[] = {"folders", "notes"};
constexpr std::string_view kPlatformTables[] = {"counters", "sessions"};
}  // namespace

sql::Schema test_schema() { return {"test", kMigrations, kTenantTables, kPlatformTables}; }

Database::Options options_for(const std::string& path) {
  Database::Options options;
  options.path = path;
  options.schemas = {test_schema(), body_schema(), outbox_schema()};
  return options;
}

std::unique_ptr<Database> open_database(const std::string& path) {
  return must(Database::open(options_for(path)));
}

std::unique_ptr<sql::Connection> open_connection(const std::string& path) {
  const std::vector<sql::Schema> schemas{test_schema()};
  auto connection = must(sql::Connection::open(
      {.path = path, .access = sql::Connection::Access::owner, .catalog = {}, .vfs = {}}));
  must(sql::run_migrations(*connection, must(sql::plan_migrations(*connection, schemas))));
  auto catalog = std::make_shared<const sql::Catalog>(schemas);
  must(sql::check_tables(*connection, *catalog));
  connection->guard_with(catalog);
  return connection;
}

Result<void> put_counter(sql::Transaction& tx, const std::string& name, std::int64_t value) {
  auto insert = tx.prepare("INSERT INTO counters (name, value) VALUES (:name, :value)");
  insert.bind_text(":name", name).bind(":value", value);
  insert.run();
  return {};
}

Result<void> write_counter(Database& database, const std::string& name, std::int64_t value) {
  return database.write_blocking<void>(Purpose::outcome, [name, value](sql::Transaction& tx) {
    return put_counter(tx, name, value);
  });
}

std::vector<std::string> counter_names(Database& database) {
  using Names = std::vector<std::string>;
  return must(database.read_blocking<Names>([](sql::Transaction& tx) -> Result<Names> {
    Names names;
    auto rows = tx.prepare("SELECT name FROM counters ORDER BY name");
    while (rows.step()) names.emplace_back(rows.text(0));
    return names;
  }));
}

std::string blob_of(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::string blob(size, '\0');
  for (auto& c : blob) c = static_cast<char>(random() & 0xff);
  return blob;
}

}  // namespace postern::storage::test
