#include "accounts/login_record.hpp"

#include "accounts/account.hpp"
#include "accounts/credentials.hpp"
#include "accounts/domains.hpp"

namespace postern::accounts {

LoginRecord read_login(sql::Transaction& tx, const Address& address,
                       const std::optional<std::string>& selector) {
  const auto domain = find_domain(tx, address.domain);
  if (!domain) return {};
  const auto tenant = find_tenant(tx, domain->tenant);
  if (!tenant) return {};
  sql::TenantScope scope(tx, tenant->id);
  const auto account = find_account(scope, address);
  if (!account) return {};
  const auto credential = selector ? find_app_password(scope, account->id, *selector)
                                   : find_password(scope, account->id);
  if (!credential) return {};
  const bool active = tenant->status == Status::active && account->status == Status::active;
  LoginRecord record;
  record.state = active ? LoginRecord::State::usable : LoginRecord::State::suspended;
  record.login = {
      {tenant->id, account->id}, credential->id, account->address.text(), tenant->shard};
  record.hash = credential->hash;
  record.last_used = credential->last_used;
  return record;
}

bool read_still_valid(sql::Transaction& tx, const Login& login) {
  const auto tenant = find_tenant(tx, login.identity.tenant);
  if (!tenant || tenant->status != Status::active) return false;
  sql::TenantScope scope(tx, tenant->id);
  const auto account = find_account(scope, login.identity.account);
  if (!account || account->status != Status::active) return false;
  const auto credential = find_credential(scope, login.credential);
  return credential && !credential->revoked && credential->account == account->id;
}

}  // namespace postern::accounts
