// The tables of events-YYYYMM.db, and a message's timeline over all months.
//
// delivery_events belongs to tenants; its key makes a timeline one SEARCH, in order of time.
// event_messages is a platform table: it says whose a message is, for operators, who have no more
// than its id.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/result.hpp"
#include "smtp/queue/event.hpp"
#include "storage/monthly_files.hpp"
#include "storage/sql/migration.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::smtp::queue {

const sql::Schema& event_schema();

/// Writes events of one month's file, of any tenants; those that are there already stay as they
/// are.
void record_events(sql::Transaction& tx, std::span<const DeliveryEvent> events);

/// At most `limit` of a message's events in this file, in order, beginning after `after`.
std::vector<DeliveryEvent> events_of(sql::TenantScope& scope, MessageId message, EventId after,
                                     std::size_t limit);

/// The tenant of a message that has events in this file.
std::optional<TenantId> event_tenant(sql::Transaction& tx, MessageId message);

struct Timeline {
  TenantId tenant;
  std::vector<DeliveryEvent> events;  ///< in order of time
  std::optional<EventId> next;        ///< continue after this one; absent: that was all
};
/// Blocks: from a worker thread only. Errc::not_found when no month knows the message.
Result<Timeline> read_timeline(storage::MonthlyFiles& files, MessageId message,
                               std::optional<EventId> after, std::size_t limit);

}  // namespace postern::smtp::queue
