// A chain's stream: where its records go, and up to which of them the receiver has taken.
//
// The chain itself is the durable queue: a stream is one row with a cursor, the number of the last
// record that was taken. So a record is sent at least once (a crash between sending and moving the
// cursor repeats a batch; receivers know a record again by its id, since a damaged chain may give a
// number twice), in order, and streaming stores nothing twice. Bounded: what retention removed, and
// what lies further back than the bound, is skipped; how much is counted, and a record in the chain
// tells of it.
//
// Every function here works in the caller's transaction and keeps nothing. A change of the
// destination makes a new revision, and whoever still works for the old one moves nothing
// (Errc::not_found). The chain isn't verified here (verify.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "accounts/audit/chain.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::accounts::audit {

using StreamRevision = Id<struct AuditStreamTag>;

inline constexpr std::string_view kStreamSkip = "audit.stream_skip";
// Of a batch. Each failure in a row halves them, down to one record, so that what a receiver
// refuses for its size gets there in pieces; a success makes them whole again.
inline constexpr std::size_t kMaxBatch = 200;             ///< records
inline constexpr std::size_t kBatchBytes = 512UL * 1024;  ///< of their texts, but for the last
inline constexpr std::size_t kMaxStreamError = 200;

struct TrailStream {
  StreamRevision revision;
  std::string origin;  ///< of the destination, for people
  std::string sealed;  ///< the destination (destination.hpp)
  std::uint64_t cursor = 0;
  std::uint64_t delivered = 0;  ///< records since it was first set
  std::uint64_t skipped = 0;
  std::optional<Timestamp> delivered_at;
  std::int64_t failures = 0;  ///< in a row
  std::optional<Timestamp> failing_since;
  std::optional<Timestamp> retry_at;
  std::string last_error;  ///< of the last attempt, if it failed
  Timestamp changed;       ///< set, or wound back
};

/// What a destination is sealed under: this row and no other.
std::string stream_context(TenantId chain, StreamRevision revision);

struct NewStream {
  StreamRevision revision = StreamRevision::make();
  std::string origin;
  std::string sealed;
  /// Begin behind this record, or with the oldest that is kept if that is younger. Without it a new
  /// stream begins with the chain's next record, and a changed one goes on where it was.
  std::optional<std::uint64_t> after;
  Timestamp now;
};
Result<TrailStream> set_stream(sql::TenantScope& scope, const NewStream& fresh);
/// Errc::not_found.
Result<TrailStream> find_stream(sql::TenantScope& scope);
Result<void> remove_stream(sql::TenantScope& scope);
/// The chain goes on behind `newest`, and may give numbers again: a stream that was further goes on
/// there too, and what is under way moves nothing.
void wind_back_stream(sql::TenantScope& scope, std::uint64_t newest, Timestamp now);
/// The chains that have one.
std::vector<TenantId> streamed_chains(sql::Transaction& tx);

/// How many records wait behind the cursor, skipped ones included.
std::uint64_t backlog_of(sql::TenantScope& scope, const TrailStream& stream);

struct Skip {
  enum class Reason : std::uint8_t { retention, backlog } reason = Reason::retention;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

struct Batch {
  std::vector<Entry> entries;  ///< none: nothing waits, or there is something to skip
  std::optional<Skip> skip;    ///< to be done before anything is read
};
/// What is next for `stream`. `bound`: how many records may wait (at least 10); beyond it so many
/// are skipped that nine tenths of it are left, so that skips stay few.
Batch next_batch(sql::TenantScope& scope, const TrailStream& stream, std::uint64_t bound);

/// The receiver has taken `count` records, up to number `last`. Errc::not_found: `was` isn't the
/// stream as it stands, its cursor isn't there any more, or the chain was wound back; that goes for
/// the next two as well.
Result<void> move_cursor(sql::TenantScope& scope, const TrailStream& was, std::uint64_t last,
                         std::uint64_t count, Timestamp now);
/// With a record in the chain. Errors of Chain::append.
Result<void> skip_records(sql::TenantScope& scope, const Chain& chain, const TrailStream& was,
                          const Skip& skip, Timestamp now);
Result<void> note_failure(sql::TenantScope& scope, const TrailStream& was, std::string_view error,
                          Timestamp now, Timestamp retry_at);

}  // namespace postern::accounts::audit
