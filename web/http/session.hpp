// One HTTP connection: reads requests, answers each through a route table, keeps alive, times out.
//
// Owner: itself (a shared_ptr held by its coroutine). Lives on one io thread.
#pragma once

#include <chrono>
#include <memory>
#include <span>

#include "core/session_registry.hpp"
#include "core/stream.hpp"
#include "core/tls/context.hpp"
#include "web/http/parser.hpp"
#include "web/http/router.hpp"

namespace postern::web {

struct HttpOptions {
  std::shared_ptr<const tls::Context> tls{};  ///< set: the connection begins with a TLS handshake
  std::span<const Route> routes;
  HttpLimits limits;
  std::chrono::milliseconds idle_timeout{std::chrono::seconds(60)};
  std::chrono::milliseconds request_timeout{std::chrono::seconds(30)};
};

/// Spawns the session on the stream's executor. `services` and `registry` outlive it.
void start_http_session(std::unique_ptr<Stream> stream, HttpOptions options, Services& services,
                        SessionRegistry& registry);

}  // namespace postern::web
