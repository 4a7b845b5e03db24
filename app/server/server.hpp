// A running server: made from its settings, serves until a signal ends it.
//
// SIGTERM and SIGINT drain: no new connections, sessions and deliveries finish what they are at,
// exit 0 within runtime.shutdown_deadline. SIGHUP reloads certificates and reloadable settings.
#pragma once

#include <filesystem>

#include "core/result.hpp"

namespace postern::server {

/// Blocks until the server has ended. Errors are those of start-up.
Result<void> serve(const std::filesystem::path& settings_file);

}  // namespace postern::server
