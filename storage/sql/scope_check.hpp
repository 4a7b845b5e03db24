// What a statement inside a TenantScope must look like, read from its text and its query plan.
//
// The plan shows that a table is reached by an index on `tenant_id = something`; the text shows
// that the something is `:tenant`, which the scope alone binds. Either alone can be tricked:
// binding :tenant says nothing (`tenant_id = :tenant OR 1 = 1`), and a plan doesn't tell parameters
// apart. The rules are stricter than SQL needs; a refused statement is rewritten, never excused.
//
//   - `tenant_id` stands only in `tenant_id = :tenant`, in `a.tenant_id = b.tenant_id` between two
//     tenant tables, in the columns of an INSERT and in the target of ON CONFLICT. So it can't be
//     compared with anything else, nor leave a subquery under another name;
//   - an INSERT into a tenant table names its columns and gives :tenant for tenant_id;
//   - no `SELECT *` (it would carry tenant_id out of a subquery), no quoted names, no schema names;
//   - in the plan, every mention of a tenant table is a SEARCH with `tenant_id=?`.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/sql/catalog.hpp"
#include "storage/sql/tokens.hpp"

namespace postern::sql {

/// One row of EXPLAIN QUERY PLAN.
struct PlanRow {
  int id;
  int parent;
  std::string detail;
};

/// Which names in a statement mean tenant tables.
struct Mentions {
  std::set<std::string, std::less<>> names;  ///< tables and their aliases, lower case
  std::map<std::string, std::string, std::less<>> table_of;  ///< name or alias to table
  std::map<std::string, int, std::less<>> reads;  ///< by table: places a plan row must answer for
};
Mentions find_mentions(const std::vector<Token>& tokens, const Catalog& catalog);

/// Why the text is refused, or nullopt.
std::optional<std::string> check_scoped_text(const std::vector<Token>& tokens,
                                             const Mentions& mentions, const Catalog& catalog);

/// Why the plan is refused, or nullopt.
std::optional<std::string> check_plan(const std::vector<PlanRow>& plan, const Mentions& mentions);

}  // namespace postern::sql
