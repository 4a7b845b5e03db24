#include "app/server/server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <future>
#include <thread>

#include "app/server/audit_streams.hpp"
#include "app/server/domain_watch.hpp"
#include "app/server/listeners.hpp"
#include "app/server/maintenance.hpp"
#include "app/server/options.hpp"
#include "app/server/parts.hpp"
#include "config/loader.hpp"
#include "config/render.hpp"
#include "core/crypto.hpp"
#include "core/log.hpp"
#include "core/random.hpp"
#include "web/access/access_control.hpp"
#include "web/access/ceremonies.hpp"

namespace postern::server {

namespace {

constexpr std::size_t kMailedAddresses = 10'000;  // whose emails are counted

class Server {
 public:
  Server(std::filesystem::path file, config::Settings settings)
      : file_(std::move(file)),
        settings_(std::move(settings)),
        applied_(settings_),
        signals_(main_, SIGTERM, SIGINT, SIGHUP) {}

  Result<void> run();

 private:
  void wait_for_signal();
  void reload();
  void drain();
  StreamWork stream_work();

  std::filesystem::path file_;
  config::Settings settings_;  ///< as started: handlers read it on io threads, so it never changes
  config::Settings applied_;   ///< with what reloads took up; the main thread's alone
  asio::io_context main_{1};
  asio::signal_set signals_;
  std::unique_ptr<Parts> parts_;
  web::Services services_;
  std::unique_ptr<web::AccessControl> access_;
  web::Ceremonies ceremonies_;
  RateLimiter person_mails_{kMailedAddresses};
  std::unique_ptr<Listeners> listeners_;
  std::unique_ptr<Maintenance> maintenance_;
  std::unique_ptr<DomainWatch> domain_watch_;
  std::unique_ptr<AuditStreams> audit_streams_;
  std::atomic<bool> ready_{false};
};

web::Services make_services(const config::Settings& settings, Parts& parts,
                            const std::atomic<bool>& ready) {
  web::Services services;
  services.settings = &settings;
  services.clock = &system_clock();
  services.store = parts.store.get();
  services.keystore = parts.keystore.get();
  services.registry = parts.registry.get();
  services.directory = parts.directory.get();
  services.passwords = parts.passwords.get();
  services.authenticator = parts.authenticator.get();
  services.delivery = parts.delivery.get();
  services.events = parts.events.get();
  services.resolver = [&parts] { return &parts.resolver(); };
  services.audit = parts.audit.get();
  services.mailer = parts.mailer.get();
  services.workers = parts.workers.get();
  services.executor = [&parts] { return parts.executor(); };
  services.codes_key = random_bytes(crypto::kKeySize);
  services.public_url =
      settings.web.public_url.empty() ? "https://" + settings.hostname : settings.web.public_url;
  services.outbound = [&parts] { return &parts.outbound_client(); };
  services.version = POSTERN_VERSION;
  services.ready = [&ready] { return ready.load(); };
  return services;
}

Watching domain_watching(const config::Settings& settings, Parts& parts) {
  Watching watching;
  watching.registry = parts.registry.get();
  watching.audit = parts.audit.get();
  watching.resolver = parts.resolvers.front().get();  // of the first io thread, as is the watch
  watching.mailer = parts.mailer.get();
  watching.clock = &system_clock();
  watching.hostname = settings.hostname;
  watching.timing = {settings.domains.check_every, settings.domains.recheck_after};
  return watching;
}

Result<void> Server::run() {
  std::signal(SIGPIPE, SIG_IGN);
  if (auto opened = configure_log(settings_); !opened) return opened;
  auto parts = make_parts(settings_);
  if (!parts) return std::unexpected(parts.error());
  parts_ = std::move(*parts);
  services_ = make_services(settings_, *parts_, ready_);
  access_ = std::make_unique<web::AccessControl>(access_options(settings_), *parts_->registry,
                                                 system_clock());
  services_.access = access_.get();
  services_.ceremonies = &ceremonies_;
  services_.person_mails = &person_mails_;
  auto listeners = Listeners::bind(settings_, *parts_, services_);
  if (!listeners) return std::unexpected(listeners.error());
  listeners_ = std::move(*listeners);

  parts_->runtime->start();
  parts_->delivery->start();
  parts_->event_mover->start();
  listeners_->start();
  maintenance_ = std::make_unique<Maintenance>(*parts_, services_, settings_.events.retention);
  maintenance_->start();
  domain_watch_ = std::make_unique<DomainWatch>(parts_->runtime->context(0),
                                                domain_watching(settings_, *parts_));
  domain_watch_->start();
  audit_streams_ = std::make_unique<AuditStreams>(*parts_->runtime, stream_work());
  audit_streams_->start();
  ready_ = true;
  log::info("ready", {{"hostname", settings_.hostname}, {"threads", parts_->runtime->size()}});
  wait_for_signal();
  main_.run();
  drain();
  return {};
}

StreamWork Server::stream_work() {
  return {*parts_->registry,
          *parts_->audit,
          parts_->keystore->master(),
          *parts_->outbound.front(),
          system_clock(),
          settings_.hostname,
          static_cast<std::uint64_t>(settings_.audit.stream_backlog)};
}

void Server::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error || signal != SIGHUP) {
      log::info("stopping", {{"signal", signal}});
      return;  // nothing left to wait for: main_.run() returns
    }
    reload();
    wait_for_signal();
  });
}

void Server::reload() {
  auto loaded = config::load_file(file_);
  if (!loaded) {
    log::error("reload_refused", {{"error", loaded.error().message}});
    return;
  }
  auto tls = tls::Context::make_server(loaded->tls.certificate.string(), loaded->tls.key.string());
  if (!tls) {
    log::error("reload_refused", {{"error", tls.error().message}});
    return;
  }
  if (auto opened = configure_log(*loaded); !opened) {
    log::error("reload_refused", {{"error", opened.error().message}});
    return;
  }
  const auto changed = config::compare_settings(applied_, *loaded);
  for (const auto& name : changed.restart) log::warn("setting_needs_restart", {{"setting", name}});
  parts_->tls.set(std::move(*tls));
  parts_->passwords->set_parameters(password_options(*loaded).parameters);
  // What sessions take of these waits for a restart; the rest of loaded's fixed settings nobody
  // reads.
  loaded->hostname = applied_.hostname;
  loaded->plaintext_login = applied_.plaintext_login;
  loaded->listen = applied_.listen;
  listeners_->apply(*loaded);
  maintenance_->set_event_retention(loaded->events.retention);
  applied_ = std::move(*loaded);
  log::info("reloaded", {{"settings_changed", changed.reloadable.size()}});
}

void Server::drain() {
  ready_ = false;
  const auto deadline = std::chrono::steady_clock::now() + applied_.runtime.shutdown_deadline;
  maintenance_->stop();
  domain_watch_->stop();
  audit_streams_->stop();
  listeners_->stop_accepting();
  listeners_->drain_sessions();
  // Both at once: a slow session must not use up the time of deliveries under way.
  auto deliveries = std::async(std::launch::async, [this] {
    return parts_->delivery->drain(applied_.runtime.shutdown_deadline);
  });
  while (listeners_->live_sessions() > 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const bool delivered = deliveries.get();
  parts_->event_mover->stop();  // what is left waits in the outboxes
  const auto live = listeners_->live_sessions();
  listeners_->stop_metrics();
  parts_->runtime->stop();
  log::info("stopped", {{"sessions_cut", live}, {"deliveries_finished", delivered}});
}

}  // namespace

Result<void> serve(const std::filesystem::path& settings_file) {
  auto settings = config::load_file(settings_file);
  if (!settings) return std::unexpected(settings.error());
  Server server(settings_file, std::move(*settings));
  return server.run();
}

}  // namespace postern::server
