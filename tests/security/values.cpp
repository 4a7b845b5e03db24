#include "tests/security/values.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

namespace postern::test {

namespace json = boost::json;

namespace {

enum class Use : std::uint8_t {
  thing,  ///< names somebody's thing
  fixed,  ///< any text of the right form
  none,   ///< optional, and about nobody's things
};

// "domain" for every route, "queue.list/recipient" for one.
struct Row {
  std::string_view parameter;
  Use use;
  std::string_view value{};
};

using enum Use;
constexpr auto kRows = std::to_array<Row>({
    // Things.
    {"tenant", thing, "tenant"},
    {"sign_up.confirm/tenant", fixed, "newcomer"},
    {"domain", thing, "domain"},
    {"domains", thing, "domain"},
    {"address", thing, "address"},
    {"accounts", thing, "address"},
    {"alias", thing, "alias"},
    {"alias.create/address", thing, "alias"},
    {"targets", thing, "address"},
    {"credential", thing, "credential"},
    {"session", thing, "session"},
    {"passkey", thing, "passkey"},
    {"credential_id", thing, "passkey"},
    {"person", thing, "person"},
    {"email", thing, "member_email"},
    {"invitation.delete/email", thing, "email"},
    {"role", thing, "role"},
    {"key", thing, "key"},
    {"connection", thing, "connection"},
    {"message", thing, "message"},
    {"actor", thing, "member_email"},
    {"target", thing, "target"},
    {"destination", thing, "domain"},
    {"sender", thing, "address"},
    {"queue.list/recipient", thing, "address"},
    // Texts.
    {"recipient", none},  // a number within the message
    {"block", fixed, "nobody"},
    {"directory", fixed, "relative"},  // refused: nothing is written
    {"name", fixed, "somebody"},
    {"label", fixed, "label"},
    {"reason", fixed, "because"},
    {"password", fixed, "Kestrel-Umbrella-41-Quartz"},
    {"token", fixed, "pst_link_nothing"},
    {"code", fixed, "000000"},
    {"kind", fixed, "totp"},
    {"secret", fixed, "AAAA"},
    {"flow", fixed, "AAAA"},
    {"client_data_json", fixed, "AAAA"},
    {"attestation_object", fixed, "AAAA"},
    {"transports", fixed, "internal"},
    {"authenticator_data", fixed, "AAAA"},
    {"signature", fixed, "AAAA"},
    {"user_handle", fixed, "AAAA"},
    {"scopes", fixed, "domain.read"},
    {"url", fixed, "https://logs.house.example/in"},
    {"hosts", fixed, "*.house.example"},
    {"permissions", fixed, "domain.read"},
    {"connection.create/expires_at", fixed, "2027-01-01T00:00:00Z"},
    {"expires_at", none},
    // A place in one's own list; whose row it was shows nowhere.
    {"cursor", none},
    {"after", none},
    {"from", none},
    {"to", none},
    {"action", none},
    {"lane", none},
    {"state", none},
    {"limit", none},
    {"format", none},
    {"display_name", none},
    {"current_password", none},
    {"addresses", none},  // networks
    {"reads_per_minute", none},
    {"writes_per_minute", none},
    {"monthly_cap", none},
    {"overlap_seconds", none},
    {"break_glass", none},
});

const Row* row_of(std::string_view route, std::string_view parameter) {
  const auto special = std::string(route) + "/" + std::string(parameter);
  auto found = std::ranges::find(kRows, special, &Row::parameter);
  if (found == kRows.end()) found = std::ranges::find(kRows, parameter, &Row::parameter);
  return found == kRows.end() ? nullptr : &*found;
}

const Row& known_row(const web::Route& route, std::string_view parameter) {
  const auto* row = row_of(route.name, parameter);
  if (row == nullptr) {
    FAIL("tests/security/values.cpp doesn't know the parameter \"" << parameter << "\" of "
                                                                   << route.name);
  }
  return *row;
}

void add_member(std::vector<Slot>& slots, const web::Route& route, Place place,
                const web::Member& member) {
  const auto& row = known_row(route, member.name);
  const bool required = member.presence == web::Presence::required;
  if (!required && row.use != thing) return;
  REQUIRE(row.use != none);  // or else a required member is called optional here
  Slot slot{place,    std::string(member.name),       {}, json::string(row.value),
            required, member.kind == web::Kind::texts};
  if (row.use == thing) slot.thing = row.value;
  slots.push_back(std::move(slot));
}

std::string value_of(const Slot& slot, const Tenancy* owner) {
  if (slot.thing.empty() || owner == nullptr) return std::string(slot.fixed.as_string());
  const auto found = owner->things.find(slot.thing);
  if (found == owner->things.end()) FAIL("no tenancy has a thing \"" << slot.thing << '"');
  return found->second;
}

void put_in_path(std::string& path, const std::string& name, const std::string& value) {
  const auto braced = "{" + name + "}";
  path.replace(path.find(braced), braced.size(), percent_encoded(value));
}

// They answer, and leave nothing of the caller's behind; of domain.check, what DNS said.
constexpr auto kOnlyAnswer =
    std::to_array<std::string_view>({"domain.check", "me.offer_totp", "me.passkey_options",
                                     "session.passkey_options", "platform.verify_audit"});

}  // namespace

std::vector<Slot> slots_of(const web::Route& route) {
  std::vector<Slot> slots;
  for (const auto name : web::parameters_of(route.pattern)) {
    const auto& row = known_row(route, name);
    REQUIRE(row.use != none);
    Slot slot{Place::path, std::string(name), {}, json::string(row.value)};
    if (row.use == thing) slot.thing = row.value;
    slots.push_back(std::move(slot));
  }
  for (const auto& member : route.query) add_member(slots, route, Place::query, member);
  if (route.body != nullptr) {
    for (const auto& member : route.body->members) add_member(slots, route, Place::body, member);
  }
  return slots;
}

web::Request request_of(const web::Route& route, const std::vector<Slot>& slots,
                        const Owners& owners) {
  web::Request request;
  request.method = route.method;
  request.path = route.pattern;
  json::object body;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto& slot = slots[i];
    if (!slot.required && owners[i] == nullptr) continue;
    const auto value = value_of(slot, owners[i]);
    switch (slot.place) {
      case Place::path: put_in_path(request.path, slot.name, value); break;
      case Place::query: request.query[slot.name] = value; break;
      case Place::body:
        body[slot.name] = slot.list ? json::value(json::array{value}) : json::value(value);
        break;
    }
  }
  if (route.body != nullptr) request.body = json::serialize(body);
  return request;
}

web::Request request_of(const web::Route& route, const Tenancy& whose) {
  const auto slots = slots_of(route);
  Owners owners;
  owners.reserve(slots.size());
  for (const auto& slot : slots) owners.push_back(slot.required ? &whose : nullptr);
  return request_of(route, slots, owners);
}

bool changes(const web::Route& route) {
  return route.method != web::Method::get &&
         std::ranges::find(kOnlyAnswer, route.name) == kOnlyAnswer.end();
}

}  // namespace postern::test
