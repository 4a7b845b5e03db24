// /v1/accounts/{address}/credentials: app passwords
#include "accounts/credentials.hpp"

#include "accounts/account.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
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

}  // namespace

Task<Response> add_credential(Services& services, Request request) {
  auto address = accounts::parse_address(request.parameters["address"]);
  if (!address) co_return problem(address.error());
  auto label = string_member(request, "label");
  if (!label) co_return label.error();
  const auto made = accounts::make_app_password();
  auto hash = co_await services.passwords->hash(made.text);
  if (!hash) co_return problem(hash.error());

  accounts::NewAppPassword fresh{CredentialId::make(), {}, made.selector, *label, *hash,
                                 services.clock->now()};
  auto added = co_await services.registry->change<Credential>(
      [address = *address, fresh](sql::Transaction& tx) -> Result<Credential> {
        auto account = accounts::locate_account(tx, address);
        if (!account) return std::unexpected(account.error());
        sql::TenantScope scope(tx, account->tenant);
        auto owned = fresh;
        owned.account = account->id;
        return accounts::add_app_password(scope, owned);
      });
  if (!added) co_return problem(added.error());
  json::object document = to_json(*added);
  document["address"] = address->text();
  document["password"] = made.text;
  co_return json_response(document, 201);
}

Task<Response> list_credentials(Services& services, Request request) {
  auto address = accounts::parse_address(request.parameters["address"]);
  if (!address) co_return problem(address.error());
  auto found = co_await services.registry->read<std::vector<Credential>>(
      [address = *address](sql::Transaction& tx) -> Result<std::vector<Credential>> {
        auto account = accounts::locate_account(tx, address);
        if (!account) return std::unexpected(account.error());
        sql::TenantScope scope(tx, account->tenant);
        return accounts::list_credentials(scope, account->id, kPage);
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& credential : *found) items.push_back(to_json(credential));
  co_return json_response(json::object{{"items", items}});
}

Task<Response> revoke_credential(Services& services, Request request) {
  auto address = accounts::parse_address(request.parameters["address"]);
  if (!address) co_return problem(address.error());
  const auto id = parse_uuid(request.parameters["id"]);
  if (!id) co_return problem(404, "Not found", "no such credential");
  auto revoked = co_await services.registry->change<void>(
      [address = *address, id = CredentialId{*id},
       now = services.clock->now()](sql::Transaction& tx) -> Result<void> {
        auto account = accounts::locate_account(tx, address);
        if (!account) return std::unexpected(account.error());
        sql::TenantScope scope(tx, account->tenant);
        return accounts::revoke_credential(scope, account->id, id, now);
      });
  if (!revoked) co_return problem(revoked.error());
  co_return json_response(json::object{});
}

}  // namespace postern::web::api
