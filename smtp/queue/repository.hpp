// The queue's rows: every statement that touches them but management's lists.
//
// Functions of a transaction, for use in closures of storage::Database (which may run them more
// than once). Each that changes several rows writes before it reads. Acceptance happens at most
// once per idempotency key; an attempt happens at least once: it is known only in memory that one
// is under way, so after a crash its recipients are due again. A result is committed before the
// next attempt. One window remains, and SMTP has no answer to it: the peer said 250 and we died
// before our commit; that recipient gets a second copy (RFC 5321 §6.1 prefers it to a lost one).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "smtp/queue/event.hpp"
#include "smtp/queue/message.hpp"
#include "smtp/queue/outcome.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::smtp::queue {

enum class Acceptance : std::uint8_t {
  fresh,
  repeat,  ///< the idempotency key was used with the same fingerprint: nothing was written
};
struct Enqueued {
  MessageId id;  ///< of the first message when this is a repeat
  Acceptance acceptance = Acceptance::fresh;
};

/// Writes body, message, recipients and schedule; all are due at once. Errc::exists when the
/// idempotency key was used for something else, Errc::invalid without recipients, Errc::too_large.
/// `events` (may be null) is given accepted_event() of a fresh one, in the same commit.
Result<Enqueued> enqueue(sql::Transaction& tx, const NewMessage& message,
                         EventSink* events = nullptr);

/// The message as enqueue wrote it, for handing to the scheduler without reading it back.
QueuedMessage as_queued(const NewMessage& message);

/// A row of the schedule.
struct DueRow {
  Lane lane = Lane::transactional;
  Timestamp due_at{};
  TenantId tenant;
  std::string stream;
  std::string destination;
  Transport transport = Transport::remote;
  MessageId message;
  std::uint32_t recipient = 0;
  std::optional<Timestamp> deadline;
};

/// Where a page of the schedule ended.
struct ScheduleCursor {
  Timestamp due_at = Timestamp::min();
  MessageId message{};
  std::uint32_t recipient = 0;
  auto operator<=>(const ScheduleCursor&) const = default;
};

/// Rows of a lane due by `now`, after `cursor`, in order of (due_at, message, recipient).
std::vector<DueRow> due_rows(sql::Transaction& tx, Lane lane, const ScheduleCursor& cursor,
                             Timestamp now, std::size_t limit);

/// What waits together: a tenant's stream to a destination within a lane.
struct FlowKey {
  Lane lane = Lane::transactional;
  TenantId tenant;
  std::string stream;
  std::string destination;
  auto operator<=>(const FlowKey&) const = default;
};
std::vector<DueRow> due_rows_of_flow(sql::Transaction& tx, const FlowKey& flow, Timestamp now,
                                     std::size_t limit);

/// Live recipients by lane.
std::array<std::int64_t, kLanes> depth_by_lane(sql::Transaction& tx);

/// The message with the recipients named, or all when `recipients` is empty. Errc::not_found.
Result<QueuedMessage> load_message(sql::TenantScope& scope, MessageId message,
                                   std::span<const std::uint32_t> recipients);

/// What record_outcomes did.
struct Recorded {
  std::vector<std::uint32_t> applied;  ///< recipients that were still live and took their outcome
  bool message_finished = false;       ///< the last live recipient ended: rows and body are gone
};

/// Takes `ended` recipients off the message's live count; true when none is left, and then all of
/// it is erased.
bool end_recipients(sql::TenantScope& scope, MessageId message, std::int64_t ended);

/// Applies outcomes to recipients that are still live. When none is left live, the message, its
/// recipients and its body are erased.
Result<Recorded> record_outcomes(sql::Transaction& tx, TenantId tenant, MessageId message,
                                 std::span<const Outcome> outcomes);

}  // namespace postern::smtp::queue
