// Which tables a database file may hold, and whose they are: the sum of its Schemas.
//
// The engine refuses statements that name a tenant table outside a TenantScope, or a table that no
// Schema declares. check_tables() holds the file itself against the declarations, once at opening.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "storage/sql/migration.hpp"

namespace postern::sql {

class Connection;

enum class Ownership : std::uint8_t { tenant, platform, engine, undeclared };

class Catalog {
 public:
  /// Throws std::logic_error when two schemas declare the same table.
  explicit Catalog(std::span<const Schema> schemas);

  /// `table` in any case. What the engine keeps for itself (sqlite_*, schema_versions) is `engine`.
  [[nodiscard]] Ownership owner(std::string_view table) const;
  [[nodiscard]] const std::set<std::string, std::less<>>& tenant_tables() const { return tenant_; }
  [[nodiscard]] const std::set<std::string, std::less<>>& platform_tables() const {
    return platform_;
  }

 private:
  void declare(std::set<std::string, std::less<>>& kind, std::string_view table);
  std::set<std::string, std::less<>> tenant_;
  std::set<std::string, std::less<>> platform_;
};

/// The file's tables are exactly those declared; every unique key of a tenant table begins with
/// tenant_id, and foreign keys between tenant tables carry it; there are no views or triggers.
/// Errc::invalid names the first that breaks the rule: a bug in a migration.
Result<void> check_tables(Connection& connection, const Catalog& catalog);

std::string lower_case(std::string_view text);

}  // namespace postern::sql
