#include "web/access/audit.hpp"

#include <algorithm>
#include <boost/json/object.hpp>

#include "accounts/audit/query.hpp"
#include "web/access/audit_intent.hpp"

namespace postern::web {

namespace json = boost::json;
namespace audit = accounts::audit;
using accounts::Caller;
using accounts::CallerKind;

namespace {

audit::ActorKind actor_kind(CallerKind kind) {
  switch (kind) {
    case CallerKind::operator_: return audit::ActorKind::operator_local;
    case CallerKind::person: return audit::ActorKind::person;
    case CallerKind::api_key: return audit::ActorKind::api_key;
    case CallerKind::nobody: break;
  }
  return audit::ActorKind::system;
}

// Whoever isn't of the tenant is on record with the platform too: an operator by either door, and
// who acts by a connection.
bool on_both_sides(const Caller& caller) {
  const bool outside = caller.kind == CallerKind::person && !caller.tenant;
  return caller.kind == CallerKind::operator_ || outside || !caller.original.empty();
}

Result<void> append(const Act& act, sql::Transaction& tx, TenantId tenant, audit::Record record) {
  if (auto appended = act.chain->append(tx, tenant, record); !appended) return appended;
  if (tenant == TenantId{} || !on_both_sides(act.caller)) return {};
  json::object details{{"tenant", tenant.text()}};
  record.details = audit::canonical(details);
  record.id = audit::AuditId::make();
  return act.chain->append(tx, TenantId{}, record);
}

bool is_there(sql::Transaction& tx, TenantId chain, const AuditIntent& intent) {
  sql::TenantScope scope(tx, chain);
  audit::Filter filter;
  filter.from = intent.record.at;
  filter.to = intent.record.at + Micros{1};
  const auto page = audit::list(scope, filter, std::nullopt, audit::kMaxPage);
  return std::ranges::any_of(
      page.entries, [&](const audit::Entry& entry) { return entry.record.id == intent.record.id; });
}

// An erased tenant's chain takes nothing more: the platform's then keeps what was done.
Result<void> append_intent(const audit::Chain& chain, sql::Transaction& tx,
                           const AuditIntent& intent) {
  if (is_there(tx, intent.tenant, intent)) return {};
  auto done = chain.append(tx, intent.tenant, intent.record);
  if (done || done.error().code != Errc::denied) return done;
  if (is_there(tx, TenantId{}, intent)) return {};
  auto record = intent.record;
  record.details = audit::canonical(json::object{{"tenant", intent.tenant.text()}});
  return chain.append(tx, TenantId{}, record);
}

Task<Result<void>> append_alone(Services& services, Act act, audit::Record record) {
  const auto tenant = act.caller.tenant.value_or(TenantId{});
  co_return co_await services.registry->note<void>(
      [act, record, tenant](sql::Transaction& tx) { return append(act, tx, tenant, record); });
}

}  // namespace

Act make_act(const Services& services, const Request& request, const Caller& caller,
             std::string_view action) {
  return {services.audit, audit::AuditId::make(), caller, std::string(action), request.peer,
          request.id,     services.clock->now()};
}

audit::Record record_of(const Act& act, std::string target) {
  audit::Record record;
  record.id = act.id;
  record.at = act.at;
  record.action = act.action;
  record.actor_kind = actor_kind(act.caller.kind);
  record.actor_id = act.caller.id;
  record.actor = act.caller.name;
  record.original_actor = act.caller.original;
  record.door = act.peer.door == Door::management ? audit::Door::management : audit::Door::http;
  record.address = act.peer.address;
  record.target = std::move(target);
  record.request_id = act.request_id;
  return record;
}

Result<void> enter(const Act& act, sql::Transaction& tx, const accounts::Reach& reach) {
  auto record = record_of(act, reach.target());
  if (!reach.unscoped_reason().empty()) {
    const auto reason = reach.unscoped_reason();
    record.details =
        audit::canonical(json::object{{"reason", json::string_view(reason.data(), reason.size())}});
  }
  return append(act, tx, reach.touched().value_or(TenantId{}), std::move(record));
}

Task<Result<void>> enter_look(Services& services, const Request& request, const Caller& caller,
                              std::string_view action, std::string reason) {
  Act act = make_act(services, request, caller, action);
  auto record = record_of(act, "platform:tenants");
  record.details = audit::canonical(json::object{{"reason", std::move(reason)}});
  co_return co_await append_alone(services, std::move(act), std::move(record));
}

Task<Result<void>> enter_denial(Services& services, const Request& request, const Caller& caller,
                                std::string_view action) {
  Act act = make_act(services, request, caller, action);
  auto record = record_of(act, "");
  record.outcome = audit::Outcome::denied;
  co_return co_await append_alone(services, std::move(act), std::move(record));
}

void enter_later(const Act& act, sql::Transaction& tx, TenantId tenant, std::string target) {
  leave_intent(tx, AuditIntent{tenant, record_of(act, std::move(target))});
}

Task<Result<void>> settle_intents(Services& services) {
  auto& queue = services.store->queue();
  for (;;) {
    auto waiting = co_await queue.read<std::vector<WaitingIntent>>(
        [now = services.clock->now()](sql::Transaction& tx) { return waiting_intents(tx, now); });
    if (!waiting) co_return std::unexpected(waiting.error());
    if (waiting->empty()) co_return Result<void>{};
    auto entered = co_await services.registry->note<void>(
        [chain = services.audit, intents = *waiting](sql::Transaction& tx) -> Result<void> {
          for (const auto& [entry, intent] : intents) {
            if (auto done = append_intent(*chain, tx, intent); !done) return done;
          }
          return {};
        });
    if (!entered) co_return entered;
    auto settled = co_await queue.write<void>(
        Lane::bulk, storage::Purpose::outcome,
        [intents = std::move(*waiting)](sql::Transaction& tx) -> Result<void> {
          for (const auto& [entry, intent] : intents) storage::outbox::complete(tx, entry);
          return {};
        });
    if (!settled) co_return settled;
  }
}

}  // namespace postern::web
