// Which statements the engine lets a TenantScope, or no scope, prepare.
#include "storage/sql/transaction.hpp"
#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {

constexpr std::string_view kAccepted[] = {
    "SELECT id, body FROM notes WHERE tenant_id = :tenant",
    "select id from Notes where Tenant_Id=:tenant and id=:id",
    "SELECT count(*) FROM notes WHERE tenant_id = :tenant AND folder_id = :folder",
    "SELECT max(rank) FROM notes WHERE tenant_id = :tenant AND folder_id = :folder",
    "SELECT n.id FROM notes n WHERE n.tenant_id = :tenant AND (n.rank = 1 OR n.body = 'x')",
    "SELECT id FROM notes WHERE tenant_id = :tenant AND id = :a OR tenant_id = :tenant AND id = :b",
    "SELECT n.id, f.name FROM notes n JOIN folders f ON f.tenant_id = :tenant AND f.id = "
    "n.folder_id "
    "WHERE n.tenant_id = :tenant",
    "SELECT n.id, f.name FROM notes AS n JOIN folders AS f ON f.tenant_id = n.tenant_id AND f.id = "
    "n.folder_id "
    "WHERE n.tenant_id = :tenant ORDER BY n.id LIMIT :limit",
    "SELECT f.id, n.id FROM folders f LEFT JOIN notes n ON n.tenant_id = f.tenant_id AND "
    "n.folder_id = f.id "
    "WHERE f.tenant_id = :tenant",
    "SELECT id FROM notes WHERE tenant_id = :tenant AND folder_id IN "
    "(SELECT id FROM folders WHERE tenant_id = :tenant AND name = :name)",
    "SELECT id FROM notes n WHERE tenant_id = :tenant AND EXISTS "
    "(SELECT 1 FROM folders f WHERE f.tenant_id = n.tenant_id AND f.id = n.folder_id)",
    "WITH mine AS (SELECT id, rank FROM notes WHERE tenant_id = :tenant) SELECT count(*) FROM mine",
    "SELECT id FROM notes WHERE tenant_id = :tenant UNION ALL SELECT id FROM folders WHERE "
    "tenant_id = :tenant",
    "INSERT INTO folders (tenant_id, id, name) VALUES (:tenant, :id, :name)",
    "INSERT INTO folders (id, tenant_id, name) VALUES (:a, :tenant, 'x'), (:b, :tenant, 'y')",
    "INSERT INTO folders (tenant_id, id, name) VALUES (:tenant, :id, :name) "
    "ON CONFLICT (tenant_id, id) DO UPDATE SET name = excluded.name RETURNING name",
    "INSERT INTO folders (tenant_id, id, name) SELECT :tenant, id, body FROM notes WHERE tenant_id "
    "= :tenant",
    "UPDATE notes SET body = :body, rank = rank + 1 WHERE tenant_id = :tenant AND id = :id",
    "DELETE FROM notes WHERE tenant_id = :tenant AND id = :id",
    "DELETE FROM folders WHERE tenant_id = :tenant AND id = :id",  // cascades within the tenant
    "SELECT n.id, c.value FROM notes n JOIN counters c ON c.name = n.body WHERE n.tenant_id = "
    ":tenant",
    "SELECT value FROM counters WHERE name = :name",
    "SELECT id -- tenant_id = 'a comment'\n FROM notes /* tenant_id */ WHERE tenant_id = :tenant",
    "SELECT id FROM notes WHERE tenant_id = :tenant AND body = 'tenant_id = 1 OR 1 = 1'",
};

constexpr std::string_view kRefused[] = {
    // No scope at all, or one that doesn't hold.
    "SELECT id FROM notes",
    "SELECT count(*) FROM notes",
    "SELECT max(id) FROM notes",
    "SELECT id FROM notes WHERE id = :id",
    "SELECT id FROM notes WHERE rowid = 1 AND tenant_id = :tenant",
    "SELECT id, :tenant FROM notes",
    "SELECT id FROM notes WHERE tenant_id = :tenant OR 1 = 1",
    "SELECT id FROM notes WHERE tenant_id = :tenant OR id = :id",
    "SELECT id FROM notes WHERE NOT tenant_id = :tenant",
    "SELECT id FROM notes WHERE (tenant_id = :tenant) = 0",
    "SELECT id FROM notes WHERE (tenant_id = :tenant) IN (0, 1)",
    "SELECT id FROM notes WHERE +tenant_id = :tenant",
    "SELECT id FROM notes WHERE tenant_id = :tenant || ''",
    "SELECT id FROM notes WHERE tenant_id = :tenant COLLATE nocase",
    "SELECT id FROM notes WHERE tenant_id = :tenant IS NOT NULL",
    "SELECT CASE WHEN tenant_id = :tenant THEN id ELSE body END FROM notes",
    // Another comparand.
    "SELECT id FROM notes WHERE tenant_id = :other",
    "SELECT id FROM notes WHERE tenant_id = :other AND :tenant = :tenant",
    "SELECT id FROM notes WHERE tenant_id = :other AND tenant_id = :tenant",
    "SELECT id FROM notes WHERE tenant_id = x'00' AND :tenant IS NOT NULL",
    "SELECT id FROM notes WHERE tenant_id == :tenant",
    "SELECT id FROM notes WHERE :tenant = tenant_id",
    "SELECT id FROM notes WHERE :other = tenant_id AND :tenant IS NOT NULL",
    "SELECT id FROM notes WHERE tenant_id IS :other AND :tenant IS NOT NULL",
    "SELECT id FROM notes WHERE tenant_id IN (:tenant, :other)",
    "SELECT id FROM notes WHERE tenant_id BETWEEN :a AND :tenant",
    "SELECT id FROM notes WHERE tenant_id >= :tenant",
    "SELECT id FROM notes WHERE tenant_id LIKE :tenant",
    "SELECT id FROM notes WHERE (tenant_id, id) = (:other, :id) AND :tenant IS NOT NULL",
    "SELECT id FROM notes WHERE (tenant_id, id) IN (VALUES (:other, :id)) AND :tenant IS NOT NULL",
    "SELECT id FROM notes WHERE tenant_id = (SELECT :other) AND :tenant IS NOT NULL",
    "SELECT id FROM notes WHERE \"tenant_id\" = :other AND :tenant IS NOT NULL",
    "SELECT id FROM notes WHERE [tenant_id] = :other AND :tenant IS NOT NULL",
    "SELECT id FROM notes WHERE tenant_id = ?1 AND :tenant IS NOT NULL",
    // Joins where one side is open.
    "SELECT n.id FROM notes n JOIN folders f ON f.id = n.folder_id WHERE n.tenant_id = :tenant",
    "SELECT n.id, f.name FROM notes n, folders f WHERE n.tenant_id = :tenant",
    "SELECT n.id, f.name FROM notes n CROSS JOIN folders f WHERE n.tenant_id = :tenant",
    "SELECT a.id, b.id FROM notes a, notes b WHERE a.tenant_id = :tenant",
    "SELECT a.id, b.id FROM notes a, notes b WHERE a.tenant_id = b.tenant_id AND :tenant IS NOT "
    "NULL",
    "SELECT n.id, f.name FROM notes n NATURAL JOIN folders f WHERE n.tenant_id = :tenant",
    "SELECT n.id, f.name FROM notes n JOIN folders f USING (tenant_id) WHERE n.tenant_id = :tenant",
    "SELECT f.name, n.id FROM folders f LEFT JOIN notes n ON n.folder_id = f.id WHERE f.tenant_id "
    "= :tenant",
    "SELECT n.id FROM sessions s JOIN notes n ON n.tenant_id = s.tenant_id WHERE :tenant IS NOT "
    "NULL",
    "SELECT n.id FROM sessions s JOIN notes n ON s.tenant_id = n.tenant_id WHERE :tenant IS NOT "
    "NULL",
    "SELECT n.id FROM sessions s JOIN notes n USING (tenant_id) WHERE s.tenant_id = :tenant",
    "SELECT n.id FROM sessions s, notes n WHERE n.tenant_id = s.id AND :tenant IS NOT NULL",
    "SELECT (SELECT count(*) FROM notes n WHERE n.tenant_id = s.tenant_id) FROM sessions s WHERE "
    ":tenant = :tenant",
    // Subqueries, CTEs, compounds.
    "SELECT id FROM notes WHERE tenant_id = :tenant AND folder_id IN (SELECT id FROM folders)",
    "SELECT id FROM notes WHERE tenant_id = :tenant AND (rank = 1 OR id = :a) AND folder_id IN "
    "(SELECT id FROM folders)",
    "SELECT id FROM notes WHERE tenant_id = :tenant AND id IN (SELECT id FROM notes)",
    "SELECT id FROM notes WHERE tenant_id = :tenant AND (1, 2, 3, 4, 5) IN notes",
    "EXPLAIN SELECT id FROM notes WHERE tenant_id = :tenant",
    "VACUUM INTO 'copy.db'",
    "ANALYZE",
    "REINDEX",
    "DETACH other",
    "SELECT id FROM notes WHERE tenant_id = :tenant AND EXISTS (SELECT 1 FROM folders f WHERE f.id "
    "= folder_id)",
    "SELECT id, (SELECT count(*) FROM folders) FROM notes WHERE tenant_id = :tenant",
    "SELECT id FROM (SELECT id FROM notes) WHERE :tenant IS NOT NULL",
    "SELECT i FROM (SELECT tenant_id AS t, id AS i FROM notes) WHERE t = :other AND :tenant IS NOT "
    "NULL",
    "WITH c (t, i) AS (SELECT tenant_id, id FROM notes) SELECT i FROM c WHERE t = :other AND "
    ":tenant IS NOT NULL",
    "WITH c (t, i, f, b, r) AS (SELECT * FROM notes) SELECT i FROM c WHERE t = :other AND :tenant "
    "IS NOT NULL",
    "WITH c (t, i, f, b, r) AS (SELECT notes.* FROM notes) SELECT i FROM c WHERE t = :other AND "
    ":tenant IS NOT NULL",
    "WITH all_notes AS (SELECT id FROM notes) SELECT id FROM all_notes WHERE :tenant IS NOT NULL",
    "WITH o (tenant_id) AS (VALUES (:other)) SELECT notes.id FROM notes, o WHERE notes.tenant_id = "
    "o.tenant_id "
    "AND :tenant IS NOT NULL",
    "SELECT id FROM notes WHERE tenant_id = :tenant UNION SELECT id FROM folders",
    "SELECT id FROM notes WHERE tenant_id = :tenant UNION ALL SELECT id FROM notes",
    "SELECT id FROM notes WHERE tenant_id = :tenant EXCEPT SELECT id FROM folders WHERE name = 'x'",
    "SELECT x FROM (SELECT 1 AS x UNION ALL SELECT tenant_id FROM notes) WHERE x = :tenant",
    "SELECT * FROM notes WHERE tenant_id = :tenant",
    "SELECT n.* FROM notes n WHERE n.tenant_id = :tenant",
    "SELECT tenant_id FROM notes WHERE tenant_id = :tenant",
    "SELECT id FROM main.notes WHERE tenant_id = :tenant",
    "SELECT n.id FROM main.notes n WHERE :tenant IS NOT NULL",
    "SELECT m.id FROM notes m WHERE m.tenant_id = :tenant AND EXISTS "
    "(SELECT 1 FROM folders b, sessions m WHERE b.tenant_id = m.tenant_id)",
    // Changes.
    "UPDATE notes SET body = 'x'",
    "UPDATE notes SET body = 'x' WHERE id = :id AND :tenant IS NOT NULL",
    "UPDATE notes SET body = :tenant",
    "UPDATE notes SET tenant_id = :other WHERE tenant_id = :tenant",
    "UPDATE notes SET tenant_id = :tenant WHERE tenant_id = :tenant",
    "UPDATE notes SET tenant_id = :tenant",
    "UPDATE notes SET body = (SELECT name FROM folders LIMIT 1) WHERE tenant_id = :tenant",
    "UPDATE notes SET body = f.name FROM folders f WHERE notes.tenant_id = :tenant AND f.id = "
    "notes.folder_id",
    "DELETE FROM notes",
    "DELETE FROM notes WHERE :tenant IS NOT NULL",
    "DELETE FROM notes WHERE tenant_id = :tenant OR 1",
    "DELETE FROM notes WHERE id = :id",
    "DELETE FROM notes WHERE tenant_id = :tenant AND folder_id IN (SELECT id FROM folders WHERE "
    "name = :n)",
    "INSERT INTO folders VALUES (:tenant, :id, :name)",
    "INSERT INTO folders (id, name) VALUES (:tenant, :name)",
    "INSERT INTO folders (tenant_id, id, name) VALUES (:other, :tenant, :name)",
    "INSERT INTO folders (tenant_id, id, name) VALUES (:tenant, :a, 'x'), (:other, :b, 'y')",
    "INSERT INTO folders (tenant_id, id, name) VALUES ((:tenant), :a, 'x')",
    "INSERT INTO folders (tenant_id, id, name) VALUES (coalesce(:other, :tenant), :a, 'x')",
    "INSERT INTO folders (tenant_id, id, name) SELECT :other, id, body FROM notes WHERE tenant_id "
    "= :tenant",
    "INSERT INTO folders (tenant_id, id, name) SELECT :tenant, id, body FROM notes",
    "INSERT INTO folders (tenant_id, id, name) SELECT :tenant, id, body FROM notes WHERE tenant_id "
    "= :tenant "
    "UNION ALL SELECT :other, :b, 'x'",
    "INSERT INTO folders (tenant_id, id, name) SELECT :tenant, :a, 'x' UNION ALL VALUES (:other, "
    ":b, 'y')",
    "INSERT INTO folders (tenant_id, id, name) VALUES (:tenant, :id, :name) "
    "ON CONFLICT (tenant_id, id) DO UPDATE SET tenant_id = :other",
    "INSERT INTO folders (tenant_id, id, name) VALUES (:tenant, :id, :name) RETURNING tenant_id",
    "INSERT INTO folders (tenant_id, id, name) VALUES (:tenant, :id, :name) RETURNING *",
    "INSERT INTO counters (name, value) SELECT body, 1 FROM notes",
    "INSERT INTO folders DEFAULT VALUES",
    // Not rows at all.
    "SELECT name FROM sqlite_master",
    "SELECT count(*) FROM sqlite_master",
    "SELECT component FROM schema_versions",
    "SELECT name FROM pragma_table_info('notes')",
    "SELECT load_extension('x')",
    "ATTACH 'other.db' AS other",
    "CREATE TABLE x (a)",
    "CREATE TEMP TABLE x AS SELECT id FROM notes",
    "DROP TABLE notes",
    "ALTER TABLE notes ADD COLUMN x",
    "PRAGMA foreign_keys = OFF",
    "VACUUM",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT x",
    "SELECT value FROM counters; DELETE FROM counters",
    "",
};

constexpr std::string_view kRefusedWithoutScope[] = {
    "SELECT id FROM notes WHERE tenant_id = :tenant",
    "SELECT count(*) FROM notes",
    "INSERT INTO folders (tenant_id, id, name) VALUES (:tenant, :id, :name)",
    "UPDATE notes SET body = 'x' WHERE tenant_id = :tenant",
    "DELETE FROM notes WHERE tenant_id = :tenant",
    "SELECT value FROM counters WHERE name IN (SELECT body FROM notes)",
    "WITH c AS (SELECT id FROM notes) SELECT count(*) FROM c",
    "INSERT INTO counters (name, value) SELECT body, 1 FROM notes",
    "SELECT name FROM sqlite_master",
    "PRAGMA user_version",
    "COMMIT",
};

TenantId tenant_number(std::uint8_t number) {
  TenantId tenant;
  tenant.value.bytes[15] = number;
  return tenant;
}

struct Fixture {
  TempDirectory directory;
  std::unique_ptr<sql::Connection> connection = open_connection(directory / "x.db");
};

}  // namespace

TEST_CASE("scoped_statement_by_tenant_is_accepted") {
  Fixture fixture;
  sql::TenantScope scope(*fixture.connection, tenant_number(1));
  for (const auto text : kAccepted) {
    INFO(text);
    CHECK_NOTHROW(scope.prepare(text));
    CHECK_NOTHROW(scope.prepare(text));
  }
}

TEST_CASE("scoped_statement_that_could_reach_another_tenant_is_refused") {
  Fixture fixture;
  sql::TenantScope scope(*fixture.connection, tenant_number(1));
  for (const auto text : kRefused) {
    INFO(text);
    // A syntax error (an EngineError) would hide that the rule is missing.
    bool refused = false;
    std::string why = "accepted";
    try {
      auto statement = scope.prepare(text);
    } catch (const std::logic_error& error) {
      refused = true;
    } catch (const sql::EngineError& error) {
      why = error.what();
    }
    INFO(why);
    CHECK(refused);
  }
}

TEST_CASE("plain_statement_on_tenant_table_is_refused") {
  Fixture fixture;
  sql::Transaction& tx = *fixture.connection;
  for (const auto text : kRefusedWithoutScope) {
    INFO(text);
    CHECK_THROWS_AS(tx.prepare(text), std::logic_error);
  }
  CHECK_NOTHROW(tx.prepare("SELECT value FROM counters WHERE name = :name"));
  CHECK_NOTHROW(tx.prepare("SELECT id FROM sessions WHERE tenant_id = :tenant"));
  CHECK_NOTHROW(tx.prepare("WITH c AS (SELECT value FROM counters) SELECT count(*) FROM c"));
}

TEST_CASE("undeclared_table_is_refused") {
  Fixture fixture;
  fixture.connection->execute("CREATE TABLE stray (a INTEGER)");
  sql::Transaction& tx = *fixture.connection;
  CHECK_THROWS_AS(tx.prepare("SELECT a FROM stray"), std::logic_error);
  CHECK_THROWS_AS(tx.prepare("SELECT count(*) FROM stray"), std::logic_error);
  CHECK_THROWS_AS(tx.prepare("INSERT INTO stray (a) VALUES (1)"), std::logic_error);
  CHECK_THROWS_AS(tx.prepare("DELETE FROM stray"), std::logic_error);
}

TEST_CASE("scope_binds_tenant_itself") {
  Fixture fixture;
  sql::TenantScope scope(*fixture.connection, tenant_number(1));
  auto statement = scope.prepare("SELECT id FROM notes WHERE tenant_id = :tenant");
  CHECK_THROWS_AS(statement.bind(":tenant", tenant_number(2)), std::logic_error);
  CHECK_NOTHROW(statement.step());
}

TEST_CASE("rows_of_another_tenant_are_never_seen_or_changed") {
  Fixture fixture;
  const auto id = AccountId::make();
  for (const std::uint8_t number : {std::uint8_t{1}, std::uint8_t{2}}) {
    sql::TenantScope scope(*fixture.connection, tenant_number(number));
    auto insert =
        scope.prepare("INSERT INTO folders (tenant_id, id, name) VALUES (:tenant, :id, :name)");
    insert.bind(":id", id).bind_text(":name", std::to_string(number));
    insert.run();
  }
  sql::TenantScope first(*fixture.connection, tenant_number(1));
  sql::TenantScope second(*fixture.connection, tenant_number(2));
  constexpr std::string_view kSelect = "SELECT name FROM folders WHERE tenant_id = :tenant";
  auto mine = first.prepare(kSelect);
  auto theirs = second.prepare(kSelect);  // the cached one is borrowed: a second of the same text
  REQUIRE(mine.step());
  REQUIRE(theirs.step());
  CHECK(mine.text(0) == "1");
  CHECK(theirs.text(0) == "2");
  CHECK_FALSE(mine.step());
  CHECK_FALSE(theirs.step());
  auto update =
      first.prepare("UPDATE folders SET name = 'changed' WHERE tenant_id = :tenant AND id = :id");
  update.bind(":id", id);
  update.run();
  CHECK(first.changes() == 1);
  auto again = second.prepare(kSelect);
  REQUIRE(again.step());
  CHECK(again.text(0) == "2");
}

TEST_CASE("refused_statement_leaves_connection_usable") {
  Fixture fixture;
  sql::TenantScope scope(*fixture.connection, tenant_number(1));
  for (int round = 0; round < 3; ++round) {
    CHECK_THROWS_AS(scope.prepare("SELECT id FROM notes"), std::logic_error);
    CHECK_FALSE(scope.prepare("SELECT id FROM notes WHERE tenant_id = :tenant").step());
  }
}

}  // namespace postern::storage::test
