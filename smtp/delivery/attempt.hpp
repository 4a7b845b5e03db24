// One attempt: a message to recipients of one destination, over SMTP or the local transport.
//
// Runs on the io thread of its destination. Tries each hop of the route until one takes the
// conversation to its end; a failed TLS handshake is tried once more in clear where policy lets it.
// An answer to the transaction ends the attempt: other hops are for servers that can't be talked
// to.
#pragma once

#include <memory>
#include <vector>

#include "core/dns/dns.hpp"
#include "core/tls/context.hpp"
#include "smtp/delivery/body_source.hpp"
#include "smtp/delivery/local_transport.hpp"
#include "smtp/delivery/pool.hpp"
#include "smtp/delivery/settings.hpp"
#include "smtp/queue/outcome.hpp"
#include "smtp/queue/scheduler.hpp"

namespace postern::smtp::delivery {

/// What one io thread's attempts share. Everything outlives the attempts (service.hpp).
struct Worker {
  Worker(const DeliverySettings& s, dns::Resolver& r, std::shared_ptr<const tls::Context> t,
         std::size_t threads)
      : settings(&s), resolver(&r), tls(std::move(t)), pool(s, threads) {}
  const DeliverySettings* settings;
  dns::Resolver* resolver;
  std::shared_ptr<const tls::Context> tls;
  Pool pool;
  std::vector<std::weak_ptr<Connection>> busy;  ///< for closing what outstays a drain
  void close_busy();
  bool closing = false;  ///< nothing new is begun
};

struct AttemptReport {
  std::vector<queue::AttemptResult> results;  ///< one for each recipient
  queue::DestinationNews news = queue::DestinationNews::nothing;
};

/// Over SMTP. `recipients` share the destination.
Task<AttemptReport> attempt_remote(std::shared_ptr<Worker> worker, TransactionPlan plan,
                                   std::string destination, std::shared_ptr<BodySource> body);

/// Into mailboxes of this server, one after the other.
Task<AttemptReport> attempt_local(LocalTransport* local, TransactionPlan plan,
                                  std::shared_ptr<BodySource> body);

/// The same result for each recipient.
AttemptReport same_for_all(const std::vector<queue::Recipient>& recipients,
                           queue::AttemptResult::Kind kind, const queue::Reply& reply,
                           const std::string& remote_mta, queue::DestinationNews news);

}  // namespace postern::smtp::delivery
