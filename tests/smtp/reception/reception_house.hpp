// Acceptance over real databases: accounts, a queue nobody works on, mailboxes; DNS of the test's.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "core/runtime.hpp"
#include "dkim/sign/key.hpp"
#include "mailbox/mailbox_store.hpp"
#include "mailbox/schema.hpp"
#include "smtp/delivery/body_source.hpp"
#include "smtp/delivery/service.hpp"
#include "smtp/queue/repository.hpp"
#include "smtp/queue/schema.hpp"
#include "smtp/reception/local_delivery.hpp"
#include "smtp/reception/reception.hpp"
#include "storage/store.hpp"
#include "tests/accounts/directory_keys.hpp"
#include "tests/accounts/world.hpp"
#include "tests/support/fake_resolver.hpp"

namespace postern::test {

using accounts::test::DirectoryKeys;
using accounts::test::must;

class ReceptionHouse {
 public:
  explicit ReceptionHouse(smtp::reception::Policy policy = {}) {
    policy.hostname = "mx.acme.example";
    environment.policy = policy;
    environment.clock = &world.clock;
    environment.directory = &world.look_up;
    environment.authenticator = &authenticator;
    environment.mailboxes = &mailboxes;
    environment.queue = &files->queue();
    environment.delivery = &delivery;
    environment.budget = budget;
    environment.staging.emplace(workers, files->staging_directory());
    environment.resolver = [this]() -> dns::Resolver& { return dns; };
    reception = std::make_unique<smtp::reception::Reception>(environment);
    local = std::make_unique<smtp::reception::LocalDeliveryAgent>(environment);
    acme = world.tenant("acme");
    other = world.tenant("other");
    world.domain(acme.id, "acme.example");
    world.domain(other.id, "other.example");
    ann = world.account(acme.id, "ann@acme.example");
    bob = world.account(acme.id, "bob@acme.example");
    eve = world.account(other.id, "eve@other.example");
  }

  smtp::SessionInfo stranger(const std::string& address = "192.0.2.1") const {
    smtp::SessionInfo session;
    session.id = "s1";
    session.kind = smtp::Kind::mx;
    session.remote = {asio::ip::make_address(address), 40'000};
    session.hello = {smtp::Hello::Verb::ehlo, "out.remote.example"};
    return session;
  }
  smtp::SessionInfo user(const accounts::Account& account) const {
    auto session = stranger();
    session.kind = smtp::Kind::submission;
    session.identity =
        smtp::Identity{account.tenant, account.id, CredentialId::make(), account.address.text()};
    return session;
  }

  /// MAIL, RCPT..., and the message in slices.
  smtp::Reply send(const smtp::SessionInfo& session, const std::string& from,
                   const std::vector<std::string>& to, const std::string& message,
                   std::size_t slice = 70'000) {
    smtp::Envelope envelope;
    if (!from.empty()) envelope.return_path = *smtp::parse_mailbox(from);
    if (auto fine = world.run(reception->check_sender(session, envelope)); !fine)
      return fine.error();
    for (const auto& address : to) {
      smtp::Recipient recipient;
      recipient.path = *smtp::parse_mailbox(address);
      if (auto fine = world.run(reception->check_recipient(session, envelope, recipient)); !fine)
        return fine.error();
      envelope.recipients.push_back(std::move(recipient));
    }
    if (after_recipients) after_recipients();
    auto sink = world.run(reception->begin_message(session, envelope));
    if (!sink) return sink.error();
    for (std::size_t at = 0; at < message.size(); at += slice) {
      auto taken = world.run((*sink)->append(std::string_view(message).substr(at, slice)));
      if (!taken) return taken.error();
    }
    return world.run((*sink)->commit());
  }

  struct Stored {
    std::string text;
    message::Index index;
  };
  /// What lies in a folder, in order.
  std::vector<Stored> mail(const accounts::Account& account, const std::string& folder = "INBOX") {
    const mailbox::Place place{account.tenant, tenant_of(account).shard};
    auto found = world.run(mailboxes.find(place, account.id, folder));
    if (!found) return {};
    auto rows = must(world.run(
        mailboxes.fetch(place, found->id, {mailbox::UidRange{}}, mailbox::FetchDepth::index, 100)));
    std::vector<Stored> out;
    for (const auto& row : rows) {
      auto text = must(world.run(mailboxes.read_body(place, row.object, 0, UINT64_MAX)));
      CHECK(row.size == text.size());
      out.push_back({std::move(text), must(world.run(mailboxes.index(place, row)))});
    }
    return out;
  }

  using QueuedPtr = std::shared_ptr<const smtp::queue::QueuedMessage>;
  /// What waits in a lane, in order of acceptance.
  std::vector<QueuedPtr> queued(Lane lane = Lane::transactional) {
    const auto now = world.clock.now();
    auto found =
        files->queue().read_blocking<std::vector<QueuedPtr>>([now, lane](sql::Transaction& tx) {
          std::vector<QueuedPtr> out;
          for (const auto& due : smtp::queue::due_rows(tx, lane, {}, now, 100)) {
            if (due.recipient != 0) continue;
            sql::TenantScope scope(tx, due.tenant);
            auto message = smtp::queue::load_message(scope, due.message, {});
            if (!message) return Result<std::vector<QueuedPtr>>(std::unexpected(message.error()));
            out.push_back(std::make_shared<const smtp::queue::QueuedMessage>(std::move(*message)));
          }
          return Result<std::vector<QueuedPtr>>(std::move(out));
        });
    return must(std::move(found));
  }
  std::shared_ptr<storage::BodySource> body_of(const QueuedPtr& message) {
    auto key = must(world.run(world.look_up.data_key(message->envelope.tenant)));
    return smtp::delivery::make_body_source(files->queue(), std::move(key), message);
  }
  std::string text_of(const QueuedPtr& message) {
    return must(world.run(storage::read_all(body_of(message))));
  }

  /// A key for a domain of a tenant, in control.db and in DNS.
  void add_signing_key(TenantId tenant, const std::string& domain) {
    auto pair = must(dkim::generate(dkim::Algorithm::ed25519));
    accounts::SigningKey key;
    key.id = accounts::SigningKeyId::make();
    key.domain = domain;
    key.selector = "e1";
    key.algorithm = accounts::SigningAlgorithm::ed25519_sha256;
    key.public_record = pair.dns_record;
    key.created = world.clock.now();
    key.wrapped_private_key = must(accounts::wrap_private_key(world.keystore.master(), tenant,
                                                              domain, "e1", pair.private_pem));
    must(world.scoped(
        tenant, [key](sql::TenantScope& scope) { return accounts::add_signing_key(scope, key); }));
    dns.add_txt("e1._domainkey." + domain, pair.dns_record);
  }

  std::function<void()> after_recipients;  ///< runs between RCPT and DATA
  accounts::test::World world;
  Runtime runtime{1};  ///< never started: what is offered to delivery waits
  FakeResolver dns;
  std::unique_ptr<storage::Store> files = open_files(world.directory.file("data"));
  WorkerPool workers{"body", 2, 100};
  DirectoryKeys keys{world.look_up};
  mailbox::ChangeFeed feed;
  mailbox::MailboxStore mailboxes{*files, storage::Staging(workers, files->staging_directory()),
                                  keys, feed, world.clock};
  accounts::PasswordPool passwords{{accounts::test::kSmall, 1, 100, 1 << 20}};
  accounts::Authenticator authenticator{world.registry, passwords, world.clock, {}};
  smtp::delivery::DeliveryService delivery{{}, delivery_environment()};
  std::shared_ptr<smtp::ByteBudget> budget = std::make_shared<smtp::ByteBudget>(8 << 20);
  smtp::reception::Environment environment;
  std::unique_ptr<smtp::reception::Reception> reception;
  std::unique_ptr<smtp::reception::LocalDeliveryAgent> local;
  accounts::Tenant acme, other;
  accounts::Account ann, bob, eve;

 private:
  static std::unique_ptr<storage::Store> open_files(const std::string& directory) {
    storage::Store::Options options;
    options.directory = directory;
    options.mail_shards = 3;
    options.queue = {smtp::queue::queue_schema()};
    options.mail = {mailbox::mail_schema()};
    options.disk_reserve = 0;
    return must(storage::Store::open(std::move(options)));
  }
  smtp::delivery::Environment delivery_environment() {
    smtp::delivery::Environment out;
    out.runtime = &runtime;
    out.queue = &files->queue();
    out.clock = &world.clock;
    out.resolver = [this](std::size_t) -> dns::Resolver& { return dns; };
    out.keys = &keys;
    return out;
  }
  const accounts::Tenant& tenant_of(const accounts::Account& account) const {
    return account.tenant == acme.id ? acme : other;
  }
};

}  // namespace postern::test
