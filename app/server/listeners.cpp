#include "app/server/listeners.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include "app/server/endpoint.hpp"
#include "app/server/options.hpp"
#include "core/ip_address.hpp"
#include "core/log.hpp"
#include "smtp/server/session.hpp"
#include "web/api/table/routes.hpp"
#include "web/http/session.hpp"

namespace postern::server {

namespace {

using config::ListenKind;

constexpr std::size_t kManagementSessions = 64;
constexpr std::size_t kWitnessSessions = 8;
constexpr std::uint64_t kWitnessBody = 1;  // octets: it only asks
constexpr std::array kKinds{ListenKind::mx,    ListenKind::submission, ListenKind::submissions,
                            ListenKind::imap,  ListenKind::imaps,      ListenKind::http,
                            ListenKind::https, ListenKind::metrics};

std::int64_t session_limit(const config::Settings::Limits& limits, ListenKind kind) {
  switch (kind) {
    case ListenKind::mx: return limits.mx_sessions;
    case ListenKind::submission:
    case ListenKind::submissions: return limits.submission_sessions;
    case ListenKind::imap:
    case ListenKind::imaps: return limits.imap_sessions;
    case ListenKind::http:
    case ListenKind::https:
    case ListenKind::metrics: break;
  }
  return limits.http_sessions;
}

// Whoever runs the server, and root, may manage it; nullopt: somebody else.
std::optional<std::uint32_t> manager(asio::local::stream_protocol::socket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return std::nullopt;
  if (peer.uid != 0 && peer.uid != ::geteuid()) return std::nullopt;
  return peer.uid;
}

}  // namespace

Listeners::Listeners(Parts& parts, web::Services& services)
    : parts_(parts),
      api_(services, web::api_routes()),
      metrics_api_(services, web::metrics_routes()),
      witness_api_(services, web::witness_routes()) {}

std::shared_ptr<const Listeners::Current> Listeners::current() const {
  std::scoped_lock lock(mutex_);
  return current_;
}

void Listeners::apply(const config::Settings& settings) {
  auto fresh = std::make_shared<Current>();
  for (const auto kind : {ListenKind::mx, ListenKind::submission, ListenKind::submissions}) {
    fresh->smtp[kind] = std::make_shared<const smtp::ServerConfig>(
        smtp_config(settings, kind, parts_.tls.get(), parts_.budget));
  }
  for (const auto kind : {ListenKind::imap, ListenKind::imaps}) {
    auto options = imap_options(settings, [&parts = parts_] { return parts.tls.get(); });
    fresh->imap[kind] = std::make_shared<const imap::Server>(parts_.imap, std::move(options),
                                                             registries_.at(kind).get());
  }
  fresh->http_body = settings.limits.http_body.bytes;
  std::scoped_lock lock(mutex_);
  current_ = std::move(fresh);
}

void Listeners::accept(ListenKind kind, asio::ip::tcp::socket socket) {
  const auto settings = current();
  auto& registry = *registries_.at(kind);
  switch (kind) {
    case ListenKind::mx:
    case ListenKind::submission:
    case ListenKind::submissions:
      smtp::start_session(std::make_unique<Stream>(std::move(socket)), *parts_.reception,
                          settings->smtp.at(kind), registry);
      return;
    case ListenKind::imap:
      settings->imap.at(kind)->accept(std::move(socket), imap::Security::starttls);
      return;
    case ListenKind::imaps:
      settings->imap.at(kind)->accept(std::move(socket), imap::Security::implicit_tls);
      return;
    case ListenKind::http:
    case ListenKind::https:
    case ListenKind::metrics: break;
  }
  accept_http(kind, std::move(socket), settings->http_body);
}

void Listeners::accept_http(ListenKind kind, asio::ip::tcp::socket socket, std::uint64_t body) {
  web::HttpOptions options;
  if (kind == ListenKind::https) options.tls = parts_.tls.get();
  options.limits.body_bytes = body;
  auto stream = std::make_unique<Stream>(std::move(socket));
  options.peer.door = kind == ListenKind::metrics ? web::Door::metrics : web::Door::http;
  options.peer.transport = options.tls ? web::Transport::tls : web::Transport::plain;
  options.peer.address = unmapped(stream->remote().address()).to_string();
  auto& application = kind == ListenKind::metrics ? metrics_api_ : api_;
  web::start_http_session(std::move(stream), std::move(options), application,
                          *registries_.at(kind));
}

void Listeners::accept_management(asio::local::stream_protocol::socket socket) {
  const auto uid = manager(socket);
  if (!uid) {
    log::warn("management_refused", {{"reason", "peer is neither root nor the server's user"}});
    return;
  }
  web::HttpOptions options;
  options.peer.door = web::Door::management;
  options.peer.uid = *uid;
  options.limits.body_bytes = current()->http_body;
  web::start_http_session(std::make_unique<Stream>(std::move(socket)), std::move(options), api_,
                          *management_sessions_);
}

// Whoever could open it may ask: its directory decides.
void Listeners::accept_witness(asio::local::stream_protocol::socket socket) {
  web::HttpOptions options;
  options.peer.door = web::Door::witness;
  options.limits.body_bytes = kWitnessBody;
  web::start_http_session(std::make_unique<Stream>(std::move(socket)), std::move(options),
                          witness_api_, *witness_sessions_);
}

Result<void> Listeners::add(const config::Listen& listen) {
  auto address = parse_endpoint(listen.address);
  if (!address) return std::unexpected(address.error());
  const auto kind = listen.kind;
  auto listener = Listener::bind(
      *parts_.runtime, *address,
      [this, kind](Listener::Socket socket, std::size_t) { accept(kind, std::move(socket)); });
  if (!listener) return std::unexpected(listener.error());
  log::info("listening", {{"kind", to_string(kind)}, {"address", listen.address}});
  (kind == ListenKind::metrics ? metrics_listeners_ : listeners_).push_back(std::move(*listener));
  return {};
}

Result<void> Listeners::add_management(const std::string& path) {
  auto listener = LocalListener::bind(*parts_.runtime, path, [this](LocalListener::Socket socket) {
    accept_management(std::move(socket));
  });
  if (!listener) return std::unexpected(listener.error());
  management_ = std::move(*listener);
  return {};
}

Result<void> Listeners::add_witness(const std::string& path) {
  auto listener = LocalListener::bind(
      *parts_.runtime, path,
      [this](LocalListener::Socket socket) { accept_witness(std::move(socket)); },
      SocketAccess::directory);
  if (!listener) return std::unexpected(listener.error());
  log::info("listening", {{"kind", "witness"}, {"address", path}});
  witness_ = std::move(*listener);
  return {};
}

Result<std::unique_ptr<Listeners>> Listeners::bind(const config::Settings& settings, Parts& parts,
                                                   web::Services& services) {
  std::unique_ptr<Listeners> self(new Listeners(parts, services));
  for (const auto kind : kKinds) {
    self->registries_[kind] = std::make_unique<SessionRegistry>(
        static_cast<std::size_t>(session_limit(settings.limits, kind)));
  }
  self->apply(settings);
  self->management_sessions_ = std::make_unique<SessionRegistry>(kManagementSessions);
  self->witness_sessions_ = std::make_unique<SessionRegistry>(kWitnessSessions);
  for (const auto& listen : settings.listen) {
    if (auto added = self->add(listen); !added) return std::unexpected(added.error());
  }
  if (auto added = self->add_management(settings.admin.socket.string()); !added) {
    return std::unexpected(added.error());
  }
  if (const auto& path = settings.audit.witness_socket; !path.empty()) {
    if (auto added = self->add_witness(path.string()); !added)
      return std::unexpected(added.error());
  }
  return self;
}

void Listeners::start() {
  for (auto& listener : listeners_) listener->start();
  for (auto& listener : metrics_listeners_) listener->start();
  management_->start();
  if (witness_) witness_->start();
}

void Listeners::stop_accepting() {
  for (auto& listener : listeners_) listener->stop_accepting();
  management_->stop_accepting();
  if (witness_) witness_->stop_accepting();
}

void Listeners::stop_metrics() {
  for (auto& listener : metrics_listeners_) listener->stop_accepting();
  registries_.at(ListenKind::metrics)->drain();
}

void Listeners::drain_sessions() {
  for (auto& [kind, registry] : registries_) {
    if (kind != ListenKind::metrics) registry->drain();
  }
  management_sessions_->drain();
  witness_sessions_->drain();
}

std::size_t Listeners::live_sessions() const {
  std::size_t live = management_sessions_->live() + witness_sessions_->live();
  for (const auto& [kind, registry] : registries_) {
    if (kind != ListenKind::metrics) live += registry->live();
  }
  return live;
}

}  // namespace postern::server
