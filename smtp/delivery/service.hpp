// Delivery as it runs: the scheduler on the first io thread, attempts on all of them, results into
// queue.db.
//
// A destination's jobs run on one thread (a hash of the domain), which so keeps its connections.
// Lifetime: made after the store and before the runtime starts; drain() before Runtime::stop();
// dies after it. All that Environment refers to outlives it. After Runtime::stop() the database is
// closed, and only then may the Runtime die: what the database still answers is posted to the
// Runtime's contexts. offer() and changed() may be called from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "core/dns/dns.hpp"
#include "core/runtime.hpp"
#include "core/tls/context.hpp"
#include "smtp/delivery/body_source.hpp"
#include "smtp/delivery/local_transport.hpp"
#include "smtp/delivery/report_signer.hpp"
#include "smtp/delivery/settings.hpp"
#include "smtp/queue/event.hpp"
#include "smtp/queue/repository.hpp"
#include "storage/database.hpp"

namespace postern::smtp::delivery {

struct Environment {
  Runtime* runtime = nullptr;
  storage::Database* queue = nullptr;
  const Clock* clock = nullptr;
  std::function<dns::Resolver&(std::size_t thread)> resolver;
  KeySource* keys = nullptr;
  LocalTransport* local = nullptr;
  Addressing* addressing = nullptr;
  ReportSigner* report_signer = nullptr;    ///< may be null: reports go unsigned
  queue::EventSink* events = nullptr;       ///< may be null
  std::shared_ptr<const tls::Context> tls;  ///< for clients; null: never TLS
  std::function<bool()> below_reserve;      ///< may be empty; true: no new attempts
};

class DeliveryService {
 public:
  DeliveryService(DeliverySettings settings, Environment environment);
  ~DeliveryService();
  DeliveryService(const DeliveryService&) = delete;
  DeliveryService& operator=(const DeliveryService&) = delete;

  /// Begins to read the schedule and to attempt; once the runtime runs.
  void start();
  /// Taken before a message is enqueued, given back with it: tells whether the schedule was read
  /// in between. Then the message may have been found there and sent already.
  [[nodiscard]] std::uint64_t ticket() const;
  /// A message whose enqueue has committed.
  void offer(std::shared_ptr<const queue::QueuedMessage> message, std::uint64_t ticket);
  /// Management changed a message (after its commit).
  void changed(MessageId message);
  /// No new attempts from now on; waits for those under way and their commits, at most `limit`,
  /// then closes their connections. Not from an io thread. True when all ended by themselves.
  bool drain(std::chrono::milliseconds limit);

  [[nodiscard]] std::size_t in_flight() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace postern::smtp::delivery
