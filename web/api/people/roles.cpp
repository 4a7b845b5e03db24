// /v1/roles: the built-in ones, and those that a tenant made.
#include "accounts/people/role.hpp"
#include "web/api/handlers.hpp"
#include "web/api/json_lists.hpp"
#include "web/api/support.hpp"
#include "web/http/entity_tag.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Role;

namespace {

json::object to_json(const Role& role) {
  return {{"id", role.id.text()},
          {"name", role.name},
          {"built_in", false},
          {"permissions", names_json(role.permissions)}};
}

json::array built_in_roles() {
  json::array items;
  for (std::size_t i = 0; i < accounts::kBuiltInRoles; ++i) {
    const auto role = static_cast<accounts::BuiltInRole>(i);
    items.push_back(json::object{{"id", to_string(role)},
                                 {"name", to_string(role)},
                                 {"built_in", true},
                                 {"permissions", names_json(accounts::permissions_of(role))}});
  }
  return items;
}

Response no_role() { return problem(404, "Not found", "no such role"); }

Response refusal(const Error& error) {
  return error.code == Errc::not_found ? no_role() : problem(error);
}

// Nobody makes a role that may more than they do.
Result<accounts::PermissionSet> permissions_asked(const Call& call) {
  auto permissions = accounts::parse_permissions(joined(call.texts("permissions")));
  if (!permissions) return fail(Errc::invalid, "\"permissions\" names one that there isn't");
  if (!call.caller.permissions.contains(*permissions))
    return fail(Errc::denied, "a role can't have permissions that its maker hasn't");
  return *permissions;
}

Result<sql::TenantScope> tables(accounts::Reach& reach, const std::string& tenant) {
  auto owner = reach.tenant_or_own(tenant);
  if (!owner) return std::unexpected(owner.error());
  return reach.scope(owner->id);
}

}  // namespace

Task<Response> list_roles(Call& call) {
  auto found = co_await call.read<std::vector<Role>>(
      [tenant = call.query("tenant")](accounts::Reach& reach) -> Result<std::vector<Role>> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        return accounts::list_roles(*scope, "", accounts::kMaxRoles);
      });
  if (!found) co_return problem(found.error());
  json::array items = built_in_roles();
  for (const auto& role : *found) items.push_back(to_json(role));
  co_return json_response(json::object{{"items", std::move(items)}});
}

Task<Response> add_role(Call& call) {
  auto permissions = permissions_asked(call);
  if (!permissions) co_return problem(permissions.error());
  const Role fresh{RoleId::make(), call.text("name"), *permissions, call.now()};
  auto added = co_await call.change<Role>(
      [fresh, tenant = call.query("tenant")](accounts::Reach& reach) -> Result<Role> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        reach.set_target("role:" + fresh.name);
        return accounts::add_role(*scope, fresh);
      });
  if (!added) co_return problem(added.error());
  co_return json_response(to_json(*added), 201);
}

Task<Response> show_role(Call& call) {
  const auto id = parse_uuid(call.parameter("role"));
  if (!id) co_return no_role();
  auto found = co_await call.read<Role>(
      [id = RoleId{*id}, tenant = call.query("tenant")](accounts::Reach& reach) -> Result<Role> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        return accounts::find_role(*scope, id);
      });
  if (!found) co_return refusal(found.error());
  co_return with_entity_tag(json_response(to_json(*found)));
}

Task<Response> update_role(Call& call) {
  const auto id = parse_uuid(call.parameter("role"));
  if (!id) co_return no_role();
  auto permissions = permissions_asked(call);
  if (!permissions) co_return problem(permissions.error());
  auto changed = co_await call.change<std::optional<Role>>(
      [id = RoleId{*id}, name = call.text("name"), permissions = *permissions,
       wanted = call.if_match(),
       tenant = call.query("tenant")](accounts::Reach& reach) -> Result<std::optional<Role>> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        auto role = accounts::find_role(*scope, id);
        if (!role) return std::unexpected(role.error());
        if (!entity_tag_matches(wanted, to_json(*role))) return std::nullopt;
        reach.set_target("role:" + role->name);
        if (auto done = accounts::update_role(*scope, id, name, permissions); !done)
          return std::unexpected(done.error());
        return accounts::find_role(*scope, id);
      });
  if (!changed) co_return refusal(changed.error());
  if (!*changed) co_return precondition_failed();
  co_return with_entity_tag(json_response(to_json(**changed)));
}

Task<Response> delete_role(Call& call) {
  const auto id = parse_uuid(call.parameter("role"));
  if (!id) co_return no_role();
  auto removed = co_await call.change<void>(
      [id = RoleId{*id}, tenant = call.query("tenant")](accounts::Reach& reach) -> Result<void> {
        auto scope = tables(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        reach.set_target("role:" + id.text());
        return accounts::remove_role(*scope, id);
      });
  if (!removed) co_return refusal(removed.error());
  co_return no_content();
}

}  // namespace postern::web::api
