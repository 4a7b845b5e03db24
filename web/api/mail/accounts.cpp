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

/// A refusal is a problem that names the member.
Task<std::expected<Password, Response>> password_of(Call& call) {
  Password password;
  password.text = call.text("password");
  password.made = password.text.empty();
  if (password.made) password.text = accounts::make_password();
  if (auto fit = accounts::check_password(password.text); !fit) {
    co_return std::unexpected(bad_member("password", fit.error()));
  }
  auto hash = co_await call.services.passwords->hash(password.text);
  if (!hash) co_return std::unexpected(problem(hash.error()));
  password.hash = std::move(*hash);
  co_return password;
}

Response answer_with(const Account& account, const Password& password, unsigned status) {
  json::object document = to_json(account);
  if (password.made) document["password"] = password.text;
  auto response = json_response(document, status);
  if (password.made) response.secrecy = Response::Secrecy::secret;
  return response;
}

Result<Account> find_for(accounts::Reach& reach, const Address& address) {
  reach.set_target("account:" + address.text());
  return reach.account(address);
}

Task<Response> set_status(Call& call, accounts::Status status) {
  auto address = accounts::parse_address(call.parameter("address"));
  if (!address) co_return problem(address.error());
  auto changed = co_await call.change<Account>(
      [address = *address, status](accounts::Reach& reach) -> Result<Account> {
        auto account = find_for(reach, address);
        if (!account) return account;
        auto scope = reach.scope(account->tenant);
        auto set = accounts::set_account_status(scope, account->id, status);
        if (!set) return std::unexpected(set.error());
        account->status = status;
        return account;
      });
  if (!changed) co_return problem(changed.error());
  co_return json_response(to_json(*changed));
}

Result<Account> insert_account(accounts::Reach& reach, const accounts::NewAccount& fresh,
                               CredentialId credential, const std::string& hash) {
  reach.set_target("account:" + fresh.address.text());
  if (!reach.caller().narrowing.reaches_account(fresh.address.text())) {
    return fail(Errc::not_found, fresh.address.domain + " is not hosted here");
  }
  auto domain = reach.domain(fresh.address.domain);
  if (!domain) return std::unexpected(domain.error());
  auto scope = reach.scope(domain->tenant);
  auto account = accounts::add_account(scope, fresh);
  if (!account) return account;
  auto set = accounts::set_password(scope, account->id, credential, hash, fresh.created);
  if (!set) return std::unexpected(set.error());
  return account;
}

struct AccountPage {
  std::vector<Account> accounts;
  std::size_t rows = 0;  ///< read, before narrowing
  std::string last;
};

Result<AccountPage> page_of(accounts::Reach& reach, const std::string& name,
                            const std::string& after) {
  auto hosted = reach.domain(name);
  if (!hosted) return std::unexpected(hosted.error());
  auto scope = reach.scope(hosted->tenant);
  AccountPage page;
  page.accounts = accounts::list_accounts(scope, Address{after, hosted->name}, kPage);
  std::erase_if(page.accounts, [&](const Account& a) { return a.address.domain != hosted->name; });
  page.rows = page.accounts.size();
  if (page.rows > 0) page.last = page.accounts.back().address.local;
  const auto& narrowing = reach.caller().narrowing;
  std::erase_if(page.accounts,
                [&](const Account& a) { return !narrowing.reaches_account(a.address.text()); });
  return page;
}

}  // namespace

Task<Response> add_account(Call& call) {
  auto address = accounts::parse_address(call.text("address"));
  if (!address) co_return bad_member("address", address.error());
  auto password = co_await password_of(call);
  if (!password) co_return password.error();
  const accounts::NewAccount fresh{AccountId::make(), *address, call.text("display_name"),
                                   call.now()};
  auto added = co_await call.change<Account>(
      [fresh, credential = CredentialId::make(), hash = password->hash](accounts::Reach& reach) {
        return insert_account(reach, fresh, credential, hash);
      });
  if (!added) co_return problem(added.error());
  co_return answer_with(*added, *password, 201);
}

Task<Response> list_accounts(Call& call) {
  auto page = co_await call.read<AccountPage>(
      [name = call.query("domain"), after = call.query("cursor")](accounts::Reach& reach) {
        return page_of(reach, name, after);
      });
  if (!page) co_return problem(page.error());
  json::array items;
  for (const auto& account : page->accounts) items.push_back(to_json(account));
  co_return list_response(std::move(items), page->rows, page->last);
}

Task<Response> show_account(Call& call) {
  auto address = accounts::parse_address(call.parameter("address"));
  if (!address) co_return problem(address.error());
  auto found = co_await call.read<Account>(
      [address = *address](accounts::Reach& reach) { return reach.account(address); });
  if (!found) co_return problem(found.error());
  co_return json_response(to_json(*found));
}

Task<Response> set_account_password(Call& call) {
  auto address = accounts::parse_address(call.parameter("address"));
  if (!address) co_return problem(address.error());
  auto password = co_await password_of(call);
  if (!password) co_return password.error();
  auto changed = co_await call.change<Account>(
      [address = *address, hash = password->hash, credential = CredentialId::make(),
       now = call.now()](accounts::Reach& reach) -> Result<Account> {
        auto account = find_for(reach, address);
        if (!account) return account;
        auto scope = reach.scope(account->tenant);
        auto set = accounts::set_password(scope, account->id, credential, hash, now);
        if (!set) return std::unexpected(set.error());
        return account;
      });
  if (!changed) co_return problem(changed.error());
  co_return answer_with(*changed, *password, 200);
}

Task<Response> suspend_account(Call& call) {
  co_return co_await set_status(call, accounts::Status::suspended);
}

Task<Response> resume_account(Call& call) {
  co_return co_await set_status(call, accounts::Status::active);
}

Task<Response> delete_account(Call& call) {
  auto address = accounts::parse_address(call.parameter("address"));
  if (!address) co_return problem(address.error());
  auto removed =
      co_await call.change<void>([address = *address](accounts::Reach& reach) -> Result<void> {
        auto account = find_for(reach, address);
        if (!account) return std::unexpected(account.error());
        auto scope = reach.scope(account->tenant);
        return accounts::remove_account(scope, account->id);
      });
  if (!removed) co_return problem(removed.error());
  co_return no_content();
}

}  // namespace postern::web::api
