// A delivery service on two io threads over a queue.db of its own, with DNS, mailboxes and events
// of the test's.
#pragma once

#include <atomic>
#include <catch2/catch.hpp>
#include <map>
#include <mutex>

#include "message/dsn.hpp"
#include "smtp/delivery/service.hpp"
#include "smtp/queue/event_outbox.hpp"
#include "tests/smtp/delivery/smtp_sink.hpp"
#include "tests/smtp/queue/queue_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/fake_resolver.hpp"

namespace postern::test {

namespace d = postern::smtp::delivery;

class FakeLocal final : public d::LocalTransport,
                        public d::Addressing,
                        public d::KeySource,
                        public q::EventSink {
 public:
  Task<Result<q::Reply>> deliver(d::LocalDelivery delivery) override {
    auto body = co_await delivery.body->read(0, delivery.body->size());
    std::scoped_lock lock(mutex);
    ids.push_back(delivery.id);
    if (!reply.positive()) co_return reply;
    mail[delivery.recipient.address].push_back(body ? *body : "unreadable");
    co_return reply;
  }
  Task<q::Transport> transport_for(std::string address) override {
    co_return address.ends_with("@our.example") ? q::Transport::local : q::Transport::remote;
  }
  Task<Result<std::shared_ptr<const storage::DataKey>>> data_key(TenantId) override {
    co_return key;
  }
  void append(sql::Transaction& tx, std::span<const q::DeliveryEvent> made) override {
    outbox.append(tx, made);
  }
  void committed(const q::DeliveryEvent& event) override {
    std::scoped_lock lock(mutex);
    events.push_back(event);
  }

  std::size_t count(q::EventKind kind) {
    std::scoped_lock lock(mutex);
    return static_cast<std::size_t>(std::ranges::count(events, kind, &q::DeliveryEvent::kind));
  }
  std::vector<std::string> mailbox(const std::string& address) {
    std::scoped_lock lock(mutex);
    return mail[address];
  }

  std::mutex mutex;
  std::shared_ptr<const storage::DataKey> key;
  q::Reply reply = q::make_reply(250, {2, 0, 0}, "filed");
  std::map<std::string, std::vector<std::string>> mail;
  std::vector<DeliveryId> ids;
  std::vector<q::DeliveryEvent> events;
  q::EventOutbox outbox{[] {}};
};

class ServiceFixture {
 public:
  explicit ServiceFixture(std::uint16_t port) {
    settings.hostname = "mx.our.example";
    settings.port = port;
    settings.private_addresses = d::PrivateAddresses::allowed;
    settings.scheduler.poll = std::chrono::milliseconds{10};
    settings.timeouts.connect = std::chrono::seconds{5};
    local.key = queue.key;
    dns.add_mx("b.example", 10, "mx.b.example");
    dns.add_a("mx.b.example", "127.0.0.1");
  }
  ~ServiceFixture() { stop(); }

  void start() {
    runtime = std::make_unique<Runtime>(2);
    d::Environment e;
    e.runtime = runtime.get();
    e.queue = queue.db.get();
    e.clock = &queue.clock;
    e.resolver = [this](std::size_t) -> dns::Resolver& { return dns; };
    e.keys = &local;
    e.local = &local;
    e.addressing = &local;
    e.events = &local;
    e.tls = *tls::Context::make_client(tls::Context::Verify::none);
    e.below_reserve = [this] { return below_reserve.load(); };
    service = std::make_unique<d::DeliveryService>(settings, e);
    runtime->start();
    service->start();
  }
  bool stop() {
    if (!service) return true;
    const bool clean = service->drain(std::chrono::seconds{5});
    end();
    return clean;
  }
  /// The order that a server keeps: threads, then databases (they post back to the contexts), then
  /// contexts.
  void end() {
    runtime->stop();
    service.reset();
    queue.reopen();
    runtime.reset();
  }
  /// Enqueued and handed over, as at acceptance.
  MessageId send(const q::NewMessage& message) {
    const auto ticket = service->ticket();
    queue.put(message);
    service->offer(std::make_shared<const q::QueuedMessage>(q::as_queued(message)), ticket);
    return message.envelope.id;
  }
  bool finished(MessageId id) {
    return eventually([&] { return !queue.load(id); });
  }

  QueueFixture queue;
  FakeResolver dns;
  FakeLocal local;
  d::DeliverySettings settings;
  std::atomic<bool> below_reserve = false;
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<d::DeliveryService> service;
};

}  // namespace postern::test
