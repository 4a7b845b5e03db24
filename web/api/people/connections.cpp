// /v1/connections: leave that a tenant gives to others (an agency, an operator) to act in it.
#include "accounts/people/connection.hpp"
#include "web/api/handlers.hpp"
#include "web/api/json_lists.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Connection;

namespace {

std::string_view status_of(const Connection& connection, Timestamp now) {
  if (connection.revoked) return "revoked";
  return connection.runs(now) ? "active" : "expired";
}

json::object to_json(const Connection& connection, Timestamp now) {
  return {{"id", connection.id.text()},
          {"email", connection.grantee},
          {"permissions", names_json(connection.permissions)},
          {"reason", connection.reason},
          {"granted_by", connection.granted_by},
          {"created_at", timestamp_text(connection.created)},
          {"expires_at", timestamp_text(connection.expires)},
          {"status", status_of(connection, now)}};
}

Response no_connection() { return problem(404, "Not found", "no such connection"); }

}  // namespace

Task<Response> add_connection(Call& call) {
  auto permissions = accounts::parse_permissions(joined(call.texts("permissions")));
  if (!permissions) {
    co_return problem(400, "Invalid request", "\"permissions\" names one that there isn't",
                      "permissions");
  }
  if (!call.caller.permissions.contains(*permissions))
    co_return problem(403, "Not allowed", "you can't give permissions that you haven't");
  Connection fresh;
  fresh.id = ConnectionId::make();
  fresh.grantee = call.text("email");
  fresh.permissions = *permissions;
  fresh.reason = call.text("reason");
  fresh.granted_by = call.caller.name;
  fresh.created = call.now();
  fresh.expires = call.time("expires_at").value_or(Timestamp{});
  auto added = co_await call.change<Connection>(
      [fresh, tenant = call.query("tenant")](accounts::Reach& reach) -> Result<Connection> {
        auto owner = reach.tenant_or_own(tenant);
        if (!owner) return std::unexpected(owner.error());
        auto scope = reach.scope(owner->id);
        auto connection = accounts::add_connection(scope, fresh);
        if (connection) reach.set_target("person:" + connection->grantee);
        return connection;
      });
  if (!added) co_return problem(added.error());
  co_return json_response(to_json(*added, call.now()), 201);
}

Task<Response> list_connections(Call& call) {
  const auto after = parse_uuid(call.query("cursor")).value_or(Uuid{});
  using Connections = std::vector<Connection>;
  auto found = co_await call.read<Connections>(
      [tenant = call.query("tenant"), after](accounts::Reach& reach) -> Result<Connections> {
        auto owner = reach.tenant_or_own(tenant);
        if (!owner) return std::unexpected(owner.error());
        auto scope = reach.scope(owner->id);
        return accounts::list_connections(scope, ConnectionId{after}, kPage);
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& connection : *found) items.push_back(to_json(connection, call.now()));
  co_return list_response(std::move(items), found->size(),
                          found->empty() ? "" : found->back().id.text());
}

Task<Response> revoke_connection(Call& call) {
  const auto id = parse_uuid(call.parameter("connection"));
  if (!id) co_return no_connection();
  auto revoked = co_await call.change<void>(
      [id = ConnectionId{*id}, now = call.now(),
       tenant = call.query("tenant")](accounts::Reach& reach) -> Result<void> {
        auto owner = reach.tenant_or_own(tenant);
        if (!owner) return std::unexpected(owner.error());
        reach.set_target("connection:" + id.text());
        auto scope = reach.scope(owner->id);
        return accounts::revoke_connection(scope, id, now);
      });
  if (!revoked && revoked.error().code == Errc::not_found) co_return no_connection();
  if (!revoked) co_return problem(revoked.error());
  co_return no_content();
}

}  // namespace postern::web::api
