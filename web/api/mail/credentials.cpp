// /v1/accounts/{address}/credentials: app passwords
#include "accounts/credentials.hpp"

#include "accounts/account.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Address;
using accounts::Credential;

namespace {

json::object to_json(const Credential& credential) {
  return {
      {"id", credential.id.text()},
      {"kind", credential.kind == accounts::CredentialKind::password ? "password" : "app_password"},
      {"label", credential.label},
      {"selector", credential.selector},
      {"created_at", timestamp_text(credential.created)},
      {"last_used_at",
       credential.last_used ? json::value(timestamp_text(*credential.last_used)) : json::value()},
      {"status", credential.revoked ? "revoked" : "active"}};
}

Result<Credential> insert_credential(accounts::Reach& reach, const Address& address,
                                     accounts::NewAppPassword fresh) {
  reach.set_target("account:" + address.text());
  auto account = reach.account(address);
  if (!account) return std::unexpected(account.error());
  auto scope = reach.scope(account->tenant);
  fresh.account = account->id;
  return accounts::add_app_password(scope, fresh);
}

}  // namespace

Task<Response> add_credential(Call& call) {
  auto address = accounts::parse_address(call.parameter("address"));
  if (!address) co_return problem(address.error());
  const auto made = accounts::make_app_password();
  auto hash = co_await call.services.passwords->hash(made.text);
  if (!hash) co_return problem(hash.error());
  const accounts::NewAppPassword fresh{CredentialId::make(), {},    made.selector,
                                       call.text("label"),   *hash, call.now()};
  auto added =
      co_await call.change<Credential>([address = *address, fresh](accounts::Reach& reach) {
        return insert_credential(reach, address, fresh);
      });
  if (!added) co_return problem(added.error());
  json::object document = to_json(*added);
  document["address"] = address->text();
  document["password"] = made.text;
  auto response = json_response(document, 201);
  response.secrecy = Response::Secrecy::secret;
  co_return response;
}

Task<Response> list_credentials(Call& call) {
  auto address = accounts::parse_address(call.parameter("address"));
  if (!address) co_return problem(address.error());
  auto found = co_await call.read<std::vector<Credential>>(
      [address = *address](accounts::Reach& reach) -> Result<std::vector<Credential>> {
        auto account = reach.account(address);
        if (!account) return std::unexpected(account.error());
        auto scope = reach.scope(account->tenant);
        return accounts::list_credentials(scope, account->id, kPage);
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& credential : *found) items.push_back(to_json(credential));
  co_return json_response(json::object{{"items", items}});
}

Task<Response> revoke_credential(Call& call) {
  auto address = accounts::parse_address(call.parameter("address"));
  if (!address) co_return problem(address.error());
  const auto id = parse_uuid(call.parameter("credential"));
  if (!id) co_return problem(404, "Not found", "no such credential");
  auto revoked =
      co_await call.change<void>([address = *address, id = CredentialId{*id},
                                  now = call.now()](accounts::Reach& reach) -> Result<void> {
        reach.set_target("account:" + address.text());
        auto account = reach.account(address);
        if (!account) return std::unexpected(account.error());
        auto scope = reach.scope(account->tenant);
        return accounts::revoke_credential(scope, account->id, id, now);
      });
  if (!revoked) co_return problem(revoked.error());
  co_return no_content();
}

}  // namespace postern::web::api
