// /v1/connections: leave that a tenant gives to others (an agency, an operator) to act in it.
#include "accounts/people/connection.hpp"
#include "accounts/people/person.hpp"
#include "web/api/handlers.hpp"
#include "web/api/json_lists.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Connection;

namespace {

struct View {
  Connection connection;
  std::string email;
};

std::string_view status_of(const Connection& connection, Timestamp now) {
  if (connection.revoked) return "revoked";
  return connection.runs(now) ? "active" : "expired";
}

json::object to_json(const View& view, Timestamp now) {
  const auto& connection = view.connection;
  return {{"id", connection.id.text()},
          {"person", connection.grantee.text()},
          {"email", view.email},
          {"permissions", names_json(connection.permissions)},
          {"reason", connection.reason},
          {"granted_by", connection.granted_by},
          {"created_at", timestamp_text(connection.created)},
          {"expires_at", timestamp_text(connection.expires)},
          {"status", status_of(connection, now)}};
}

View view_of(sql::TenantScope& scope, Connection connection) {
  const auto person = accounts::find_person(scope.transaction(), connection.grantee);
  return {std::move(connection), person ? person->email : std::string()};
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
  fresh.permissions = *permissions;
  fresh.reason = call.text("reason");
  fresh.granted_by = call.caller.name;
  fresh.created = call.now();
  fresh.expires = call.time("expires_at").value_or(Timestamp{});
  auto added =
      co_await call.change<View>([fresh, email = call.text("email"), tenant = call.query("tenant")](
                                     accounts::Reach& reach) -> Result<View> {
        auto owner = reach.tenant_or_own(tenant);
        if (!owner) return std::unexpected(owner.error());
        auto scope = reach.scope(owner->id);
        auto person = accounts::find_person(scope.transaction(), email);
        if (!person) return std::unexpected(person.error());
        reach.set_target("person:" + person->email);
        auto granted = fresh;
        granted.grantee = person->id;
        auto connection = accounts::add_connection(scope, granted);
        if (!connection) return std::unexpected(connection.error());
        return View{*connection, person->email};
      });
  if (!added) co_return problem(added.error());
  co_return json_response(to_json(*added, call.now()), 201);
}

Task<Response> list_connections(Call& call) {
  const auto after = parse_uuid(call.query("cursor")).value_or(Uuid{});
  auto found = co_await call.read<std::vector<View>>(
      [tenant = call.query("tenant"), after](accounts::Reach& reach) -> Result<std::vector<View>> {
        auto owner = reach.tenant_or_own(tenant);
        if (!owner) return std::unexpected(owner.error());
        auto scope = reach.scope(owner->id);
        std::vector<View> views;
        for (auto& connection : accounts::list_connections(scope, ConnectionId{after}, kPage))
          views.push_back(view_of(scope, std::move(connection)));
        return views;
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& view : *found) items.push_back(to_json(view, call.now()));
  co_return list_response(std::move(items), found->size(),
                          found->empty() ? "" : found->back().connection.id.text());
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
