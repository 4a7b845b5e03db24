#include "web/access/audit_intent.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

namespace postern::web {

namespace json = boost::json;
namespace audit = accounts::audit;
namespace outbox = storage::outbox;

namespace {

constexpr std::string_view kTopic = "audit.intent";
constexpr std::size_t kBatch = 100;

std::string text(const json::object& object, json::string_view name) {
  return json::value_to<std::string>(object.at(name));
}

template <class Enum>
Enum number(const json::object& object, json::string_view name) {
  return static_cast<Enum>(object.at(name).as_int64());
}

}  // namespace

std::string to_payload(const AuditIntent& intent) {
  const auto& record = intent.record;
  return json::serialize(json::object{{"tenant", intent.tenant.text()},
                                      {"id", record.id.text()},
                                      {"at", to_micros(record.at)},
                                      {"action", record.action},
                                      {"outcome", static_cast<int>(record.outcome)},
                                      {"actor_kind", static_cast<int>(record.actor_kind)},
                                      {"actor_id", record.actor_id},
                                      {"actor", record.actor},
                                      {"original_actor", record.original_actor},
                                      {"door", static_cast<int>(record.door)},
                                      {"address", record.address},
                                      {"target", record.target},
                                      {"details", record.details},
                                      {"request_id", record.request_id}});
}

Result<AuditIntent> parse_intent(std::string_view payload) {
  const auto corrupt = [] { return fail(Errc::corrupt, "not an audit record's outbox entry"); };
  json::error_code error;
  const auto value = json::parse({payload.data(), payload.size()}, error);
  if (error || !value.is_object()) return corrupt();
  const auto& object = value.get_object();
  try {
    const auto tenant = parse_uuid(text(object, "tenant"));
    const auto id = parse_uuid(text(object, "id"));
    if (!tenant || !id) return corrupt();
    AuditIntent intent{TenantId{*tenant}, {}};
    auto& record = intent.record;
    record.id = audit::AuditId{*id};
    record.at = from_micros(object.at("at").as_int64());
    record.action = text(object, "action");
    record.outcome = number<audit::Outcome>(object, "outcome");
    record.actor_kind = number<audit::ActorKind>(object, "actor_kind");
    record.actor_id = text(object, "actor_id");
    record.actor = text(object, "actor");
    record.original_actor = text(object, "original_actor");
    record.door = number<audit::Door>(object, "door");
    record.address = text(object, "address");
    record.target = text(object, "target");
    record.details = text(object, "details");
    record.request_id = text(object, "request_id");
    return intent;
  } catch (const std::exception&) {  // a member that is missing or of another type
    return corrupt();
  }
}

void leave_intent(sql::Transaction& tx, const AuditIntent& intent) {
  outbox::append(tx, kTopic, to_payload(intent));
}

Result<std::vector<WaitingIntent>> waiting_intents(sql::Transaction& tx, Timestamp now) {
  std::vector<WaitingIntent> waiting;
  for (const auto& entry : outbox::due(tx, kTopic, now, kBatch)) {
    auto intent = parse_intent(entry.payload);
    if (!intent) return std::unexpected(intent.error());
    waiting.push_back({entry.place, std::move(*intent)});
  }
  return waiting;
}

}  // namespace postern::web
