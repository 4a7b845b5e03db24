#include "web/api/support.hpp"

namespace postern::web::api {

Result<sql::TenantScope> of_tenant(accounts::Reach& reach, const std::string& tenant) {
  auto found = reach.tenant_or_own(tenant);
  if (!found) return std::unexpected(found.error());
  reach.set_target("tenant:" + found->name);
  return reach.scope(found->id);
}

Result<sql::TenantScope> of_platform_trail(accounts::Reach& reach, const std::string& /*tenant*/) {
  auto tx = reach.unscoped(accounts::Permission::platform_audit, "use the platform's audit trail");
  if (!tx) return std::unexpected(tx.error());
  reach.set_target("platform:audit");
  return sql::TenantScope(**tx, TenantId{});
}

Response bad_member(std::string_view member, const Error& error) {
  return problem(400, "Invalid request", error.message, member);
}

Response list_response(boost::json::array items, std::size_t rows, std::string_view last) {
  boost::json::object document{{"items", std::move(items)}};
  if (rows == kPage) document["cursor"] = last;
  return json_response(document);
}

}  // namespace postern::web::api
