// /v1/messages: what happened to a message.
#include "smtp/queue/event_log.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
namespace queue = smtp::queue;

namespace {

struct Wanted {
  MessageId message;
  std::optional<queue::EventId> after;
};

Parsed<Wanted> wanted_of(const Request& request) {
  Wanted wanted;
  const auto id = parse_uuid(request.parameters.at("id"));
  if (!id) return std::unexpected(problem(404, "Not found", "no such message"));
  wanted.message = MessageId{*id};
  const auto cursor = request.query.find("cursor");
  if (cursor == request.query.end()) return wanted;
  const auto after = parse_uuid(cursor->second);
  if (!after)
    return std::unexpected(problem(400, "Invalid request", "not a cursor of this list", "cursor"));
  wanted.after = queue::EventId{*after};
  return wanted;
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value() : json::value(text);
}

json::object to_json(const queue::DeliveryEvent& event) {
  json::object item{{"id", event.id.text()},          {"event", to_string(event.kind)},
                    {"at", timestamp_text(event.at)}, {"sender", event.return_path},
                    {"lane", to_string(event.lane)},  {"stream", event.stream}};
  if (event.kind == queue::EventKind::accepted) return item;
  item["recipient"] = event.recipient;
  item["address"] = event.address;
  item["destination"] = event.destination;
  item["attempts"] = event.attempts;
  item["reply"] = event.reply.code == 0 ? json::value() : json::value(event.reply.one_line());
  item["remote_mta"] = text_or_null(event.remote_mta);
  if (event.bounce != queue::BounceClass::none) item["bounce"] = to_string(event.bounce);
  if (event.next_attempt) item["next_attempt_at"] = timestamp_text(*event.next_attempt);
  item["age_seconds"] = std::chrono::duration<double>(event.age).count();
  return item;
}

}  // namespace

Task<Response> list_events(Services& services, Request request) {
  const auto wanted = wanted_of(request);
  if (!wanted) co_return wanted.error();
  auto timeline =
      co_await services.workers->run<queue::Timeline>([store = services.store, wanted = *wanted] {
        return queue::read_timeline(store->events(), wanted.message, wanted.after, kPage);
      });
  if (!timeline) co_return problem(timeline.error());
  json::array items;
  for (const auto& event : timeline->events) items.push_back(to_json(event));
  json::object document{{"id", wanted->message.text()},
                        {"tenant", timeline->tenant.text()},
                        {"items", std::move(items)}};
  if (timeline->next) document["cursor"] = timeline->next->text();
  co_return json_response(document);
}

}  // namespace postern::web::api
