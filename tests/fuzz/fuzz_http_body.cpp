// Requests of every route, with bodies and queries from the fuzzer: what passes validation can be
// taken apart by a handler without a look at its types.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "web/access/cookies.hpp"
#include "web/api/call.hpp"
#include "web/api/table/routes.hpp"
#include "web/api/table/validate.hpp"
#include "web/http/compression.hpp"
#include "web/http/entity_tag.hpp"

using namespace postern::web;

namespace {

void take(const Call& call, const Member& member) {
  const auto name = member.name;
  switch (member.kind) {
    case Kind::text: static_cast<void>(call.text(name)); break;
    case Kind::texts: static_cast<void>(call.texts(name)); break;
    case Kind::integer: static_cast<void>(call.integer(name)); break;
    case Kind::flag: static_cast<void>(call.flag(name)); break;
    case Kind::time:
      // validate() has seen that it is one.
      if (call.given(name) && !call.time(name)) std::abort();
      break;
    case Kind::number:
    case Kind::object:
    case Kind::objects: break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto routes = api_routes();
  const auto& route = routes[data[0] % routes.size()];
  const std::string rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  Request request;
  request.method = route.method;
  request.body = rest;
  request.headers["cookie"] = rest;
  request.headers["accept-encoding"] = rest;
  if (!route.query.empty()) request.query[std::string(route.query.front().name)] = rest;
  static_cast<void>(session_token(request));
  static_cast<void>(csrf_holds(request, rest));
  static_cast<void>(accepted_encodings(request));
  static_cast<void>(entity_tag_matches(rest, boost::json::value("x")));
  if (validate(route, request)) return 0;
  Services services;
  const Call call(services, route, std::move(request), {});
  if (route.body == nullptr) return 0;
  for (const auto& member : route.body->members) take(call, member);
  return 0;
}
