// /v1/openapi.json and /v1/reference: made once, from the table that the requests go through.
#include <fmt/format.h>

#include "web/api/handlers.hpp"
#include "web/api/table/openapi.hpp"
#include "web/api/table/routes.hpp"
#include "web/api/timestamp.hpp"

namespace postern::web::api {

namespace {
constexpr std::string_view kCacheable = "public, max-age=300";
}

Task<Response> openapi_document(Call& call) {
  static const Response document = json_response(make_openapi(api_routes(), call.services.version));
  Response response = document;
  response.headers.emplace_back("Cache-Control", kCacheable);
  co_return response;
}

Task<Response> reference_page(Call& call) {
  static const ReferencePage page = make_reference(api_routes(), call.services.version);
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = page.html;
  response.headers.emplace_back("Content-Security-Policy", page.content_security_policy);
  response.headers.emplace_back("Cache-Control", kCacheable);
  co_return response;
}

// RFC 9116: whom to tell about a hole. It expires within a year, as §2.5.5 asks.
Task<Response> security_text(Call& call) {
  constexpr std::chrono::days kGoodFor{300};
  const auto& settings = *call.services.settings;
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = fmt::format("Contact: mailto:postmaster@{}\nExpires: {}\n", settings.hostname,
                              timestamp_text(call.now() + kGoodFor));
  response.headers.emplace_back("Cache-Control", kCacheable);
  co_return response;
}

}  // namespace postern::web::api
