#include "accounts/audit/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <vector>

#include "accounts/audit/encoder.hpp"
#include "message/encoded_word.hpp"

namespace postern::accounts::audit {

namespace {

namespace json = boost::json;

constexpr std::size_t kKept = 480;  ///< of a text that is too long; the mark has the rest
constexpr std::size_t kKeptDetails = kMaxDetails / 2 - 128;  ///< escaping may double it

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// At most `size` bytes, ending between two characters.
std::string_view prefix(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

void bound_text(std::string& text) {
  // Far beyond what is kept nothing is worth repairing.
  const auto whole = text.size();
  text = prefix(text, 4 * kMaxText);
  std::ranges::replace_if(text, is_control, '?');
  text = message::repair_utf8(text);
  if (whole <= kMaxText && text.size() <= kMaxText) return;
  text = fmt::format("{}...({} bytes)", prefix(text, kKept), whole);
}

json::value sorted(const json::value& value) {
  if (const auto* object = value.if_object()) {
    std::vector<const json::key_value_pair*> members;
    members.reserve(object->size());
    for (const auto& member : *object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* member) { return member->key(); });
    json::object out;
    for (const auto* member : members) out.emplace(member->key(), sorted(member->value()));
    return out;
  }
  if (const auto* array = value.if_array()) {
    json::array out;
    out.reserve(array->size());
    for (const auto& element : *array) out.push_back(sorted(element));
    return out;
  }
  return value;
}

std::string cut_details(std::string_view text) {
  return canonical(
      {{"truncated", message::repair_utf8(prefix(text, kKeptDetails))}, {"size", text.size()}});
}

void bound_details(std::string& text) {
  if (text.size() > 4 * kMaxDetails) {
    text = cut_details(text);
    return;
  }
  boost::system::error_code error;
  const auto value = json::parse(message::repair_utf8(text), error);
  if (error || !value.is_object()) {
    text = cut_details(text);
    return;
  }
  text = canonical(value.get_object());
  if (text.size() > kMaxDetails) text = cut_details(text);
}

bool is_word(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::success: return "success";
    case Outcome::denied: return "denied";
    case Outcome::failure: return "failure";
  }
  return "unknown";
}

std::string_view to_string(ActorKind kind) {
  switch (kind) {
    case ActorKind::system: return "system";
    case ActorKind::operator_local: return "operator";
    case ActorKind::person: return "person";
    case ActorKind::api_key: return "api_key";
    case ActorKind::account: return "account";
  }
  return "unknown";
}

std::string_view to_string(Door door) {
  switch (door) {
    case Door::server: return "server";
    case Door::management: return "management";
    case Door::http: return "http";
    case Door::smtp: return "smtp";
    case Door::imap: return "imap";
  }
  return "unknown";
}

bool valid_action(std::string_view action) {
  if (action.size() > kMaxAction) return false;
  int words = 0;
  for (;;) {
    const auto dot = action.find('.');
    if (!is_word(action.substr(0, dot))) return false;
    ++words;
    if (dot == std::string_view::npos) return words >= 2 && words <= 4;
    action.remove_prefix(dot + 1);
  }
}

std::string canonical(const json::object& object) {
  return json::serialize(sorted(json::value(object)));
}

Result<Record> bounded(Record record) {
  if (!valid_action(record.action)) {
    return fail(Errc::invalid, "an audit action is dotted lower-case words: domain.create");
  }
  for (auto* text : {&record.actor_id, &record.actor, &record.original_actor, &record.address,
                     &record.target, &record.request_id}) {
    bound_text(*text);
  }
  bound_details(record.details);
  return record;
}

RecordView view_of(const Record& record, std::uint64_t number) {
  return {.number = static_cast<std::int64_t>(number),
          .id = record.id.view(),
          .at = to_micros(record.at),
          .action = record.action,
          .outcome = static_cast<std::int64_t>(record.outcome),
          .actor_kind = static_cast<std::int64_t>(record.actor_kind),
          .actor_id = record.actor_id,
          .actor = record.actor,
          .original_actor = record.original_actor,
          .door = static_cast<std::int64_t>(record.door),
          .address = record.address,
          .target = record.target,
          .details = record.details,
          .request_id = record.request_id};
}

std::string record_mac(KeyedMac& key, std::string& buffer, std::string_view previous,
                       TenantId chain, const RecordView& record) {
  Encoder(buffer, "postern audit record 1")
      .text(previous)
      .id(chain)
      .number(record.number)
      .text(record.id)
      .number(record.at)
      .text(record.action)
      .number(record.outcome)
      .number(record.actor_kind)
      .text(record.actor_id)
      .text(record.actor)
      .text(record.original_actor)
      .number(record.door)
      .text(record.address)
      .text(record.target)
      .text(record.details)
      .text(record.request_id);
  return key.compute(buffer);
}

}  // namespace postern::accounts::audit
