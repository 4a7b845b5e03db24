// /v1/outbound/hosts: where requests in a tenant's name may go.
#include "accounts/outbound_hosts.hpp"

#include "web/api/handlers.hpp"
#include "web/api/json_lists.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;

namespace {

using Hosts = std::vector<std::string>;

Response answer(const Hosts& hosts) {
  return json_response(json::object{{"hosts", texts_json(hosts)}});
}

}  // namespace

Task<Response> show_outbound_hosts(Call& call) {
  auto found = co_await call.read<Hosts>(
      [tenant = call.query("tenant")](accounts::Reach& reach) -> Result<Hosts> {
        auto scope = of_tenant(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        return accounts::find_outbound_hosts(*scope).value_or(Hosts{});
      });
  if (!found) co_return problem(found.error());
  co_return answer(*found);
}

Task<Response> set_outbound_hosts(Call& call) {
  auto set =
      co_await call.change<Hosts>([hosts = call.texts("hosts"), tenant = call.query("tenant")](
                                      accounts::Reach& reach) -> Result<Hosts> {
        auto scope = of_tenant(reach, tenant);
        if (!scope) return std::unexpected(scope.error());
        if (auto done = accounts::set_outbound_hosts(*scope, hosts); !done)
          return std::unexpected(done.error());
        return accounts::find_outbound_hosts(*scope).value_or(Hosts{});
      });
  if (!set && set.error().code == Errc::invalid) co_return bad_member("hosts", set.error());
  if (!set) co_return problem(set.error());
  co_return answer(*set);
}

}  // namespace postern::web::api
