// How a row of audit_records becomes a record; for this folder's own statements.
#pragma once

#include "accounts/audit/record.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts::audit {

/// For the SELECT of a statement that the functions below read.
#define AUDIT_COLUMNS                                                                    \
  "number, id, at, action, outcome, actor_kind, actor_id, actor, original_actor, door, " \
  "address, target, details, request_id, mac"

/// Views into the row: until its statement's next step.
RecordView view_row(const sql::Statement& row);
std::string_view mac_of_row(const sql::Statement& row);
Entry read_entry(const sql::Statement& row);

}  // namespace postern::accounts::audit
