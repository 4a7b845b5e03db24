// Delivery events: one when a message is accepted, one for every attempt's outcome and for what an
// operator does to a recipient, for timelines, reputation, webhooks. They say nothing of what is in
// the message.
//
// A sink below writes rows of the outbox inside the same commit as the outcome (append), or does
// what needs no durability after it (committed). append runs in a storage closure: it may run more
// than once. EventOutbox (event_outbox.hpp) is the sink of a server.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/lane.hpp"
#include "core/time.hpp"
#include "smtp/queue/message.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::smtp::queue {

/// Unique: what is recorded under it twice is there once. In order of time within a process.
using EventId = Id<struct EventTag>;

/// The numbers of these enums are stored and never change.
enum class EventKind : std::uint8_t {
  delivered = 0,
  deferred = 1,
  bounced = 2,   ///< failed for good; see BounceClass
  expired = 3,   ///< the retries ended
  late = 4,      ///< dropped at its deadline
  accepted = 5,  ///< the message is on disk; of the whole message, so recipient fields are empty
  retried = 6,   ///< from here on by an operator: due at once
  held = 7,
  released = 8,
  dropped = 9,
};
inline constexpr auto kLastEventKind = EventKind::dropped;
std::string_view to_string(EventKind kind);

/// Why a message came back, as reputation must tell it apart.
enum class BounceClass : std::uint8_t {
  none = 0,
  bad_address = 1,  ///< the mailbox or domain doesn't exist: suppress it
  mailbox_full = 2,
  too_large = 3,
  content = 4,     ///< refused for what it says
  policy = 5,      ///< refused for who we are: block lists, authentication
  unroutable = 6,  ///< null MX, loops, no permitted address
  other = 7,
};
std::string_view to_string(BounceClass bounce);
/// By the enhanced code where there is one (RFC 3463 §3), else by the code.
BounceClass classify(const Reply& reply);

struct DeliveryEvent {
  EventId id;
  EventKind kind = EventKind::deferred;
  BounceClass bounce = BounceClass::none;
  Timestamp at{};
  TenantId tenant;
  MessageId message;
  std::uint32_t recipient = 0;
  std::string address;
  std::string destination;
  std::string stream;
  Lane lane = Lane::transactional;
  std::string return_path;
  Reply reply;
  std::string remote_mta;
  std::uint32_t attempts = 0;
  std::optional<Timestamp> next_attempt;
  std::chrono::microseconds age{};  ///< since acceptance
};

/// That a message is on its way. Its id is the message's own: however often it is made, it is one.
DeliveryEvent accepted_event(const Envelope& envelope);
/// What happened to one recipient, under a new id; what an attempt brought is the caller's to add.
DeliveryEvent recipient_event(const Envelope& envelope, const Recipient& recipient, EventKind kind,
                              Timestamp at);

class EventSink {
 public:
  virtual ~EventSink() = default;
  /// All events of one commit, on the database's thread, inside it. Engine errors pass through as
  /// exceptions.
  virtual void append(sql::Transaction& tx, std::span<const DeliveryEvent> events);
  /// After the commit, on an io thread; must not block.
  virtual void committed(const DeliveryEvent& event);
};

}  // namespace postern::smtp::queue
