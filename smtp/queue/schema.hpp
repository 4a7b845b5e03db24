// The tables of queue.db.
//
// queue_messages, queue_recipients and queue_idempotency belong to tenants. queue_schedule is a
// platform table: one row per live recipient with what the scheduler must know, so that "what is
// due next" is an index search across tenants. A held recipient keeps its row, due never.
#pragma once

#include "core/time.hpp"
#include "storage/sql/migration.hpp"

namespace postern::smtp::queue {

const sql::Schema& queue_schema();

/// due_at of a held recipient.
inline constexpr Timestamp kNever = Timestamp::max();

}  // namespace postern::smtp::queue
