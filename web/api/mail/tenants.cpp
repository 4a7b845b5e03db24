// /v1/tenants
#include "accounts/tenants.hpp"

#include "accounts/account.hpp"
#include "accounts/audit/shorten.hpp"
#include "accounts/domains.hpp"
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

TenantView view_of(accounts::Reach& reach, Tenant tenant) {
  TenantView view{std::move(tenant), {}};
  if (view.tenant.owner && reach.caller().reaches(view.tenant.id)) {
    auto scope = reach.scope(view.tenant.id);
    if (auto owner = accounts::find_account(scope, *view.tenant.owner))
      view.owner = owner->address.text();
  }
  return view;
}

constexpr auto kSuspend = accounts::Permission::tenant_suspend;

Task<Response> set_status(Call& call, accounts::Status status) {
  auto changed = co_await call.change<TenantView>(
      [name = call.parameter("tenant"), status](accounts::Reach& reach) -> Result<TenantView> {
        auto tx = reach.unscoped(kSuspend, "suspend or resume a tenant");
        if (!tx) return std::unexpected(tx.error());
        auto tenant = reach.tenant(name);
        if (!tenant) return std::unexpected(tenant.error());
        if (auto set = accounts::set_tenant_status(**tx, tenant->id, status); !set)
          return std::unexpected(set.error());
        tenant->status = status;
        reach.set_target("tenant:" + tenant->name);
        return view_of(reach, *tenant);
      });
  if (!changed) co_return problem(changed.error());
  co_return json_response(to_json(*changed));
}

}  // namespace

Task<Response> add_tenant(Call& call) {
  accounts::NewTenant fresh;
  fresh.id = TenantId::make();
  fresh.name = call.text("name");
  fresh.mail_shards = static_cast<std::uint32_t>(call.services.store->mail_shards());
  fresh.created = call.now();
  auto wrapped = call.services.keystore->make_wrapped_data_key(fresh.id);
  if (!wrapped) co_return problem(wrapped.error());
  fresh.wrapped_data_key = std::move(*wrapped);
  auto added = co_await call.change<Tenant>([fresh](accounts::Reach& reach) -> Result<Tenant> {
    auto tx = reach.unscoped(accounts::Permission::tenant_create, "make a tenant");
    if (!tx) return std::unexpected(tx.error());
    reach.set_target("tenant:" + fresh.name);
    return accounts::add_tenant(**tx, fresh);
  });
  if (!added) co_return problem(added.error());
  co_return json_response(to_json({*added, {}}), 201);
}

Task<Response> list_tenants(Call& call) {
  auto found = co_await call.read<std::vector<TenantView>>(
      [after = call.query("cursor")](accounts::Reach& reach) -> Result<std::vector<TenantView>> {
        auto tx = reach.unscoped(accounts::Permission::tenant_list, "list the tenants");
        if (!tx) return std::unexpected(tx.error());
        std::vector<TenantView> views;
        for (auto& tenant : accounts::list_tenants(**tx, after, kPage))
          views.push_back(view_of(reach, std::move(tenant)));
        return views;
      });
  if (!found) co_return problem(found.error());
  json::array items;
  for (const auto& view : *found) items.push_back(to_json(view));
  co_return list_response(std::move(items), found->size(),
                          found->empty() ? "" : found->back().tenant.name);
}

Task<Response> show_tenant(Call& call) {
  auto found = co_await call.read<TenantView>(
      [name = call.parameter("tenant")](accounts::Reach& reach) -> Result<TenantView> {
        auto tenant = reach.tenant(name);
        if (!tenant) return std::unexpected(tenant.error());
        return view_of(reach, *tenant);
      });
  if (!found) co_return problem(found.error());
  co_return json_response(to_json(*found));
}

Task<Response> suspend_tenant(Call& call) {
  co_return co_await set_status(call, accounts::Status::suspended);
}

Task<Response> resume_tenant(Call& call) {
  co_return co_await set_status(call, accounts::Status::active);
}

namespace {

constexpr auto kDelete = accounts::Permission::tenant_delete;

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

constexpr std::uint64_t kAtOnce = 10'000;  // audit records that a deletion takes with it

// A deletion that will be refused must leave the trail as it is.
Task<Result<bool>> has_domains(Call& call, TenantId tenant) {
  co_return co_await call.services.registry->read<bool>(
      [tenant](sql::Transaction& tx) -> Result<bool> {
        return !accounts::list_domains(tx, tenant, "", 1).empty();
      });
}

Task<Result<void>> shorten_trail(Call& call, TenantId tenant) {
  const auto refused = co_await has_domains(call, tenant);
  if (!refused) co_return std::unexpected(refused.error());
  if (*refused) co_return Result<void>{};
  co_return co_await accounts::audit::shorten(*call.services.registry, *call.services.audit, tenant,
                                              kAtOnce, call.now());
}

// Nothing of the tenant is left but how far its trail went, in the platform's.
Result<void> remove_with_trail(sql::Transaction& tx, const accounts::audit::Chain& chain,
                               TenantId id, const accounts::audit::By& by) {
  if (auto removed = accounts::remove_tenant(tx, id); !removed) return removed;
  const auto closed = chain.close(tx, id, by, nullptr);
  if (!closed && closed.error().code != Errc::not_found) return std::unexpected(closed.error());
  return {};
}

}  // namespace

Task<Response> delete_tenant(Call& call) {
  const auto name = call.parameter("tenant");
  auto found =
      co_await call.read<Tenant>([name](accounts::Reach& reach) { return reach.tenant(name); });
  if (!found) co_return problem(found.error());
  auto queued = co_await has_queued_mail(call.services, found->id);
  if (!queued) co_return problem(queued.error());
  if (*queued) {
    co_return problem(409, "In use",
                      "the tenant has mail in the queue: postern queue list --tenant " + name);
  }
  if (auto shortened = co_await shorten_trail(call, found->id); !shortened)
    co_return problem(shortened.error());
  const auto act = make_act(call.services, call.request, call.caller, call.route.name);
  auto removed = co_await call.change<void>(
      [id = found->id, name = found->name, chain = call.services.audit,
       by = record_of(act, "tenant:" + found->name)](accounts::Reach& reach) -> Result<void> {
        auto tx = reach.unscoped(kDelete, "delete a tenant");
        if (!tx) return std::unexpected(tx.error());
        reach.set_target("tenant:" + name);
        return remove_with_trail(**tx, *chain, id, by);
      });
  if (!removed) co_return problem(removed.error());
  call.services.keystore->forget(found->id);
  co_return no_content();
}

}  // namespace postern::web::api
