#include "storage/sql/catalog.hpp"

#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <vector>

#include "storage/sql/connection.hpp"

namespace postern::sql {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (auto& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Catalog::Catalog(std::span<const Schema> schemas) {
  for (const auto& schema : schemas) {
    for (const auto table : schema.tenant_tables) declare(tenant_, table);
    for (const auto table : schema.platform_tables) declare(platform_, table);
  }
}

void Catalog::declare(std::set<std::string, std::less<>>& kind, std::string_view table) {
  if (owner(table) != Ownership::undeclared) {
    throw std::logic_error(
        fmt::format("the table {} is declared twice (or is the engine's)", table));
  }
  kind.insert(lower_case(table));
}

Ownership Catalog::owner(std::string_view table) const {
  const auto name = lower_case(table);
  if (tenant_.contains(name)) return Ownership::tenant;
  if (platform_.contains(name)) return Ownership::platform;
  if (name.starts_with("sqlite_") || name == "schema_versions") return Ownership::engine;
  return Ownership::undeclared;
}

namespace {

struct Table {
  std::string name;
  std::string type;
};

std::vector<Table> list_tables(Connection& connection) {
  std::vector<Table> tables;
  auto list = connection.prepare_unguarded(
      "SELECT name, type FROM pragma_table_list WHERE schema = 'main'");
  while (list.step()) {
    tables.push_back({lower_case(list.text(0)), std::string(list.text(1))});
  }
  return tables;
}

bool has_trigger(Connection& connection) {
  return connection.prepare_unguarded("SELECT 1 FROM sqlite_master WHERE type = 'trigger' LIMIT 1")
      .step();
}

/// The first column of each key of the table, by the key's name.
std::map<std::string, std::string> key_heads(Connection& connection, const std::string& table) {
  std::map<std::string, std::string> heads;
  auto keys = connection.prepare_unguarded(
      "SELECT l.name, i.name FROM pragma_index_list(:table) AS l, pragma_index_info(l.name) AS i "
      "WHERE l.\"unique\" = 1 AND i.seqno = 0");
  keys.bind_text(":table", table);
  while (keys.step()) heads[std::string(keys.text(0))] = lower_case(keys.text(1));
  return heads;
}

struct Columns {
  bool tenant_id = false;  ///< is there and NOT NULL
  std::string primary;     ///< the first column of the primary key, or empty
};

Columns read_columns(Connection& connection, const std::string& table) {
  Columns columns;
  auto list =
      connection.prepare_unguarded("SELECT name, \"notnull\", pk FROM pragma_table_info(:table)");
  list.bind_text(":table", table);
  while (list.step()) {
    const auto name = lower_case(list.text(0));
    if (name == "tenant_id" && list.integer(1) != 0) columns.tenant_id = true;
    if (list.integer(2) == 1) columns.primary = name;
  }
  return columns;
}

Result<void> check_keys(Connection& connection, const std::string& table) {
  const auto columns = read_columns(connection, table);
  if (!columns.tenant_id) {
    return fail(Errc::invalid,
                fmt::format("tenant table {} has no column tenant_id NOT NULL", table));
  }
  if (!columns.primary.empty() && columns.primary != "tenant_id") {
    return fail(
        Errc::invalid,
        fmt::format("the primary key of tenant table {} doesn't begin with tenant_id", table));
  }
  for (const auto& [key, head] : key_heads(connection, table)) {
    if (head == "tenant_id") continue;
    return fail(Errc::invalid,
                fmt::format("the unique key {} of tenant table {} doesn't begin with tenant_id",
                            key, table));
  }
  return {};
}

/// What a foreign key reaches must be of the same tenant: cascades run without a scope.
Result<void> check_foreign_keys(Connection& connection, const Catalog& catalog,
                                const std::string& table) {
  std::map<std::int64_t, std::pair<std::string, bool>> keys;  // id -> (target, carries tenant_id)
  auto list = connection.prepare_unguarded(
      "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(:table)");
  list.bind_text(":table", table);
  while (list.step()) {
    auto& key = keys[list.integer(0)];
    key.first = lower_case(list.text(1));
    const bool to_tenant = list.is_null(3) || lower_case(list.text(3)) == "tenant_id";
    if (lower_case(list.text(2)) == "tenant_id" && to_tenant) key.second = true;
  }
  const bool mine = catalog.owner(table) == Ownership::tenant;
  for (const auto& [id, key] : keys) {
    const bool theirs = catalog.owner(key.first) == Ownership::tenant;
    if (theirs && !(mine && key.second)) {
      return fail(
          Errc::invalid,
          fmt::format("the foreign key from {} to {} doesn't carry tenant_id", table, key.first));
    }
  }
  return {};
}

}  // namespace

Result<void> check_tables(Connection& connection, const Catalog& catalog) {
  std::set<std::string> found;
  for (const auto& [name, type] : list_tables(connection)) {
    if (type == "shadow" || catalog.owner(name) == Ownership::engine) continue;
    if (type == "view") return fail(Errc::invalid, fmt::format("views are not allowed: {}", name));
    if (catalog.owner(name) == Ownership::undeclared) {
      return fail(Errc::invalid, fmt::format("no Schema declares the table {}", name));
    }
    found.insert(name);
    if (catalog.owner(name) == Ownership::tenant && type == "table") {
      if (auto good = check_keys(connection, name); !good) return good;
    }
    if (auto good = check_foreign_keys(connection, catalog, name); !good) return good;
  }
  if (has_trigger(connection)) return fail(Errc::invalid, "triggers are not allowed");
  for (const auto* tables : {&catalog.tenant_tables(), &catalog.platform_tables()}) {
    for (const auto& table : *tables) {
      if (!found.contains(table)) {
        return fail(Errc::invalid, fmt::format("no migration makes the declared table {}", table));
      }
    }
  }
  return {};
}

}  // namespace postern::sql
