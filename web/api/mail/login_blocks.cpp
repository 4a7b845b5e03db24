// /v1/login-blocks: logins and networks that are shut out for guessing passwords.
#include <fmt/format.h>

#include "accounts/authenticator.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;

Task<Response> list_login_blocks(Call& call) {
  json::array items;
  for (const auto& block : call.services.authenticator->blocks()) {
    items.push_back(json::object{{"login", block.login},
                                 {"network", block.network},
                                 {"until", timestamp_text(block.until)}});
  }
  co_return json_response(json::object{{"items", std::move(items)}});
}

Task<Response> end_login_block(Call& call) {
  const auto& name = call.parameter("block");
  const auto ended = call.services.authenticator->unblock(name);
  if (ended == 0) {
    co_return problem(Error{Errc::not_found,
                            fmt::format("neither a login nor a network \"{}\" is blocked", name)});
  }
  auto entered = co_await call.change<void>([name](accounts::Reach& reach) -> Result<void> {
    reach.set_target("login:" + name);
    return {};
  });
  if (!entered) co_return problem(entered.error());
  co_return json_response(json::object{{"ended", ended}});
}

}  // namespace postern::web::api
