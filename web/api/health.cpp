// Health, readiness, metrics, status.
#include "core/metrics.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;

Task<Response> healthz(Call& /*call*/) { co_return json_response(json::object{{"status", "ok"}}); }

Task<Response> readyz(Call& call) {
  if (!call.services.ready())
    co_return problem(503, "Not ready", "the server is starting or draining");
  co_return json_response(json::object{{"status", "ready"}});
}

Task<Response> metrics_text(Call& /*call*/) {
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = metrics::render();
  co_return response;
}

Task<Response> show_status(Call& call) {
  const Services& services = call.services;
  co_return json_response(json::object{{"hostname", services.settings->hostname},
                                       {"version", services.version},
                                       {"ready", services.ready()},
                                       {"disk_below_reserve", services.store->below_reserve()},
                                       {"time", timestamp_text(services.clock->now())}});
}

}  // namespace postern::web::api
