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
/// - `domains`: routing: an MX listener knows a domain name and asks whose it is. And the schedule
/// by
///   which their DNS records are looked at, over all tenants.
/// - `people`: a person signs in before any tenant is known, and may belong to several or none.
/// - `recovery_codes`, `passkeys`: a person's factors; a passkey is found by the id that the
/// browser
///   names.
/// - `memberships`: which tenants a person may choose from, asked before there is a scope. Each row
///   has its twin in the tenant table `members`, written in the same transaction.
/// - `web_sessions`: a request shows only a token; the tenant is chosen in the session.
/// - `one_time_tokens`: who follows a link in a mail shows nothing but the token, and may not be a
///   person yet.
/// - `api_key_digests`: a request shows only a key; the row says whose scope to open.
/// - `connections_by_grantee`: where an outsider may act, asked before there is a scope; twin of
/// the
///   tenant table `connections`.
sql::Schema schema();

}  // namespace postern::accounts
