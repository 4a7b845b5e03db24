// The route tables of the program.
#pragma once

#include <span>

#include "web/api/table/route.hpp"

namespace postern::web {

/// `/v1` and health checks: the same over the management socket and over http and https. Which of
/// them a caller may use is in each route's guard.
std::span<const Route> api_routes();
/// The parts that it is made of, beside what is the same for everybody.
std::span<const Route> mail_routes();
std::span<const Route> people_routes();
/// `/metrics`, `/healthz`, `/readyz`: what a metrics listener serves.
std::span<const Route> metrics_routes();
/// `/v1/audit/heads`: what the witness's socket serves.
std::span<const Route> witness_routes();

}  // namespace postern::web
