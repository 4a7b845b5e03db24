#include "tests/storage/support.hpp"

namespace postern::storage::test {

namespace {

constexpr std::string_view kItems[] = {"items"};
constexpr std::string_view kOthers[] = {"others"};

Result<void> open_with(std::string_view text, std::span<const std::string_view> tenant = kItems,
                       std::span<const std::string_view> platform = {}) {
  const TempDirectory directory;
  const sql::Migration migration[] = {{1, "first", text}};
  Database::Options options;
  options.path = directory / "x.db";
  options.schemas = {{"test", migration, tenant, platform}};
  auto opened = Database::open(options);
  if (!opened) return std::unexpected(opened.error());
  return {};
}

void check_refused(Result<void> result, const std::string& words) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code == Errc::invalid);
  CHECK_THAT(result.error().message, Catch::Contains(words));
}

}  // namespace

TEST_CASE("schema_with_tenant_leading_every_key_opens") {
  CHECK(
      open_with("CREATE TABLE items (tenant_id BLOB NOT NULL, a, b, PRIMARY KEY (tenant_id, a), "
                "UNIQUE (tenant_id, b))"));
  CHECK(open_with(
      "CREATE TABLE items (tenant_id BLOB NOT NULL, a, PRIMARY KEY (tenant_id, a)) WITHOUT ROWID"));
}

TEST_CASE("schema_that_breaks_the_tenant_rules_is_refused") {
  check_refused(open_with("CREATE TABLE items (a)"), "no column tenant_id");
  check_refused(open_with("CREATE TABLE items (tenant_id BLOB, a)"), "no column tenant_id");
  check_refused(open_with("CREATE TABLE items (id INTEGER PRIMARY KEY, tenant_id BLOB NOT NULL)"),
                "primary key");
  check_refused(open_with("CREATE TABLE items (id BLOB PRIMARY KEY, tenant_id BLOB NOT NULL)"),
                "primary key");
  check_refused(
      open_with(
          "CREATE TABLE items (tenant_id BLOB NOT NULL, a, b UNIQUE, PRIMARY KEY (tenant_id, a))"),
      "unique key");
  check_refused(
      open_with("CREATE TABLE items (tenant_id BLOB NOT NULL, a, PRIMARY KEY (tenant_id, a));"
                "CREATE UNIQUE INDEX i ON items (a, tenant_id)"),
      "unique key");
}

TEST_CASE("schema_and_file_must_agree") {
  constexpr std::string_view kGood =
      "CREATE TABLE items (tenant_id BLOB NOT NULL, a, PRIMARY KEY (tenant_id, a));";
  const auto with = [&](std::string_view more) { return std::string(kGood) + std::string(more); };
  check_refused(open_with(with("CREATE TABLE stray (a)")), "no Schema declares the table stray");
  check_refused(open_with(kGood, kItems, kOthers), "no migration makes the declared table others");
  check_refused(open_with(with("CREATE VIEW v AS SELECT a FROM items")), "views");
  check_refused(open_with(with("CREATE TRIGGER t AFTER DELETE ON items BEGIN SELECT 1; END")),
                "triggers");
}

TEST_CASE("foreign_key_to_tenant_table_must_carry_tenant") {
  constexpr std::string_view kBoth[] = {"items", "parts"};
  const std::string parent =
      "CREATE TABLE items (tenant_id BLOB NOT NULL, a, PRIMARY KEY (tenant_id, a));";
  CHECK(open_with(parent +
                      "CREATE TABLE parts (tenant_id BLOB NOT NULL, p, PRIMARY KEY (tenant_id, p), "
                      "FOREIGN KEY (tenant_id, p) REFERENCES items)",
                  kBoth));
  check_refused(
      open_with(
          parent + "CREATE TABLE parts (tenant_id BLOB NOT NULL, p, q, PRIMARY KEY (tenant_id, p), "
                   "FOREIGN KEY (q, p) REFERENCES items (tenant_id, a))",
          kBoth),
      "foreign key");
  check_refused(
      open_with(
          parent + "CREATE TABLE others (t, a, FOREIGN KEY (t, a) REFERENCES items (tenant_id, a))",
          kItems, kOthers),
      "foreign key");
}

TEST_CASE("table_declared_twice_is_refused") {
  const std::vector<sql::Schema> schemas{{"a", {}, kItems, {}}, {"b", {}, {}, kItems}};
  CHECK_THROWS_AS(sql::Catalog(schemas), std::logic_error);
}

}  // namespace postern::storage::test
