#include "smtp/queue/event_outbox.hpp"

#include <algorithm>

#include "smtp/queue/event_payload.hpp"
#include "storage/outbox.hpp"

namespace postern::smtp::queue {

void EventOutbox::append(sql::Transaction& tx, std::span<const DeliveryEvent> events) {
  while (!events.empty()) {
    const auto some = events.first(std::min(events.size(), kMaxPayloadEvents));
    events = events.subspan(some.size());
    storage::outbox::append(tx, kEventTopic, encode_events(some), some.front().at);
  }
}

void EventOutbox::committed(const DeliveryEvent&) { nudge_(); }

}  // namespace postern::smtp::queue
