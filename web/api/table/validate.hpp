// A request against its route's shapes, before any handler sees it.
#pragma once

#include <optional>

#include "web/api/table/route.hpp"

namespace postern::web {

/// Parses the body into request.json and checks body and query. The problem to send names the
/// member that is wrong (RFC 9457, "field"); nullopt: all is as the route says. A handler may then
/// take members by name without looking at their types.
std::optional<Response> validate(const Route& route, Request& request);

/// What a request names outside of its body (the path's parameters, the query, the tenant's header)
/// is repeated in answers and records: the problem to send unless all of it is UTF-8 without
/// control characters. Before anything else is done with the request.
std::optional<Response> refuse_unreadable(const Request& request);

}  // namespace postern::web
