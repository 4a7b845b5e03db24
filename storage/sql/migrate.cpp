#include "storage/sql/migrate.hpp"

#include <fmt/format.h>

#include <map>

#include "core/log.hpp"
#include "core/time.hpp"

namespace postern::sql {

namespace {

constexpr std::string_view kVersionsTable = R"sql(
CREATE TABLE IF NOT EXISTS schema_versions (
  component  TEXT    NOT NULL,
  number     INTEGER NOT NULL,
  name       TEXT    NOT NULL,
  applied_at INTEGER NOT NULL,
  PRIMARY KEY (component, number)
);
)sql";

using Applied = std::map<std::pair<std::string, std::int64_t>, std::string>;

bool has_object(Connection& connection, std::string_view text) {
  return connection.prepare_unguarded(text).step();
}

Applied read_applied(Connection& connection) {
  Applied applied;
  auto rows = connection.prepare_unguarded("SELECT component, number, name FROM schema_versions");
  while (rows.step()) applied[{std::string(rows.text(0)), rows.integer(1)}] = rows.text(2);
  return applied;
}

Result<void> check_numbers(const Schema& schema) {
  int expected = 1;
  for (const auto& migration : schema.migrations) {
    if (migration.number != expected++) {
      return fail(Errc::invalid,
                  fmt::format("migrations of {} are not numbered 1, 2, 3...", schema.component));
    }
  }
  return {};
}

Result<void> check_known(std::span<const Schema> schemas, const Applied& applied) {
  for (const auto& [key, name] : applied) {
    const auto& [component, number] = key;
    const Schema* owner = nullptr;
    for (const auto& schema : schemas) {
      if (schema.component == component) owner = &schema;
    }
    if (owner == nullptr || number < 1 ||
        static_cast<std::size_t>(number) > owner->migrations.size()) {
      return fail(
          Errc::unsupported,
          fmt::format(
              "the file was written by a newer version of this program (it has {} {} \"{}\"); "
              "upgrade the program or restore the backup that was taken before its migration",
              component, number, name));
    }
    const auto& known = owner->migrations[static_cast<std::size_t>(number) - 1];
    if (known.name != name) {
      return fail(Errc::unsupported,
                  fmt::format("migration {} {} of the file is \"{}\", this program's is \"{}\"",
                              component, number, name, known.name));
    }
  }
  return {};
}

void record(Connection& connection, const PendingMigration& step) {
  auto insert = connection.prepare_unguarded(
      "INSERT INTO schema_versions (component, number, name, applied_at) "
      "VALUES (:component, :number, :name, :now)");
  insert.bind_text(":component", step.component).bind(":number", step.migration->number);
  insert.bind_text(":name", step.migration->name).bind(":now", system_clock().now());
  insert.run();
}

void run_one(Connection& connection, const PendingMigration& step) {
  connection.execute("BEGIN IMMEDIATE");
  connection.execute(std::string(kVersionsTable));
  connection.execute(std::string(step.migration->text));
  record(connection, step);
  if (has_object(connection, "SELECT 1 FROM pragma_foreign_key_check LIMIT 1")) {
    throw EngineError(0, "it leaves foreign keys that point nowhere");
  }
  connection.execute("COMMIT");
}

}  // namespace

Result<MigrationPlan> plan_migrations(Connection& connection, std::span<const Schema> schemas) try {
  MigrationPlan plan;
  plan.fresh = !has_object(connection, "SELECT 1 FROM sqlite_master LIMIT 1");
  Applied applied;
  if (has_object(connection, "SELECT 1 FROM sqlite_master WHERE name = 'schema_versions'")) {
    applied = read_applied(connection);
  } else if (!plan.fresh) {
    return fail(Errc::corrupt, "the file is a database, but not one of this program");
  }
  if (auto good = check_known(schemas, applied); !good) return std::unexpected(good.error());
  for (const auto& schema : schemas) {
    if (auto good = check_numbers(schema); !good) return std::unexpected(good.error());
    for (const auto& migration : schema.migrations) {
      if (applied.contains({std::string(schema.component), migration.number})) continue;
      plan.pending.push_back({schema.component, &migration});
    }
  }
  return plan;
} catch (const EngineError& error) {
  return fail(Errc::corrupt, error.what());
}

Result<void> run_migrations(Connection& connection, const MigrationPlan& plan) {
  if (plan.pending.empty()) return {};
  for (const auto& step : plan.pending) {
    try {
      connection.execute("PRAGMA foreign_keys = OFF");
      run_one(connection, step);
      connection.execute("PRAGMA foreign_keys = ON");
    } catch (const EngineError& error) {
      connection.control(Connection::Verb::rollback);
      return fail(Errc::corrupt,
                  fmt::format("migration {} {} \"{}\" failed: {}", step.component,
                              step.migration->number, step.migration->name, error.what()));
    }
    log::info("storage.migrated", {{"component", step.component},
                                   {"number", step.migration->number},
                                   {"name", step.migration->name}});
  }
  return {};
}

}  // namespace postern::sql
