// Delivery events: one for every attempt's outcome, for timelines, reputation, webhooks.
//
// A sink below writes a row of the outbox inside the same commit as the outcome (append), or does
// what needs no durability after it (committed). append runs in a storage closure: it may run more
// than once.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/id.hpp"
#include "core/lane.hpp"
#include "core/time.hpp"
#include "smtp/queue/message.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::smtp::queue {

enum class EventKind : std::uint8_t {
  delivered,
  deferred,
  bounced,  ///< failed for good; see BounceClass
  expired,  ///< the retries ended
  late,     ///< dropped at its deadline
};
std::string_view to_string(EventKind kind);

/// Why a message came back, as reputation must tell it apart.
enum class BounceClass : std::uint8_t {
  none,
  bad_address,  ///< the mailbox or domain doesn't exist: suppress it
  mailbox_full,
  too_large,
  content,     ///< refused for what it says
  policy,      ///< refused for who we are: block lists, authentication
  unroutable,  ///< null MX, loops, no permitted address
  other,
};
std::string_view to_string(BounceClass bounce);
/// By the enhanced code where there is one (RFC 3463 §3), else by the code.
BounceClass classify(const Reply& reply);

struct DeliveryEvent {
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

class EventSink {
 public:
  virtual ~EventSink() = default;
  /// On the database's thread, inside the commit. Engine errors pass through as exceptions.
  virtual void append(sql::Transaction& tx, const DeliveryEvent& event);
  /// After the commit, on an io thread; must not block.
  virtual void committed(const DeliveryEvent& event);
};

}  // namespace postern::smtp::queue
