#include "accounts/access/reach.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace postern::accounts {

namespace {
std::unexpected<Error> no_tenant(const std::string& name_or_id) {
  return fail(Errc::not_found, fmt::format("there is no tenant \"{}\"", name_or_id));
}
std::unexpected<Error> no_domain(std::string_view name) {
  return fail(Errc::not_found, fmt::format("{} is not hosted here", name));
}
std::unexpected<Error> no_account(const Address& address) {
  return fail(Errc::not_found, fmt::format("there is no account {}", address.text()));
}

Result<Tenant> find_by_text(sql::Transaction& tx, const std::string& name_or_id) {
  if (const auto id = parse_uuid(name_or_id)) {
    auto by_id = find_tenant(tx, TenantId{*id});
    if (by_id) return by_id;
  }
  return find_tenant(tx, name_or_id);
}
}  // namespace

// An operator who is a person sees that there is such a tenant, and nothing of what it holds.
bool Reach::sees_record_of(TenantId tenant) const {
  return caller_->reaches(tenant) || (!caller_->tenant && caller_->may(Permission::tenant_list));
}

Result<Tenant> Reach::tenant(const std::string& name_or_id) {
  auto found = find_by_text(*tx_, name_or_id);
  if (!found && found.error().code != Errc::not_found) return found;
  if (!found || !sees_record_of(found->id)) return no_tenant(name_or_id);
  touch(found->id);
  return found;
}

Result<Tenant> Reach::tenant_or_own(const std::string& name_or_id) {
  if (!name_or_id.empty()) return tenant(name_or_id);
  if (!caller_->tenant) return fail(Errc::invalid, "say which tenant");
  touch(*caller_->tenant);
  return find_tenant(*tx_, *caller_->tenant);
}

Result<Domain> Reach::domain(std::string_view name) {
  const auto parsed = parse_domain(name);
  if (!parsed) return std::unexpected(parsed.error());
  auto found = find_domain(*tx_, *parsed);
  if (!found && found.error().code != Errc::not_found) return found;
  if (!found || !caller_->reaches(found->tenant) ||
      !caller_->narrowing.reaches_domain(found->name)) {
    return no_domain(*parsed);
  }
  touch(found->tenant);
  return found;
}

Result<Account> Reach::account(const Address& address) {
  if (!caller_->narrowing.reaches_account(address.text())) return no_account(address);
  const auto domain = find_domain(*tx_, address.domain);
  if (!domain && domain.error().code != Errc::not_found) return std::unexpected(domain.error());
  if (!domain || !caller_->reaches(domain->tenant)) return no_account(address);
  auto tables = scope(domain->tenant);
  auto found = find_account(tables, address);
  if (!found && found.error().code == Errc::not_found) return no_account(address);
  return found;
}

sql::TenantScope Reach::scope(TenantId tenant) {
  if (!caller_->reaches(tenant)) {
    throw std::logic_error("a scope outside of what the caller reaches");
  }
  touch(tenant);
  return {*tx_, tenant};
}

Result<sql::Transaction*> Reach::unscoped(Permission permission, std::string_view reason) {
  if (caller_->tenant || !caller_->may(permission) || realm_of(permission) != Realm::platform) {
    return fail(Errc::denied, "this needs a permission of the platform's operators");
  }
  unscoped_reason_ = reason;
  return tx_;
}

}  // namespace postern::accounts
