// One HTTP connection: reads requests, hands each to the application, keeps alive, times out.
//
// Owner: itself (a shared_ptr held by its coroutine). Lives on one io thread.
#pragma once

#include <chrono>
#include <memory>

#include "core/session_registry.hpp"
#include "core/stream.hpp"
#include "core/tls/context.hpp"
#include "web/http/application.hpp"
#include "web/http/parser.hpp"

namespace postern::web {

struct HttpOptions {
  std::shared_ptr<const tls::Context> tls{};  ///< set: the connection begins with a TLS handshake
  Peer peer;                                  ///< of every request of this connection
  HttpLimits limits;
  std::chrono::milliseconds idle_timeout{std::chrono::seconds(60)};
  std::chrono::milliseconds request_timeout{std::chrono::seconds(30)};
};

/// Spawns the session on the stream's executor. `application` and `registry` outlive it.
void start_http_session(std::unique_ptr<Stream> stream, HttpOptions options,
                        Application& application, SessionRegistry& registry);

}  // namespace postern::web
