// What the storage tests share: a directory that goes, a small schema, shorthands.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "storage/database.hpp"
#include "storage/sql/connection.hpp"

namespace postern::storage::test {

class TempDirectory {
 public:
  TempDirectory();
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Tenant tables `folders` and `notes` (a note has a folder), platform tables `counters(name,
/// value)` and `sessions(id, tenant_id)`.
sql::Schema test_schema();

Database::Options options_for(const std::string& path);
std::unique_ptr<Database> open_database(const std::string& path);

/// A connection with test_schema() made and guarded.
std::unique_ptr<sql::Connection> open_connection(const std::string& path);

template <class T>
T must(Result<T> result) {
  if (!result) FAIL(to_string(result.error().code) << ": " << result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Inserts one counter; a repeated name is a UniqueViolation.
Result<void> put_counter(sql::Transaction& tx, const std::string& name, std::int64_t value = 1);
Result<void> write_counter(Database& database, const std::string& name, std::int64_t value = 1);
std::vector<std::string> counter_names(Database& database);

std::string blob_of(std::size_t size,
                    unsigned seed);  ///< incompressible, the same for the same seed

}  // namespace postern::storage::test
