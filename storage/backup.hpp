// Copies of database files: consistent, while writes go on, by SQLite's backup interface.
#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "storage/sql/connection.hpp"

namespace postern::storage {

/// A copy of `source`'s file at `path` (0600; synced; replaces a file of that name only when it is
/// complete). If the connection is in a transaction, the copy is of that snapshot.
Result<void> copy_database(sql::Connection& source, const std::string& path);

/// Takes the connection's snapshot now, for a copy_database() later.
Result<void> pin_snapshot(sql::Connection& source);

/// SQLite's quick check of a file; Errc::corrupt with its first complaint.
Result<void> check_database(const std::string& path);

/// `directory`/`stem`-YYYYMMDDTHHMMSSZ-before-migration.db, with a number when that is taken.
std::string migration_backup_path(const std::string& directory, const std::string& path);

}  // namespace postern::storage
