#include "tests/security/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>

#include "tests/security/text.hpp"

namespace postern::test {

using web::Guard;
using web::Route;

namespace {

struct Exception {
  std::string_view route;
  std::string_view parameter;
  std::string_view why;
};

// Where a name of another tenant may give another answer than one of nobody's.
constexpr auto kExceptions = std::to_array<Exception>({
    {"domain.create", "domain", "what is hosted here is in the DNS for all to see"},
});
// Where the answer is the same, and may be a success.
constexpr auto kSuccesses = std::to_array<Exception>({
    {"invitation.create", "email", "anybody may be invited"},
    {"connection.create", "email", "a connection is given to an address, whoever is there"},
});

bool is_in(const auto& list, const Route& route, const Slot& slot) {
  return std::ranges::any_of(
      list, [&](const Exception& e) { return e.route == route.name && e.parameter == slot.name; });
}
bool is_exception(const Route& route, const Slot& slot) { return is_in(kExceptions, route, slot); }

// The id of what was made is new each time.
std::string without_new_id(const web::Response& response) {
  if (response.status != 201) return response.body;
  auto document = json_of(response);
  auto* id = document.as_object().if_contains("id");
  CHECK((id == nullptr || parse_uuid(id->as_string().c_str())));
  if (id != nullptr) *id = "new";
  return boost::json::serialize(document);
}

}  // namespace

// What a client sees, with the names of `whose` replaced by the ghost's.
std::string seen(const web::Response& response, const Tenancy& whose, const Tenancy& ghost) {
  auto headers = response.headers;
  std::ranges::sort(headers);
  auto text = fmt::format("{}\n{}\n", response.status, response.content_type);
  for (const auto& [name, value] : headers) {
    if (name != "X-Request-Id") text += name + ": " + value + "\n";
  }
  text += without_new_id(response);
  for (const auto& [thing, value] : whose.things) {
    if (thing != "tenant") replace_all(text, value, ghost.things.at(thing));
  }
  replace_all(text, whose.name, ghost.name);
  return text;
}

namespace {

enum class Header : std::uint8_t { absent, present };

// A request that names the subject's things in some of the slots, and alpha's in the others.
struct Variant {
  std::vector<bool> subject;  ///< by slot
  Header header = Header::absent;
  std::string_view tenant_as = "tenant";  ///< by name, or "tenant_id"
  std::string_view person_as = "person";  ///< by id, or "member_email"
};

std::vector<Variant> variants_of(const Route& route, const std::vector<Slot>& slots,
                                 const std::set<std::string>& only) {
  std::vector<Variant> variants;
  const auto none = std::vector<bool>(slots.size());
  auto all = none;
  const auto is_named = [&](const Slot& slot) {
    return !slot.thing.empty() && (only.empty() || only.contains(slot.thing));
  };
  for (std::size_t i = 0; i < slots.size(); ++i) all[i] = is_named(slots[i]);
  const bool any = std::ranges::find(all, true) != all.end();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (!is_named(slots[i]) || is_exception(route, slots[i])) continue;
    Variant one{none};
    one.subject[i] = true;
    variants.push_back(one);
    if (slots[i].thing == "tenant") one.tenant_as = "tenant_id";
    if (slots[i].thing == "person") one.person_as = "member_email";
    if (one.tenant_as != "tenant" || one.person_as != "person") variants.push_back(one);
  }
  const bool free =
      std::ranges::none_of(slots, [&](const Slot& s) { return is_exception(route, s); });
  if (any && free) {
    variants.push_back({all});
    if (only.empty()) variants.push_back({all, Header::present});
    auto required = all;
    for (std::size_t i = 0; i < slots.size(); ++i) required[i] = all[i] && slots[i].required;
    if (std::ranges::find(required, true) != required.end()) variants.push_back({required});
  }
  return variants;
}

web::Request request_with(const Route& route, const std::vector<Slot>& slots,
                          const Variant& variant, const Tenancy& own, Tenancy subject) {
  subject.things["tenant"] = subject.things.at(std::string(variant.tenant_as));
  subject.things["person"] = subject.things.at(std::string(variant.person_as));
  Owners owners;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto* rest = slots[i].required ? &own : nullptr;
    owners.push_back(variant.subject[i] ? &subject : rest);
  }
  auto request = request_of(route, slots, owners);
  if (variant.header == Header::present)
    request.headers["postern-tenant"] = subject.things.at("tenant");
  return request;
}

void compare(House& house, const Subjects& subjects, const Route& route,
             const std::vector<Slot>& slots, const Variant& variant, const Credential& who) {
  const auto& [own, other, ghost, only] = subjects;
  const auto others = house.call(request_with(route, slots, variant, own, other), who);
  const auto nobodys = house.call(request_with(route, slots, variant, own, ghost), who);
  std::string named;
  for (std::size_t i = 0; i < slots.size(); ++i)
    if (variant.subject[i]) named += slots[i].name + " ";
  INFO(route.name << " with another's " << named
                  << (variant.header == Header::present ? "+header" : ""));
  CHECK(others.status != 500);
  CHECK(seen(others, other, ghost) == seen(nobodys, ghost, ghost));
  bool may_succeed = false;
  for (std::size_t i = 0; i < slots.size(); ++i)
    may_succeed = may_succeed || (variant.subject[i] && is_in(kSuccesses, route, slots[i]));
  if (changes(route) && route.guard.kind != Guard::Kind::anyone && !may_succeed) {
    INFO(others.body);
    CHECK(others.status / 100 != 2);
  }
}

}  // namespace

void compare_all(House& house, const Subjects& subjects, const Credential& who,
                 const std::function<bool(const Route&)>& wanted) {
  std::size_t compared = 0;
  for (const Route& route : web::api_routes()) {
    if (!wanted(route)) continue;
    const auto slots = slots_of(route);
    for (const auto& variant : variants_of(route, slots, subjects.only)) {
      compare(house, subjects, route, slots, variant, who);
      ++compared;
    }
  }
  CHECK(compared > 20);  // or else the enumeration has come to nothing
}

void check_same(const Dump& after, const Dump& before) {
  REQUIRE(after.size() == before.size());
  for (const auto& [table, rows] : before) {
    INFO(table);
    CHECK(after.at(table) == rows);
  }
}

}  // namespace postern::test
