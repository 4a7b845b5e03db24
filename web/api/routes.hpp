// The route tables of the program.
#pragma once

#include <span>

#include "web/http/router.hpp"

namespace postern::web {

/// `/v1` and health checks: what the management socket serves.
std::span<const Route> management_routes();
/// `/metrics`, `/healthz`, `/readyz`: what a metrics listener serves.
std::span<const Route> metrics_routes();

/// `/healthz` and `/readyz`: what an http or https listener serves.
std::span<const Route> public_routes();

}  // namespace postern::web
