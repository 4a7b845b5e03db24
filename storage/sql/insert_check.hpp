// The part of scope_check.hpp that reads INSERT: which value goes into tenant_id.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/sql/catalog.hpp"
#include "storage/sql/tokens.hpp"

namespace postern::sql {

/// Why an INSERT into a tenant table is refused: it must list its columns, tenant_id among them,
/// and give exactly `:tenant` there in every row of VALUES or every branch of its SELECT. nullopt:
/// fine, or not an INSERT into a tenant table.
std::optional<std::string> check_insert(const std::vector<Token>& tokens, const Catalog& catalog);

}  // namespace postern::sql
