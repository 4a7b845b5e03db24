// A client's connection to the SMTP server: drives a Conversation over a Stream and a Backend.
//
// A session owns itself (its coroutine holds it) and dies on the io thread where it began. The
// backend and the registry outlive it. It ends when the client quits or leaves, when a deadline
// passes (421 4.4.2), or when the server drains: at once if idle, else after the transaction.
#pragma once

#include <memory>

#include "core/session_registry.hpp"
#include "core/stream.hpp"
#include "smtp/backend.hpp"
#include "smtp/server/config.hpp"

namespace postern::smtp {

/// Called by a listener on the stream's own thread. More sessions than the registry takes: 421.
void start_session(std::unique_ptr<Stream> stream, Backend& backend,
                   std::shared_ptr<const ServerConfig> config, SessionRegistry& registry);

}  // namespace postern::smtp
