#include "app/server/parts.hpp"

#include <thread>

#include "accounts/audit/key.hpp"
#include "app/server/options.hpp"
#include "app/server/stores.hpp"
#include "core/crypto.hpp"

namespace postern::server {

namespace {

constexpr std::size_t kWorkerThreads = 2;  // key generation and the like
constexpr std::size_t kBodyQueue = 1'000;  // chunks of 256 KiB that wait
constexpr std::size_t kWorkerQueue = 100;

Result<void> open_storage(const config::Settings& settings, Parts& parts) {
  auto master = storage::open_master_key_file(settings.storage.master_key.string());
  if (!master) return std::unexpected(master.error());
  parts.keystore =
      std::make_unique<storage::Keystore>(std::shared_ptr<storage::MasterKey>(std::move(*master)));
  auto store = open_store(settings);
  if (!store) return std::unexpected(store.error());
  parts.store = std::move(*store);
  auto key = accounts::audit::open_chain_key(parts.store->control(), parts.keystore->master(),
                                             system_clock().now());
  if (!key) return std::unexpected(key.error());
  parts.audit = std::make_unique<accounts::audit::Chain>(*key);
  crypto::wipe(*key);
  return {};
}

storage::Staging staging_of(Parts& parts) {
  return {*parts.body_workers, parts.store->staging_directory(),
          [store = parts.store.get()] { return store->below_reserve(); }};
}

void make_accounts(const config::Settings& settings, Parts& parts) {
  parts.registry = std::make_unique<accounts::Registry>(parts.store->control());
  parts.directory = std::make_unique<accounts::Directory>(
      *parts.registry, *parts.keystore,
      accounts::DirectoryOptions{static_cast<std::size_t>(settings.auth.directory_entries)});
  parts.passwords = std::make_unique<accounts::PasswordPool>(password_options(settings));
  auto options = authenticator_options(settings);
  options.trail = parts.audit.get();
  parts.authenticator = std::make_unique<accounts::Authenticator>(*parts.registry, *parts.passwords,
                                                                  system_clock(), options);
  parts.keys = std::make_unique<TenantKeys>(*parts.directory);
  parts.mailboxes = std::make_unique<mailbox::MailboxStore>(
      *parts.store, staging_of(parts), *parts.keys, parts.feed, system_clock());
}

smtp::reception::Environment reception_environment(const config::Settings& settings, Parts& parts) {
  smtp::reception::Environment environment;
  environment.policy = reception_policy(settings);
  environment.clock = &system_clock();
  environment.directory = parts.directory.get();
  environment.authenticator = parts.authenticator.get();
  environment.mailboxes = parts.mailboxes.get();
  environment.queue = &parts.store->queue();
  environment.delivery = parts.delivery.get();
  environment.events = parts.events.get();
  environment.budget = parts.budget;
  environment.staging = staging_of(parts);
  environment.resolver = [&parts]() -> dns::Resolver& { return parts.resolver(); };
  return environment;
}

Result<void> make_outbound(const config::Settings& settings, Parts& parts) {
  auto tls = tls::Context::make_client(tls::Context::Verify::system_roots);
  if (!tls) return std::unexpected(tls.error());
  const std::shared_ptr<const tls::Context> context = std::move(*tls);
  parts.outbound.reserve(parts.resolvers.size());
  for (const auto& resolver : parts.resolvers) {
    parts.outbound.push_back(
        std::make_unique<OutboundClient>(*resolver, context, outbound_options(settings)));
  }
  return {};
}

Result<void> make_mail(const config::Settings& settings, Parts& parts) {
  auto client_tls = tls::Context::make_client(tls::Context::Verify::none);
  if (!client_tls) return std::unexpected(client_tls.error());
  parts.event_mover =
      std::make_unique<EventMover>(*parts.runtime, *parts.store, *parts.workers, system_clock());
  parts.events = std::make_unique<smtp::queue::EventOutbox>(
      [mover = parts.event_mover.get()] { mover->nudge(); });
  parts.local_delivery =
      std::make_unique<smtp::reception::LocalDeliveryAgent>(reception_environment(settings, parts));
  parts.report_signing = std::make_unique<smtp::reception::ReportSigning>(
      *parts.directory, system_clock(), settings.hostname);
  smtp::delivery::Environment environment;
  environment.report_signer = parts.report_signing.get();
  environment.runtime = parts.runtime.get();
  environment.queue = &parts.store->queue();
  environment.clock = &system_clock();
  environment.resolver = [&parts](std::size_t thread) -> dns::Resolver& {
    return *parts.resolvers[thread];
  };
  environment.keys = parts.keys.get();
  environment.local = parts.local_delivery.get();
  environment.addressing = parts.local_delivery.get();
  environment.events = parts.events.get();
  environment.tls = std::move(*client_tls);
  environment.below_reserve = [store = parts.store.get()] { return store->below_reserve(); };
  parts.delivery = std::make_unique<smtp::delivery::DeliveryService>(delivery_settings(settings),
                                                                     std::move(environment));
  parts.reception =
      std::make_unique<smtp::reception::Reception>(reception_environment(settings, parts));
  auto from = parse_mail_from(settings.web.mail_from.empty() ? "postern@" + settings.hostname
                                                             : settings.web.mail_from);
  if (!from) return std::unexpected(from.error());
  parts.platform_tenant = std::make_unique<accounts::PlatformTenant>(
      *parts.registry, *parts.keystore, system_clock(),
      static_cast<std::uint32_t>(parts.store->mail_shards()));
  parts.mailer = std::make_unique<QueueMailer>(reception_environment(settings, parts),
                                               *parts.platform_tenant, std::move(*from));
  parts.imap = std::make_shared<imap::StoreBackend>(*parts.authenticator, *parts.mailboxes);
  return {};
}

}  // namespace

dns::Resolver& Parts::resolver() const {
  const auto index = runtime->current();
  return *resolvers[index < resolvers.size() ? index : 0];
}

OutboundClient& Parts::outbound_client() const {
  const auto index = runtime->current();
  return *outbound[index < outbound.size() ? index : 0];
}

Executor Parts::executor() const {
  const auto index = runtime->current();
  return runtime->context(index < runtime->size() ? index : 0).get_executor();
}

Result<std::unique_ptr<Parts>> make_parts(const config::Settings& settings) {
  auto parts = std::make_unique<Parts>();
  auto tls =
      tls::Context::make_server(settings.tls.certificate.string(), settings.tls.key.string());
  if (!tls) return std::unexpected(tls.error());
  parts->tls.set(std::move(*tls));
  const auto threads = settings.runtime.threads > 0
                           ? static_cast<std::size_t>(settings.runtime.threads)
                           : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  parts->runtime = std::make_unique<Runtime>(threads);
  for (std::size_t i = 0; i < threads; ++i) {
    parts->resolvers.push_back(
        dns::make_resolver(parts->runtime->context(i), resolver_options(settings)));
  }
  if (auto made = make_outbound(settings, *parts); !made) return std::unexpected(made.error());
  parts->budget = std::make_shared<smtp::ByteBudget>(settings.limits.message_memory.bytes);
  parts->workers = std::make_unique<WorkerPool>("worker", kWorkerThreads, kWorkerQueue);
  parts->body_workers = std::make_unique<WorkerPool>("body", threads, kBodyQueue);
  if (auto opened = open_storage(settings, *parts); !opened) return std::unexpected(opened.error());
  make_accounts(settings, *parts);
  if (auto made = make_mail(settings, *parts); !made) return std::unexpected(made.error());
  return parts;
}

}  // namespace postern::server
