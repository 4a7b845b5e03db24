// What the audit chain keeps in control.db.
#pragma once

#include "storage/sql/migration.hpp"

namespace postern::accounts::audit {

/// For storage::Store::Options::control.
///
/// The records and the heads are tenants' tables; the platform's own chain is the one of the nil
/// TenantId. Platform tables, each with its reason:
/// - `audit_chains`: which chains there are: a check of all of them must know where to look.
/// - `audit_seal`: one row over the heads of all chains together (see head.hpp).
/// - `audit_keys`: one row, the server's audit key, wrapped by the master key.
/// - `audit_stream_list`: which chains are streamed: whoever sends must know where to look.
sql::Schema schema();

}  // namespace postern::accounts::audit
