// Numbered forward migrations of one kind of database file. Each runs in a transaction; a backup is
// taken before an existing file is migrated.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

namespace postern::sql {

struct Migration {
  int number;             ///< 1, 2, 3... without gaps
  std::string_view name;  ///< for logs and errors
  std::string_view text;  ///< SQL, several statements
};

/// What a kind of file holds: its schema by migrations, and which tables belong to tenants.
/// Each floor that owns tables declares one list per file kind; app/ joins them when it opens the
/// store.
struct Schema {
  std::string_view component;  ///< "accounts", "mailbox", "queue": numbered apart from the others
  std::span<const Migration> migrations;
  std::span<const std::string_view> tenant_tables;    ///< reached only through a TenantScope
  std::span<const std::string_view> platform_tables;  ///< the declared short list of the others
};

}  // namespace postern::sql
