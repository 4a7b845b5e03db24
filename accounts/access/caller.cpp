#include "accounts/access/caller.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postern::accounts {

bool Narrowing::reaches_domain(const std::string& domain) const {
  return none() || std::ranges::find(domains, domain) != domains.end();
}

bool Narrowing::reaches_account(const std::string& address) const {
  if (none() || std::ranges::find(accounts, address) != accounts.end()) return true;
  const auto at = address.rfind('@');
  return at != std::string::npos &&
         std::ranges::find(domains, address.substr(at + 1)) != domains.end();
}

Caller operator_caller(std::uint32_t uid) {
  Caller caller;
  caller.kind = CallerKind::operator_;
  caller.id = fmt::format("{}", uid);
  caller.name = fmt::format("uid {}", uid);
  caller.permissions = PermissionSet::everything();
  return caller;
}

}  // namespace postern::accounts
