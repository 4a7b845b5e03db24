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

Response to_response(const Address& address, const Grants& domains) {
  json::array items;
  for (const auto& domain : domains) {
    items.push_back(json::object{{"address", address.text()}, {"domain", domain}});
  }
  return json_response(json::object{{"items", std::move(items)}});
}

enum class Act : std::uint8_t { grant, revoke };

Result<Grants> change(accounts::Reach& reach, const Address& address, const std::string& domain,
                      Act act) {
  reach.set_target("account:" + address.text());
  auto account = reach.account(address);
  if (!account) return std::unexpected(account.error());
  // Whoever is narrowed gives no more than they reach.
  if (auto reached = reach.domain(domain); !reached) return std::unexpected(reached.error());
  auto scope = reach.scope(account->tenant);
  auto done = act == Act::grant ? accounts::grant_domain(scope, account->id, domain)
                                : accounts::revoke_domain_grant(scope, account->id, domain);
  if (!done) return std::unexpected(done.error());
  return accounts::list_domain_grants(scope, account->id);
}

Task<Response> act_on(Call& call, std::string domain, Act act) {
  auto address = accounts::parse_address(call.parameter("address"));
  if (!address) co_return problem(address.error());
  auto left =
      co_await call.change<Grants>([address = *address, domain, act](accounts::Reach& reach) {
        return change(reach, address, domain, act);
      });
  if (!left) co_return problem(left.error());
  co_return to_response(*address, *left);
}

}  // namespace

Task<Response> add_grant(Call& call) {
  co_return co_await act_on(call, call.text("domain"), Act::grant);
}

Task<Response> delete_grant(Call& call) {
  co_return co_await act_on(call, call.parameter("domain"), Act::revoke);
}

Task<Response> list_grants(Call& call) {
  auto address = accounts::parse_address(call.parameter("address"));
  if (!address) co_return problem(address.error());
  auto found =
      co_await call.read<Grants>([address = *address](accounts::Reach& reach) -> Result<Grants> {
        auto account = reach.account(address);
        if (!account) return std::unexpected(account.error());
        auto scope = reach.scope(account->tenant);
        return accounts::list_domain_grants(scope, account->id);
      });
  if (!found) co_return problem(found.error());
  co_return to_response(*address, *found);
}

}  // namespace postern::web::api
