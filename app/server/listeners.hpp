// The server's doors: one Listener for each [[listen]], the management socket, the witness's when
// there is one, and the sessions they spawn.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "app/server/parts.hpp"
#include "config/settings.hpp"
#include "core/listener.hpp"
#include "core/local_listener.hpp"
#include "core/session_registry.hpp"
#include "imap/server.hpp"
#include "smtp/server/config.hpp"
#include "web/api/application.hpp"
#include "web/services.hpp"

namespace postern::server {

class Listeners {
 public:
  /// Binds everything; errors name the address.
  static Result<std::unique_ptr<Listeners>> bind(const config::Settings& settings, Parts& parts,
                                                 web::Services& services);

  void start();
  /// New sessions get these settings; those that run keep theirs.
  void apply(const config::Settings& settings);
  /// All but metrics listeners, which say that the server isn't ready until stop_metrics().
  void stop_accepting();
  /// Tells every session to end when its work is done.
  void drain_sessions();
  void stop_metrics();
  /// Without those of metrics listeners.
  [[nodiscard]] std::size_t live_sessions() const;

 private:
  Listeners(Parts& parts, web::Services& services);
  Result<void> add(const config::Listen& listen);
  Result<void> add_management(const std::string& path);
  Result<void> add_witness(const std::string& path);
  void accept(config::ListenKind kind, asio::ip::tcp::socket socket);
  void accept_http(config::ListenKind kind, asio::ip::tcp::socket socket, std::uint64_t body);
  void accept_management(asio::local::stream_protocol::socket socket);
  void accept_witness(asio::local::stream_protocol::socket socket);

  /// What sessions of each kind begin with; replaced by a reload under the lock.
  struct Current {
    std::map<config::ListenKind, std::shared_ptr<const smtp::ServerConfig>> smtp;
    std::map<config::ListenKind, std::shared_ptr<const imap::Server>> imap;
    std::uint64_t http_body = 0;
  };
  [[nodiscard]] std::shared_ptr<const Current> current() const;

  Parts& parts_;
  web::Api api_;
  web::Api metrics_api_;
  web::Api witness_api_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Current> current_;
  std::map<config::ListenKind, std::unique_ptr<SessionRegistry>> registries_;
  std::unique_ptr<SessionRegistry> management_sessions_;
  std::unique_ptr<SessionRegistry> witness_sessions_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Listener>> metrics_listeners_;
  std::unique_ptr<LocalListener> management_;
  std::unique_ptr<LocalListener> witness_;  ///< null: no `audit.witness_socket`
};

}  // namespace postern::server
