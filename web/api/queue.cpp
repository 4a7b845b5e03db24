// /v1/queue: an operator's view of what waits, and the verbs on it. An id names a message;
// `?recipient=N` narrows a verb to one of its recipients.
#include <charconv>

#include "smtp/queue/management.hpp"
#include "web/api/handlers.hpp"
#include "web/api/queue_json.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
namespace queue = smtp::queue;

namespace {

std::optional<queue::State> live_state(std::string_view text) {
  if (text == "queued") return queue::State::queued;
  if (text == "held") return queue::State::held;
  return std::nullopt;
}

Parsed<queue::ListFilter> filter_of(const Request& request) {
  queue::ListFilter filter;
  for (const auto& [name, value] : request.query) {
    if (name == "destination") filter.destination = value;
    if (name == "sender") filter.sender = value;
    if (name == "recipient") filter.recipient = value;
    if (name == "lane") {
      filter.lane = parse_lane(value);
      if (!filter.lane)
        return std::unexpected(problem(400, "Invalid request", "no such lane", "lane"));
    }
    if (name == "state") {
      filter.state = live_state(value);
      if (!filter.state)
        return std::unexpected(problem(400, "Invalid request", "state is queued or held", "state"));
    }
  }
  return filter;
}

Parsed<std::size_t> limit_of(const Request& request) {
  const auto found = request.query.find("limit");
  std::size_t limit = 100;
  if (found == request.query.end()) return limit;
  const auto* end = found->second.data() + found->second.size();
  const auto [rest, error] = std::from_chars(found->second.data(), end, limit);
  if (error != std::errc() || rest != end || limit == 0 || limit > queue::kMaxListPage) {
    return std::unexpected(problem(400, "Invalid request",
                                   fmt::format("limit is 1 to {}", queue::kMaxListPage), "limit"));
  }
  return limit;
}

struct Wanted {
  MessageId message;
  std::optional<std::uint32_t> recipient;
};

Parsed<Wanted> wanted_of(const Request& request) {
  Wanted wanted;
  const auto id = parse_uuid(request.parameters.at("id"));
  if (!id) return std::unexpected(problem(404, "Not found", "no such message in the queue"));
  wanted.message = MessageId{*id};
  const auto found = request.query.find("recipient");
  if (found == request.query.end()) return wanted;
  std::uint32_t number = 0;
  const auto* end = found->second.data() + found->second.size();
  const auto [rest, error] = std::from_chars(found->second.data(), end, number);
  if (error != std::errc() || rest != end) {
    return std::unexpected(problem(400, "Invalid request", "recipient is a number", "recipient"));
  }
  wanted.recipient = number;
  return wanted;
}

using Verb = Result<queue::Acted> (*)(sql::Transaction&, const queue::Target&, Timestamp);

Task<Response> act(Services& services, Request request, Verb verb) {
  auto wanted = wanted_of(request);
  if (!wanted) co_return wanted.error();
  auto acted = co_await services.store->queue().write<queue::Acted>(
      Lane::transactional, storage::Purpose::outcome,
      [wanted = *wanted, verb, now = services.clock->now(),
       events = services.events](sql::Transaction& tx) -> Result<queue::Acted> {
        auto tenant = queue::tenant_of(tx, wanted.message);
        if (!tenant) return std::unexpected(tenant.error());
        auto done = verb(tx, queue::Target{*tenant, wanted.message, wanted.recipient}, now);
        if (done) events->append(tx, *done);
        return done;
      });
  if (!acted) co_return problem(acted.error());
  for (const auto& event : *acted) services.events->committed(event);
  services.delivery->changed(wanted->message);
  co_return json_response(
      json::object{{"id", wanted->message.text()}, {"recipients", acted->size()}});
}

}  // namespace

Task<Response> list_queue(Services& services, Request request) {
  auto filter = filter_of(request);
  if (!filter) co_return filter.error();
  auto limit = limit_of(request);
  if (!limit) co_return limit.error();
  std::optional<queue::ListCursor> after;
  if (const auto cursor = request.query.find("cursor"); cursor != request.query.end()) {
    after = queue::parse_list_cursor(cursor->second);
    if (!after) co_return problem(400, "Invalid request", "not a cursor of this list", "cursor");
  }
  const std::string tenant = request.query["tenant"];
  if (!tenant.empty()) {
    auto found = co_await services.registry->read<accounts::Tenant>(
        [tenant](sql::Transaction& tx) { return find_tenant_by_text(tx, tenant); });
    if (!found) co_return problem(found.error());
    filter->tenant = found->id;
  }
  auto page = co_await services.store->queue().read<queue::ListPage>(
      [filter = *filter, after, limit = *limit](sql::Transaction& tx) {
        return queue::list(tx, filter, after, limit);
      });
  if (!page) co_return problem(page.error());
  co_return json_response(to_json(*page));
}

Task<Response> show_queued(Services& services, Request request) {
  auto wanted = wanted_of(request);
  if (!wanted) co_return wanted.error();
  auto found = co_await services.store->queue().read<queue::QueuedMessage>(
      [id = wanted->message](sql::Transaction& tx) { return queue::show(tx, id); });
  if (!found) co_return problem(found.error());
  json::object document = to_json(found->envelope);
  json::array recipients;
  for (const auto& recipient : found->recipients) recipients.push_back(to_json(recipient));
  document["recipients"] = std::move(recipients);
  co_return json_response(document);
}

Task<Response> retry_queued(Services& services, Request request) {
  co_return co_await act(services, std::move(request), queue::retry_now);
}

Task<Response> hold_queued(Services& services, Request request) {
  co_return co_await act(services, std::move(request), queue::hold);
}

Task<Response> release_queued(Services& services, Request request) {
  co_return co_await act(services, std::move(request), queue::release);
}

Task<Response> drop_queued(Services& services, Request request) {
  co_return co_await act(services, std::move(request), queue::drop);
}

}  // namespace postern::web::api
