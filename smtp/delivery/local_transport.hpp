// Recipients hosted here whose mail came through the queue (other tenants', mixed recipients, a
// report to make, a mailbox that couldn't take it at once): the interface to whoever files mail
// into mailboxes.
#pragma once

#include <memory>
#include <string>

#include "smtp/delivery/body_source.hpp"
#include "smtp/queue/message.hpp"

namespace postern::smtp::delivery {

struct LocalDelivery {
  DeliveryId id;  ///< the same at each try: a copy already applied under it is a success
  std::shared_ptr<const queue::QueuedMessage> message;
  queue::Recipient recipient;
  std::shared_ptr<BodySource> body;
};

class LocalTransport {
 public:
  virtual ~LocalTransport() = default;
  /// On the io thread that calls. 2xx: it is durable in the mailbox; 4xx: later; 5xx: never. An
  /// Error is trouble of ours and counts as 4xx.
  virtual Task<Result<queue::Reply>> deliver(LocalDelivery delivery) = 0;
};

/// Which way to an address: asked for the senders that reports go to.
class Addressing {
 public:
  virtual ~Addressing() = default;
  virtual Task<queue::Transport> transport_for(std::string address) = 0;
};

}  // namespace postern::smtp::delivery
