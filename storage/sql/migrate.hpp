// Runs the migrations that a file lacks; what ran is in the table `schema_versions`.
//
// Each migration runs in a transaction of its own with its row in schema_versions, so that a crash
// leaves the file between two migrations and never inside one. Foreign keys are off meanwhile
// (tables may be rebuilt) and checked before each commit. The caller takes the backup first.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "storage/sql/connection.hpp"
#include "storage/sql/migration.hpp"

namespace postern::sql {

struct PendingMigration {
  std::string_view component;
  const Migration* migration;
};

struct MigrationPlan {
  bool fresh = false;  ///< the file holds nothing yet: no backup needed
  std::vector<PendingMigration> pending;
};

/// What would run. Errc::unsupported when the file is newer than the program: it has a component or
/// a number that no schema knows, or a number under another name. Changes nothing.
Result<MigrationPlan> plan_migrations(Connection& connection, std::span<const Schema> schemas);

/// Runs them in order. Errc::corrupt names the migration that failed; those before it stay.
Result<void> run_migrations(Connection& connection, const MigrationPlan& plan);

}  // namespace postern::sql
