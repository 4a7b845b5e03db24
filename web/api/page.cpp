// The pages that mailed links lead to, as routes.
#include "web/api/handlers.hpp"
#include "web/pages/pages.hpp"

namespace postern::web::api {

Task<Response> show_page(Call& call) {
  const auto* page = find_page(call.route.pattern);
  if (page == nullptr) co_return problem(404, "Not found", "no such page");
  Response response;
  response.content_type = page->content_type;
  response.body = page->content;
  response.headers.emplace_back("Content-Security-Policy", kPagePolicy);
  co_return response;
}

}  // namespace postern::web::api
