// The durable outbox: what must reach a higher floor or another file is a row, appended in the same
// commit as its cause and consumed later, at least once.
//
// Platform table `outbox` of any kind of file (outbox_schema() in schema.hpp). A topic has one
// consumer, which loops: claim_due() in one write (this leases the entries, so that a crash brings
// them back), does the work, then complete() or postpone() in another. Where there are many small
// entries and one loop works through them in order, due() in a read spares the lease's write.
//
// CROSSING FILES. There is no commit across files, so work from file A to file B goes:
//   1. in A, in the commit that causes the work: append(tx, topic, payload), the payload carrying a
//      fresh DeliveryId;
//   2. in B: apply, inserting that DeliveryId into a table where it is unique in the same commit. A
//      UniqueViolation there means an earlier try came this far: treat it as done;
//   3. in A: complete(). A crash before this repeats step 2, which then changes nothing.
// The DeliveryId must outlive the longest time that a repeat can come after; keep it with the row
// that step 2 makes.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/id.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::storage::outbox {

using EntryId = Id<struct OutboxEntryTag>;

/// How long a claimed entry stays with its consumer before it is due again.
inline constexpr std::chrono::seconds kLease{60};

/// Where an entry lies. A lease or a postponement moves it, so that who holds an older place can no
/// longer touch it.
struct Place {
  std::string topic;
  Timestamp next_at;
  EntryId id;
};

struct Entry {
  Place place;
  std::string payload;
  Timestamp created_at;
  std::int64_t attempts = 0;  ///< claims so far, this one included (due() counts none)
};

/// Appends within the caller's transaction; due at once. `topic` is a short constant word.
Place append(sql::Transaction& tx, std::string_view topic, std::string_view payload, Timestamp now);
Place append(sql::Transaction& tx, std::string_view topic, std::string_view payload);

/// At most `limit` due entries, oldest first, without a lease: the caller alone takes entries of
/// this topic, and postpones what it can't do.
std::vector<Entry> due(sql::Transaction& tx, std::string_view topic, Timestamp now,
                       std::size_t limit);
/// The same with a lease on each until now + lease.
std::vector<Entry> claim_due(sql::Transaction& tx, std::string_view topic, Timestamp now,
                             std::size_t limit, Micros lease = kLease);
/// When the next entry of the topic falls due; nullopt when there is none. For the consumer's
/// timer.
std::optional<Timestamp> next_due(sql::Transaction& tx, std::string_view topic);
/// Removes the entry; false: it lies there no longer.
bool complete(sql::Transaction& tx, const Place& place);
/// The entry's new place; nullopt: it lies at `place` no longer.
std::optional<Place> postpone(sql::Transaction& tx, const Place& place, Timestamp next_at);

}  // namespace postern::storage::outbox
