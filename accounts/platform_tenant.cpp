#include "accounts/platform_tenant.hpp"

#include <memory>
#include <string>
#include <utility>

#include "accounts/tenants.hpp"
#include "core/log.hpp"

namespace postern::accounts {

Task<Result<TenantId>> PlatformTenant::find() {
  const std::string name(kPlatformTenant);
  const auto generation = registry_->generation();
  if (const auto known = known_.find(generation, name)) co_return *known;
  auto tenant = co_await registry_->read<Tenant>(
      [](sql::Transaction& tx) { return find_tenant(tx, kPlatformTenant); });
  if (!tenant) co_return std::unexpected(tenant.error());
  known_.store(generation, name, std::make_shared<const TenantId>(tenant->id));
  co_return tenant->id;
}

Task<Result<TenantId>> PlatformTenant::make() {
  NewTenant fresh;
  fresh.id = TenantId::make();
  fresh.mail_shards = mail_shards_;
  fresh.created = clock_->now();
  auto wrapped = keystore_->make_wrapped_data_key(fresh.id);
  if (!wrapped) co_return std::unexpected(wrapped.error());
  fresh.wrapped_data_key = std::move(*wrapped);
  auto made = co_await registry_->change<Tenant>(
      [fresh](sql::Transaction& tx) { return add_platform_tenant(tx, fresh); });
  if (!made) co_return std::unexpected(made.error());
  log::info("platform_tenant_made", {{"tenant", made->id.text()}});
  co_return made->id;
}

Task<Result<TenantId>> PlatformTenant::id() {
  auto found = co_await find();
  if (found || found.error().code != Errc::not_found) co_return found;
  auto made = co_await make();
  if (made || made.error().code != Errc::exists) co_return made;
  co_return co_await find();  // another one was first
}

}  // namespace postern::accounts
