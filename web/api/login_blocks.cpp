// /v1/login-blocks: logins and networks that are shut out for guessing passwords.
#include <fmt/format.h>

#include "accounts/authenticator.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;

Task<Response> list_login_blocks(Services& services, Request) {
  json::array items;
  for (const auto& block : services.authenticator->blocks()) {
    items.push_back(json::object{{"login", block.login},
                                 {"network", block.network},
                                 {"until", timestamp_text(block.until)}});
  }
  co_return json_response(json::object{{"items", std::move(items)}});
}

Task<Response> end_login_block(Services& services, Request request) {
  const auto& name = request.parameters["name"];
  const auto ended = services.authenticator->unblock(name);
  if (ended == 0) {
    co_return problem(Error{Errc::not_found,
                            fmt::format("neither a login nor a network \"{}\" is blocked", name)});
  }
  co_return json_response(json::object{{"ended", ended}});
}

}  // namespace postern::web::api
