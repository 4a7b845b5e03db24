#include "smtp/queue/event.hpp"

namespace postern::smtp::queue {

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::delivered: return "delivered";
    case EventKind::deferred: return "deferred";
    case EventKind::bounced: return "bounced";
    case EventKind::expired: return "expired";
    case EventKind::late: return "late";
    case EventKind::accepted: return "accepted";
    case EventKind::retried: return "retried";
    case EventKind::held: return "held";
    case EventKind::released: return "released";
    case EventKind::dropped: return "dropped";
  }
  return "deferred";
}

std::string_view to_string(BounceClass bounce) {
  switch (bounce) {
    case BounceClass::none: return "none";
    case BounceClass::bad_address: return "bad_address";
    case BounceClass::mailbox_full: return "mailbox_full";
    case BounceClass::too_large: return "too_large";
    case BounceClass::content: return "content";
    case BounceClass::policy: return "policy";
    case BounceClass::unroutable: return "unroutable";
    case BounceClass::other: return "other";
  }
  return "other";
}

namespace {
// RFC 3463 §3.2: what is wrong with the address. X.1.7 and X.1.8 are about the sender's.
BounceClass classify_address(std::uint16_t detail) {
  if (detail == 7 || detail == 8) return BounceClass::policy;
  if (detail == 10) return BounceClass::unroutable;  // null MX, RFC 7505 §4.2
  return BounceClass::bad_address;
}

// RFC 3463 §3.3.
BounceClass classify_mailbox(std::uint16_t detail) {
  switch (detail) {
    case 1: return BounceClass::bad_address;
    case 2: return BounceClass::mailbox_full;
    case 3: return BounceClass::too_large;
    default: return BounceClass::other;
  }
}
}  // namespace

BounceClass classify(const Reply& reply) {
  if (!reply.enhanced.present()) {
    switch (reply.code) {
      case 550:
      case 551:
      case 553: return BounceClass::bad_address;
      case 552: return BounceClass::mailbox_full;
      case 554: return BounceClass::policy;
      default: return BounceClass::other;
    }
  }
  switch (reply.enhanced.subject) {
    case 1: return classify_address(reply.enhanced.detail);
    case 2: return classify_mailbox(reply.enhanced.detail);
    case 3: return reply.enhanced.detail == 4 ? BounceClass::too_large : BounceClass::other;
    case 4: return BounceClass::unroutable;
    case 6: return BounceClass::content;
    case 7: return BounceClass::policy;
    default: return BounceClass::other;
  }
}

namespace {
DeliveryEvent message_event(const Envelope& envelope, EventKind kind, Timestamp at) {
  DeliveryEvent event;
  event.kind = kind;
  event.at = at;
  event.tenant = envelope.tenant;
  event.message = envelope.id;
  event.stream = envelope.stream;
  event.lane = envelope.lane;
  event.return_path = envelope.return_path;
  return event;
}
}  // namespace

DeliveryEvent accepted_event(const Envelope& envelope) {
  auto event = message_event(envelope, EventKind::accepted, envelope.created_at);
  event.id = EventId{envelope.id.value};
  return event;
}

DeliveryEvent recipient_event(const Envelope& envelope, const Recipient& recipient, EventKind kind,
                              Timestamp at) {
  auto event = message_event(envelope, kind, at);
  event.id = EventId::make();
  event.recipient = recipient.number;
  event.address = recipient.address;
  event.destination = recipient.destination;
  event.attempts = recipient.attempts;
  event.age = at - envelope.created_at;
  return event;
}

void EventSink::append(sql::Transaction&, std::span<const DeliveryEvent>) {}
void EventSink::committed(const DeliveryEvent&) {}

}  // namespace postern::smtp::queue
