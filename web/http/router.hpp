// The route table: method, path, permission, handler. One list, read in one screen
// (web/api/routes.cpp); what a caller may do, the API's description and the tests come from it.
#pragma once

#include <span>
#include <string_view>

#include "core/task.hpp"
#include "web/http/message.hpp"

namespace postern::web {

struct Services;

/// Handlers are named coroutines; `services` outlives every session.
using Handler = Task<Response> (*)(Services& services, Request request);

struct Route {
  Method method;
  std::string_view pattern;     ///< "/v1/domains/{domain}/check"; a {name} is one segment
  std::string_view permission;  ///< "domain.read"; "public" for health checks
  std::string_view summary;     ///< one line, for people
  Handler handler;
};

/// Finds the route of a request and fills request.parameters and request.json. The answer is a
/// route, or the problem to send: 404, 405 (with Allow), 400 for a body that isn't a JSON object.
struct Match {
  const Route* route = nullptr;
  Response refusal;
};
Match find_route(std::span<const Route> routes, Request& request);

}  // namespace postern::web
