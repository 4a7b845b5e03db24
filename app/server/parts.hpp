// The composition root: every part of a running server, made in order, destroyed in reverse.
//
// Parts know one another only through what is passed here. Owner: Server.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "accounts/audit/chain.hpp"
#include "accounts/authenticator.hpp"
#include "accounts/directory.hpp"
#include "accounts/password.hpp"
#include "accounts/platform_tenant.hpp"
#include "accounts/registry.hpp"
#include "app/server/event_mover.hpp"
#include "app/server/queue_mailer.hpp"
#include "config/settings.hpp"
#include "core/dns/dns.hpp"
#include "core/outbound/client.hpp"
#include "core/runtime.hpp"
#include "core/tls/context.hpp"
#include "core/worker_pool.hpp"
#include "imap/store_backend.hpp"
#include "mailbox/mailbox_store.hpp"
#include "smtp/delivery/service.hpp"
#include "smtp/queue/event_outbox.hpp"
#include "smtp/reception/local_delivery.hpp"
#include "smtp/reception/reception.hpp"
#include "smtp/reception/report_signing.hpp"
#include "storage/keystore.hpp"
#include "storage/store.hpp"

namespace postern::server {

/// The certificate in use; a reload puts a new one. Thread-safe.
class CurrentTls {
 public:
  [[nodiscard]] std::shared_ptr<const tls::Context> get() const {
    std::scoped_lock lock(mutex_);
    return context_;
  }
  void set(std::shared_ptr<const tls::Context> context) {
    std::scoped_lock lock(mutex_);
    context_ = std::move(context);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const tls::Context> context_;
};

/// accounts' data keys for the message store and for delivery, which may not see accounts.
class TenantKeys final : public mailbox::TenantKeys, public smtp::delivery::KeySource {
 public:
  explicit TenantKeys(accounts::Directory& directory) : directory_(&directory) {}
  Task<Result<std::shared_ptr<const storage::DataKey>>> data_key(TenantId tenant) override {
    return directory_->data_key(tenant);
  }

 private:
  accounts::Directory* directory_;
};

struct Parts {
  std::unique_ptr<Runtime> runtime;
  std::vector<std::shared_ptr<dns::Resolver>> resolvers;  ///< one for each io thread
  std::vector<std::unique_ptr<OutboundClient>> outbound;  ///< one for each io thread
  CurrentTls tls;
  std::shared_ptr<smtp::ByteBudget> budget;
  std::unique_ptr<storage::Store> store;
  std::unique_ptr<storage::Keystore> keystore;
  std::unique_ptr<accounts::Registry> registry;
  std::unique_ptr<accounts::audit::Chain> audit;
  std::unique_ptr<accounts::Directory> directory;
  std::unique_ptr<accounts::PasswordPool> passwords;
  std::unique_ptr<accounts::Authenticator> authenticator;
  std::unique_ptr<TenantKeys> keys;
  mailbox::ChangeFeed feed;
  std::unique_ptr<mailbox::MailboxStore> mailboxes;
  std::unique_ptr<EventMover> event_mover;
  std::unique_ptr<smtp::queue::EventOutbox> events;
  std::unique_ptr<smtp::reception::LocalDeliveryAgent> local_delivery;
  std::unique_ptr<smtp::reception::ReportSigning> report_signing;
  std::unique_ptr<smtp::delivery::DeliveryService> delivery;
  std::unique_ptr<smtp::reception::Reception> reception;
  std::unique_ptr<accounts::PlatformTenant> platform_tenant;
  std::unique_ptr<QueueMailer> mailer;
  std::shared_ptr<imap::Backend> imap;
  // The first to go: their jobs use what is above.
  std::unique_ptr<WorkerPool> workers;       ///< for key generation, backup, event files
  std::unique_ptr<WorkerPool> body_workers;  ///< seal and stage large bodies

  /// The resolver of the calling io thread; the first one's from elsewhere.
  [[nodiscard]] dns::Resolver& resolver() const;
  [[nodiscard]] OutboundClient& outbound_client() const;
  /// Of the calling io thread; the first one's from elsewhere.
  [[nodiscard]] Executor executor() const;
};

Result<std::unique_ptr<Parts>> make_parts(const config::Settings& settings);

}  // namespace postern::server
