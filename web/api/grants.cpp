// /v1/accounts/{address}/grants: domains of its tenant that an account may send as.
#include "accounts/account.hpp"
#include "accounts/sender_grants.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Address;

namespace {

using Grants = std::vector<std::string>;

Response to_response(const Address& address, const Grants& domains, unsigned status) {
  json::array items;
  for (const auto& domain : domains) {
    items.push_back(json::object{{"address", address.text()}, {"domain", domain}});
  }
  return json_response(json::object{{"items", std::move(items)}}, status);
}

enum class Act : std::uint8_t { grant, revoke };

Result<Grants> change(sql::Transaction& tx, const Address& address, const std::string& domain,
                      Act act) {
  auto account = accounts::locate_account(tx, address);
  if (!account) return std::unexpected(account.error());
  sql::TenantScope scope(tx, account->tenant);
  auto done = act == Act::grant ? accounts::grant_domain(scope, account->id, domain)
                                : accounts::revoke_domain_grant(scope, account->id, domain);
  if (!done) return std::unexpected(done.error());
  return accounts::list_domain_grants(scope, account->id);
}

Task<Response> act_on(Services& services, std::string address_text, std::string domain, Act act) {
  auto address = accounts::parse_address(address_text);
  if (!address) co_return problem(address.error());
  auto left = co_await services.registry->change<Grants>(
      [address = *address, domain, act](sql::Transaction& tx) {
        return change(tx, address, domain, act);
      });
  if (!left) co_return problem(left.error());
  co_return to_response(*address, *left, act == Act::grant ? 201 : 200);
}

}  // namespace

Task<Response> add_grant(Services& services, Request request) {
  auto domain = string_member(request, "domain");
  if (!domain) co_return domain.error();
  co_return co_await act_on(services, request.parameters["address"], *domain, Act::grant);
}

Task<Response> delete_grant(Services& services, Request request) {
  co_return co_await act_on(services, request.parameters["address"], request.parameters["domain"],
                            Act::revoke);
}

Task<Response> list_grants(Services& services, Request request) {
  auto address = accounts::parse_address(request.parameters["address"]);
  if (!address) co_return problem(address.error());
  auto found = co_await services.registry->read<Grants>(
      [address = *address](sql::Transaction& tx) -> Result<Grants> {
        auto account = accounts::locate_account(tx, address);
        if (!account) return std::unexpected(account.error());
        sql::TenantScope scope(tx, account->tenant);
        return accounts::list_domain_grants(scope, account->id);
      });
  if (!found) co_return problem(found.error());
  co_return to_response(*address, *found, 200);
}

}  // namespace postern::web::api
