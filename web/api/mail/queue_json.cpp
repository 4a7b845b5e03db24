#include "web/api/mail/queue_json.hpp"

#include "web/api/support.hpp"

namespace postern::web::api {

namespace json = boost::json;
namespace queue = smtp::queue;

namespace {

json::value optional_time(const std::optional<Timestamp>& time) {
  return time ? json::value(timestamp_text(*time)) : json::value();
}

}  // namespace

json::object to_json(const queue::Recipient& recipient) {
  return {{"recipient", recipient.number},
          {"address", recipient.address},
          {"destination", recipient.destination},
          {"transport", to_string(recipient.transport)},
          {"state", to_string(recipient.state)},
          {"attempts", recipient.attempts},
          {"next_attempt_at", optional_time(recipient.next_attempt)},
          {"last_attempt_at", optional_time(recipient.last_attempt)},
          {"last_reply",
           recipient.last_reply.code == 0 ? std::string() : recipient.last_reply.one_line()},
          {"remote_mta", recipient.remote_mta}};
}

json::object to_json(const queue::Envelope& envelope) {
  return {{"id", envelope.id.text()},
          {"tenant", envelope.tenant.text()},
          {"sender", envelope.return_path},
          {"size", envelope.size},
          {"lane", to_string(envelope.lane)},
          {"stream", envelope.stream},
          {"submitter", envelope.submitter},
          {"origin", envelope.origin},
          {"created_at", timestamp_text(envelope.created_at)},
          {"expires_at", timestamp_text(envelope.expires_at)}};
}

json::object to_json(const queue::ListPage& page) {
  json::array items;
  for (const auto& row : page.rows) {
    json::object item = to_json(row.envelope);
    for (const auto& member : to_json(row.recipient)) item[member.key()] = member.value();
    items.push_back(std::move(item));
  }
  json::object document{{"items", std::move(items)}};
  if (page.next) document["cursor"] = page.next->text();
  return document;
}

}  // namespace postern::web::api
