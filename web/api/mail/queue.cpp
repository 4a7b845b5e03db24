// /v1/queue: an operator's view of what waits, and the verbs on it. An id names a message;
// `?recipient=N` narrows a verb to one of its recipients.
#include "core/log.hpp"
#include "smtp/queue/management.hpp"
#include "web/api/handlers.hpp"
#include "web/api/mail/queue_json.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
namespace queue = smtp::queue;

namespace {

Response not_queued() { return problem(404, "Not found", "no such message in the queue"); }

queue::ListFilter filter_of(const Call& call) {
  queue::ListFilter filter;
  const auto text = [&](std::string_view name) -> std::optional<std::string> {
    auto value = call.query(name);
    if (value.empty()) return std::nullopt;
    return value;
  };
  filter.destination = text("destination");
  filter.sender = text("sender");
  filter.recipient = text("recipient");
  filter.lane = parse_lane(call.query("lane"));
  const auto state = call.query("state");
  if (!state.empty()) filter.state = state == "held" ? queue::State::held : queue::State::queued;
  return filter;
}

// Which tenant's queue is asked for; nullopt: all, which is an operator's to see.
Task<Result<std::optional<TenantId>>> tenant_asked(Call& call) {
  using Asked = std::optional<TenantId>;
  co_return co_await call.read<Asked>(
      [tenant = call.query("tenant")](accounts::Reach& reach) -> Result<Asked> {
        if (tenant.empty() && !reach.caller().tenant) {
          auto all = reach.unscoped(accounts::Permission::tenant_list, "list the whole queue");
          if (!all) return std::unexpected(all.error());
          return Asked{};
        }
        auto found = reach.tenant_or_own(tenant);
        if (!found) return std::unexpected(found.error());
        if (!reach.caller().reaches(found->id))
          return fail(Errc::denied, "not this tenant's queue");
        return Asked{found->id};
      });
}

struct Wanted {
  MessageId message;
  std::optional<std::uint32_t> recipient;
};

std::optional<Wanted> wanted_of(const Call& call) {
  const auto id = parse_uuid(call.parameter("message"));
  if (!id) return std::nullopt;
  Wanted wanted{MessageId{*id}, std::nullopt};
  if (const auto number = call.query_integer("recipient"))
    wanted.recipient = static_cast<std::uint32_t>(*number);
  return wanted;
}

// Another tenant's message answers like one that isn't there.
Result<TenantId> reached_tenant(sql::Transaction& tx, const accounts::Caller& caller,
                                MessageId message) {
  auto tenant = queue::tenant_of(tx, message);
  if (tenant && !caller.reaches(*tenant)) return fail(Errc::not_found, "no such message");
  return tenant;
}

using Verb = Result<queue::Acted> (*)(sql::Transaction&, const queue::Target&, Timestamp);

Task<Response> act(Call& call, Verb verb) {
  const auto wanted = wanted_of(call);
  if (!wanted) co_return not_queued();
  const Services& services = call.services;
  auto acted = co_await services.store->queue().write<queue::Acted>(
      Lane::transactional, storage::Purpose::outcome,
      [wanted = *wanted, verb, now = call.now(), who = call.caller, events = services.events,
       intent = make_act(services, call.request, call.caller, call.route.name)](
          sql::Transaction& tx) -> Result<queue::Acted> {
        auto tenant = reached_tenant(tx, who, wanted.message);
        if (!tenant) return std::unexpected(tenant.error());
        auto done = verb(tx, queue::Target{*tenant, wanted.message, wanted.recipient}, now);
        if (!done) return done;
        events->append(tx, *done);
        enter_later(intent, tx, *tenant, "message:" + wanted.message.text());
        return done;
      });
  if (!acted && acted.error().code == Errc::not_found) co_return not_queued();
  if (!acted) co_return problem(acted.error());
  for (const auto& event : *acted) services.events->committed(event);
  services.delivery->changed(wanted->message);
  auto entered = co_await settle_intents(call.services);
  if (!entered) log::warn("audit_intents_wait", {{"error", entered.error().message}});
  co_return json_response(
      json::object{{"id", wanted->message.text()}, {"recipients", acted->size()}});
}

}  // namespace

Task<Response> list_queue(Call& call) {
  auto filter = filter_of(call);
  const auto limit = static_cast<std::size_t>(call.query_integer("limit").value_or(100));
  if (limit == 0) co_return problem(400, "Invalid request", "limit is 1 or more", "limit");
  std::optional<queue::ListCursor> after;
  if (const auto cursor = call.query("cursor"); !cursor.empty()) {
    after = queue::parse_list_cursor(cursor);
    if (!after) co_return problem(400, "Invalid request", "not a cursor of this list", "cursor");
  }
  auto tenant = co_await tenant_asked(call);
  if (!tenant) co_return problem(tenant.error());
  filter.tenant = *tenant;
  auto page = co_await call.services.store->queue().read<queue::ListPage>(
      [filter, after, limit](sql::Transaction& tx) {
        return queue::list(tx, filter, after, limit);
      });
  if (!page) co_return problem(page.error());
  co_return json_response(to_json(*page));
}

Task<Response> show_queued(Call& call) {
  const auto wanted = wanted_of(call);
  if (!wanted) co_return not_queued();
  auto found = co_await call.services.store->queue().read<queue::QueuedMessage>(
      [id = wanted->message,
       who = call.caller](sql::Transaction& tx) -> Result<queue::QueuedMessage> {
        auto tenant = reached_tenant(tx, who, id);
        if (!tenant) return std::unexpected(tenant.error());
        return queue::show(tx, id);
      });
  if (!found && found.error().code == Errc::not_found) co_return not_queued();
  if (!found) co_return problem(found.error());
  json::object document = to_json(found->envelope);
  json::array recipients;
  for (const auto& recipient : found->recipients) recipients.push_back(to_json(recipient));
  document["recipients"] = std::move(recipients);
  co_return json_response(document);
}

Task<Response> retry_queued(Call& call) { co_return co_await act(call, queue::retry_now); }

Task<Response> hold_queued(Call& call) { co_return co_await act(call, queue::hold); }

Task<Response> release_queued(Call& call) { co_return co_await act(call, queue::release); }

Task<Response> drop_queued(Call& call) { co_return co_await act(call, queue::drop); }

}  // namespace postern::web::api
