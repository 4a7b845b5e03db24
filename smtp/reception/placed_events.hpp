// The timeline of a message that goes straight into mailboxes, and so never sees the queue:
// accepted, and delivered for each mailbox that took it, in the delivery's own commit.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "accounts/resolve.hpp"
#include "mailbox/delivery.hpp"
#include "smtp/queue/event.hpp"
#include "smtp/reception/placement.hpp"

namespace postern::smtp::reception {

class PlacedEvents {
 public:
  /// `sink` may be null: then nothing is recorded. `routes` are the delivery's targets, in order.
  PlacedEvents(queue::EventSink* sink, const Accepted& message,
               std::span<const accounts::Route> routes, Timestamp now);

  /// What belongs into the delivery's commit.
  [[nodiscard]] mailbox::Alongside alongside() const;
  /// After the commit of a delivery that placed something.
  void committed() const;

 private:
  using Events = std::vector<queue::DeliveryEvent>;
  queue::EventSink* sink_;
  std::shared_ptr<const Events> all_;  ///< accepted first, then one for each target
};

}  // namespace postern::smtp::reception
