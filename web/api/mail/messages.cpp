// /v1/messages: what happened to a message.
#include "smtp/queue/event_log.hpp"
#include "web/api/handlers.hpp"
#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
namespace queue = smtp::queue;

namespace {

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

Task<Response> list_events(Call& call) {
  const auto missing = [] { return problem(404, "Not found", "no such message"); };
  const auto id = parse_uuid(call.parameter("message"));
  if (!id) co_return missing();
  std::optional<queue::EventId> after;
  if (const auto cursor = call.query("cursor"); !cursor.empty()) {
    const auto parsed = parse_uuid(cursor);
    if (!parsed) co_return problem(400, "Invalid request", "not a cursor of this list", "cursor");
    after = queue::EventId{*parsed};
  }
  auto timeline = co_await call.services.workers->run<queue::Timeline>(
      [store = call.services.store, message = MessageId{*id}, after] {
        return queue::read_timeline(store->events(), message, after, kPage);
      });
  if (!timeline && timeline.error().code != Errc::not_found) co_return problem(timeline.error());
  if (!timeline || !call.caller.reaches(timeline->tenant)) co_return missing();
  json::array items;
  for (const auto& event : timeline->events) items.push_back(to_json(event));
  json::object document{
      {"id", to_string(*id)}, {"tenant", timeline->tenant.text()}, {"items", std::move(items)}};
  if (timeline->next) document["cursor"] = timeline->next->text();
  co_return json_response(document);
}

}  // namespace postern::web::api
