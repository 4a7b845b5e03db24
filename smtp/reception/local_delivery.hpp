// The queue's way to mailboxes of this server: mail from another tenant, reports, and mixed
// recipients.
//
// What another tenant submitted is verified like mail from outside (DKIM and DMARC by the same
// code; SPF has no client address to look at and is left out), so that tenants trust each other no
// more than strangers.
#pragma once

#include "smtp/delivery/local_transport.hpp"
#include "smtp/reception/environment.hpp"

namespace postern::smtp::reception {

class LocalDeliveryAgent final : public delivery::LocalTransport, public delivery::Addressing {
 public:
  explicit LocalDeliveryAgent(Environment environment) : environment_(std::move(environment)) {}

  Task<Result<queue::Reply>> deliver(delivery::LocalDelivery delivery) override;
  Task<queue::Transport> transport_for(std::string address) override;

 private:
  Environment environment_;
};

}  // namespace postern::smtp::reception
