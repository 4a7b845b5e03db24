// /v1/accounts
#include "accounts/account.hpp"
#include "accounts/credentials.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Account;
using accounts::Address;

namespace {

json::object to_json(const Account& account) {
  return {{"id", account.id.text()},
          {"tenant", account.tenant.text()},
          {"address", account.address.text()},
          {"display_name", account.display_name},
          {"status", std::string(to_string(account.status))},
          {"created_at", timestamp_text(account.created)}};
}

/// The password to set: the request's, or one made here and shown in the answer.
struct Password {
  std::string text;
  std::string hash;
  bool made = false;
};

Task<Parsed<Password>> password_of(Services& services, const Request& request) {
  Password password;
  auto given = optional_string_member(request, "password", accounts::kMaxPassword);
  if (!given) co_return std::unexpected(given.error());
  password.made = given->empty();
  password.text = password.made ? accounts::make_password() : *given;
  if (auto fit = accounts::check_password(password.text); !fit) {
    co_return std::unexpected(problem(400, "Invalid request", fit.error().message, "password"));
  }
  auto hash = co_await services.passwords->hash(password.text);
  if (!hash) co_return std::unexpected(problem(hash.error()));
  password.hash = std::move(*hash);
  co_return password;
}

Response answer_with(const Account& account, const Password& password, unsigned status) {
  json::object document = to_json(account);
  if (password.made) document["password"] = password.text;
  return json_response(document, status);
}

Task<Response> set_status(Services& services, Request request, accounts::Status status) {
  auto address = accounts::parse_address(request.parameters["address"]);
  if (!address) co_return problem(address.error());
  auto changed = co_await services.registry->change<Account>(
      [address = *address, status](sql::Transaction& tx) -> Result<Account> {
        auto account = accounts::locate_account(tx, address);
        if (!account) return account;
        sql::TenantScope scope(tx, account->tenant);
        auto set = accounts::set_account_status(scope, account->id, status);
        if (!set) return std::unexpected(set.error());
        account->status = status;
        return account;
      });
  if (!changed) co_return problem(changed.error());
  co_return json_response(to_json(*changed));
}

}  // namespace

Task<Response> add_account(Services& services, Request request) {
  auto text = string_member(request, "address");
  if (!text) co_return text.error();
  auto address = accounts::parse_address(*text);
  if (!address) co_return problem(400, "Invalid request", address.error().message, "address");
  auto display_name = optional_string_member(request, "display_name");
  if (!display_name) co_return display_name.error();
  auto password = co_await password_of(services, request);
  if (!password) co_return password.error();

  accounts::NewAccount fresh{AccountId::make(), *address, *display_name, services.clock->now()};
  const auto credential = CredentialId::make();
  auto added = co_await services.registry->change<Account>(
      [fresh, credential, hash = password->hash](sql::Transaction& tx) -> Result<Account> {
        auto domain = accounts::find_domain(tx, fresh.address.domain);
        if (!domain) return std::unexpected(domain.error());
        sql::TenantScope scope(tx, domain->tenant);
        auto account = accounts::add_account(scope, fresh);
        if (!account) return account;
        auto set = accounts::set_password(scope, account->id, credential, hash, fresh.created);
        if (!set) return std::unexpected(set.error());
        return account;
      });
  if (!added) co_return problem(added.error());
  co_return answer_with(*added, *password, 201);
}

Task<Response> list_accounts(Services& services, Request request) {
  auto domain = query_value(request, "domain");
  if (!domain) co_return domain.error();
  const std::string after = request.query["cursor"];
  auto found = co_await services.registry->read<std::vector<Account>>(
      [name = *domain, after](sql::Transaction& tx) -> Result<std::vector<Account>> {
        auto hosted = accounts::find_domain(tx, name);
        if (!hosted) return std::unexpected(hosted.error());
        sql::TenantScope scope(tx, hosted->tenant);
        auto all = accounts::list_accounts(scope, Address{after, hosted->name}, kPage);
        std::erase_if(all, [&](const Account& a) { return a.address.domain != hosted->name; });
        return all;
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& account : *found) items.push_back(to_json(account));
  co_return list_response(std::move(items), found->size(),
                          found->empty() ? "" : found->back().address.local);
}

Task<Response> show_account(Services& services, Request request) {
  auto address = accounts::parse_address(request.parameters["address"]);
  if (!address) co_return problem(address.error());
  auto found = co_await services.registry->read<Account>(
      [address = *address](sql::Transaction& tx) { return accounts::locate_account(tx, address); });
  if (!found) co_return problem(found.error());
  co_return json_response(to_json(*found));
}

Task<Response> set_account_password(Services& services, Request request) {
  auto address = accounts::parse_address(request.parameters["address"]);
  if (!address) co_return problem(address.error());
  auto password = co_await password_of(services, request);
  if (!password) co_return password.error();
  auto changed = co_await services.registry->change<Account>(
      [address = *address, hash = password->hash, credential = CredentialId::make(),
       now = services.clock->now()](sql::Transaction& tx) -> Result<Account> {
        auto account = accounts::locate_account(tx, address);
        if (!account) return account;
        sql::TenantScope scope(tx, account->tenant);
        auto set = accounts::set_password(scope, account->id, credential, hash, now);
        if (!set) return std::unexpected(set.error());
        return account;
      });
  if (!changed) co_return problem(changed.error());
  co_return answer_with(*changed, *password, 200);
}

Task<Response> suspend_account(Services& services, Request request) {
  co_return co_await set_status(services, std::move(request), accounts::Status::suspended);
}

Task<Response> resume_account(Services& services, Request request) {
  co_return co_await set_status(services, std::move(request), accounts::Status::active);
}

Task<Response> delete_account(Services& services, Request request) {
  auto address = accounts::parse_address(request.parameters["address"]);
  if (!address) co_return problem(address.error());
  auto removed = co_await services.registry->change<void>(
      [address = *address](sql::Transaction& tx) -> Result<void> {
        auto account = accounts::locate_account(tx, address);
        if (!account) return std::unexpected(account.error());
        sql::TenantScope scope(tx, account->tenant);
        return accounts::remove_account(scope, account->id);
      });
  if (!removed) co_return problem(removed.error());
  co_return json_response(json::object{});
}

}  // namespace postern::web::api
