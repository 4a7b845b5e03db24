// /v1/tenants
#include "accounts/tenants.hpp"

#include "accounts/account.hpp"
#include "smtp/queue/management.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
using accounts::Tenant;

namespace {

struct TenantView {
  Tenant tenant;
  std::string owner;  ///< address, or empty
};

json::object to_json(const TenantView& view) {
  return {{"id", view.tenant.id.text()},
          {"name", view.tenant.name},
          {"status", std::string(to_string(view.tenant.status))},
          {"owner", view.owner},
          {"shard", view.tenant.shard},
          {"created_at", timestamp_text(view.tenant.created)}};
}

TenantView view_of(sql::Transaction& tx, Tenant tenant) {
  TenantView view{std::move(tenant), {}};
  if (view.tenant.owner) {
    sql::TenantScope scope(tx, view.tenant.id);
    if (auto owner = accounts::find_account(scope, *view.tenant.owner))
      view.owner = owner->address.text();
  }
  return view;
}

Task<Response> set_status(Services& services, Request request, accounts::Status status) {
  const std::string name = request.parameters["tenant"];
  auto changed = co_await services.registry->change<TenantView>(
      [name, status](sql::Transaction& tx) -> Result<TenantView> {
        auto tenant = find_tenant_by_text(tx, name);
        if (!tenant) return std::unexpected(tenant.error());
        if (auto set = accounts::set_tenant_status(tx, tenant->id, status); !set)
          return std::unexpected(set.error());
        tenant->status = status;
        return view_of(tx, *tenant);
      });
  if (!changed) co_return problem(changed.error());
  co_return json_response(to_json(*changed));
}

}  // namespace

Task<Response> add_tenant(Services& services, Request request) {
  auto name = string_member(request, "name");
  if (!name) co_return name.error();
  accounts::NewTenant fresh;
  fresh.id = TenantId::make();
  fresh.name = *name;
  fresh.mail_shards = static_cast<std::uint32_t>(services.store->mail_shards());
  fresh.created = services.clock->now();
  auto wrapped = services.keystore->make_wrapped_data_key(fresh.id);
  if (!wrapped) co_return problem(wrapped.error());
  fresh.wrapped_data_key = std::move(*wrapped);
  auto added = co_await services.registry->change<Tenant>(
      [fresh](sql::Transaction& tx) { return accounts::add_tenant(tx, fresh); });
  if (!added) co_return problem(added.error());
  co_return json_response(to_json({*added, {}}), 201);
}

Task<Response> list_tenants(Services& services, Request request) {
  const std::string after = request.query["cursor"];
  auto found = co_await services.registry->read<std::vector<TenantView>>(
      [after](sql::Transaction& tx) -> Result<std::vector<TenantView>> {
        std::vector<TenantView> views;
        for (auto& tenant : accounts::list_tenants(tx, after, kPage))
          views.push_back(view_of(tx, std::move(tenant)));
        return views;
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& view : *found) items.push_back(to_json(view));
  co_return list_response(std::move(items), found->size(),
                          found->empty() ? "" : found->back().tenant.name);
}

Task<Response> show_tenant(Services& services, Request request) {
  const std::string name = request.parameters["tenant"];
  auto found = co_await services.registry->read<TenantView>(
      [name](sql::Transaction& tx) -> Result<TenantView> {
        auto tenant = find_tenant_by_text(tx, name);
        if (!tenant) return std::unexpected(tenant.error());
        return view_of(tx, *tenant);
      });
  if (!found) co_return problem(found.error());
  co_return json_response(to_json(*found));
}

Task<Response> suspend_tenant(Services& services, Request request) {
  co_return co_await set_status(services, std::move(request), accounts::Status::suspended);
}

Task<Response> resume_tenant(Services& services, Request request) {
  co_return co_await set_status(services, std::move(request), accounts::Status::active);
}

namespace {

// Queued mail needs the tenant's key, to be sent or to be reported.
Task<Result<bool>> has_queued_mail(Services& services, TenantId tenant) {
  co_return co_await services.store->queue().read<bool>(
      [tenant](sql::Transaction& tx) -> Result<bool> {
        smtp::queue::ListFilter filter;
        filter.tenant = tenant;
        auto page = smtp::queue::list(tx, filter, std::nullopt, 1);
        if (!page) return std::unexpected(page.error());
        return !page->rows.empty() || page->next.has_value();
      });
}

}  // namespace

Task<Response> delete_tenant(Services& services, Request request) {
  const std::string name = request.parameters["tenant"];
  auto found = co_await services.registry->read<Tenant>(
      [name](sql::Transaction& tx) { return find_tenant_by_text(tx, name); });
  if (!found) co_return problem(found.error());
  auto queued = co_await has_queued_mail(services, found->id);
  if (!queued) co_return problem(queued.error());
  if (*queued) {
    co_return problem(409, "In use",
                      "the tenant has mail in the queue: postern queue list --tenant " + name);
  }
  auto removed = co_await services.registry->change<TenantId>(
      [name](sql::Transaction& tx) -> Result<TenantId> {
        auto tenant = find_tenant_by_text(tx, name);
        if (!tenant) return std::unexpected(tenant.error());
        auto gone = accounts::remove_tenant(tx, tenant->id);
        if (!gone) return std::unexpected(gone.error());
        return tenant->id;
      });
  if (!removed) co_return problem(removed.error());
  services.keystore->forget(*removed);
  co_return json_response(json::object{});
}

}  // namespace postern::web::api
