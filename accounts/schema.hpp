// What this folder keeps in control.db: tables, which of them are tenants', and why the others are
// not.
#pragma once

#include "storage/sql/migration.hpp"

namespace postern::accounts {

/// For storage::Store::Options::control.
///
/// Platform tables, each with its reason:
/// - `tenants`: the list of tenants itself; read before there is a scope.
/// - `guards`: one row that adding a domain updates first, so that two tenants can't take a parent
/// and
///   its child at the same time (one writer hides that race, another engine would not).
/// - `domains`: routing: an MX listener knows a domain name and asks whose it is.
sql::Schema schema();

}  // namespace postern::accounts
