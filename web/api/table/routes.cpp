#include "web/api/table/routes.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "web/api/handlers.hpp"
#include "web/api/table/shapes.hpp"
#include "web/api/table/shapes_people.hpp"

namespace postern::web {

namespace {

using enum Method;
using namespace shapes;

constexpr Answer kHtml = gives_text("text/html; charset=utf-8");

// The same for everybody.
constexpr std::array kOpen{
    Route{get, "/healthz", "health.alive", kAnyone, "The process is alive", api::healthz,
          gives(kHealth)},
    Route{get, "/readyz", "health.ready", kAnyone, "The server takes work", api::readyz,
          gives(kHealth)},

    Route{get, "/v1/openapi.json", "api.describe", kAnyone, "This API, as OpenAPI 3.1",
          api::openapi_document, gives_text("application/json")},
    Route{get, "/v1/reference", "api.reference", kAnyone, "This API, as a page to read",
          api::reference_page, kHtml},

    Route{get, "/.well-known/security.txt", "security.contact", kAnyone,
          "Whom to tell about a security problem", api::security_text,
          gives_text("text/plain; charset=utf-8")},

    Route{get, "/sign-in", "page.sign_in", kAnyone, "The page behind sign-in links", api::show_page,
          kHtml},
    Route{get, "/password-reset", "page.password_reset", kAnyone,
          "The page behind links that reset a password", api::show_page, kHtml},
    Route{get, "/sign-up", "page.sign_up", kAnyone, "The page behind sign-up links", api::show_page,
          kHtml},
    Route{get, "/invitation", "page.invitation", kAnyone, "The page behind invitations",
          api::show_page, kHtml},
    Route{get, "/pages/pages.css", "page.style", kAnyone, "Their style", api::show_page,
          gives_text("text/css; charset=utf-8")},
    Route{get, "/pages/pages.js", "page.script", kAnyone, "Their script", api::show_page,
          gives_text("text/javascript; charset=utf-8")},
};

constexpr std::array kMetrics{
    Route{get, "/metrics", "metrics.read", kAnyone, "Prometheus metrics", api::metrics_text,
          gives_text("text/plain; version=0.0.4; charset=utf-8")},
    kOpen[0],
    kOpen[1],
};

constexpr std::array kWitness{
    Route{get, "/v1/audit/heads", "audit.heads", kAnyone, "The ends of all audit chains",
          api::audit_heads, gives(kHeads)},
};

std::vector<Route> all_routes() {
  std::vector<Route> all(kOpen.begin(), kOpen.end());
  for (const auto routes : {mail_routes(), people_routes()})
    all.insert(all.end(), routes.begin(), routes.end());
  return all;
}

}  // namespace

std::span<const Route> api_routes() {
  static const auto all = all_routes();
  return all;
}
std::span<const Route> metrics_routes() { return kMetrics; }
std::span<const Route> witness_routes() { return kWitness; }

}  // namespace postern::web
