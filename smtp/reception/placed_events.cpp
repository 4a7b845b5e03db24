#include "smtp/reception/placed_events.hpp"

namespace postern::smtp::reception {

namespace {

queue::DeliveryEvent accepted_now(const Accepted& message, TenantId tenant, Timestamp now) {
  queue::Envelope envelope;
  envelope.tenant = tenant;
  envelope.id = message.id;
  envelope.return_path = message.return_path;
  envelope.lane = message.lane;
  envelope.stream = message.stream;
  envelope.created_at = now;
  return queue::accepted_event(envelope);
}

// Made once, ids and all, since the delivery may be tried again.
std::vector<queue::DeliveryEvent> make_events(const Accepted& message,
                                              std::span<const accounts::Route> routes,
                                              Timestamp now) {
  std::vector<queue::DeliveryEvent> events{accepted_now(message, routes.front().tenant, now)};
  for (const auto& route : routes) {
    auto event = events.front();
    event.id = queue::EventId::make();
    event.kind = queue::EventKind::delivered;
    event.recipient = static_cast<std::uint32_t>(events.size() - 1);
    event.address = route.address;
    event.destination = queue::destination_of(route.address);
    event.reply = queue::make_reply(250, {2, 1, 5}, "delivered");
    event.attempts = 1;
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace

PlacedEvents::PlacedEvents(queue::EventSink* sink, const Accepted& message,
                           std::span<const accounts::Route> routes, Timestamp now)
    : sink_(sink) {
  if (sink_ != nullptr) all_ = std::make_shared<const Events>(make_events(message, routes, now));
}

mailbox::Alongside PlacedEvents::alongside() const {
  if (sink_ == nullptr) return {};
  return [sink = sink_, all = all_](sql::Transaction& tx,
                                    const std::vector<mailbox::DeliveryOutcome>& outcomes) {
    Events events{all->front()};
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (outcomes[i].state == mailbox::DeliveryState::placed) events.push_back((*all)[i + 1]);
    }
    if (events.size() > 1) sink->append(tx, events);
  };
}

void PlacedEvents::committed() const {
  if (sink_ != nullptr) sink_->committed(all_->front());
}

}  // namespace postern::smtp::reception
