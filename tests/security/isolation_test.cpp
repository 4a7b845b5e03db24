// No tenant learns of another, nor touches it: every route, with every parameter that can name a
// thing, naming the other tenant's.
//
// What is not there and what is another's have to give the same answer, octet by octet, once the
// name itself is replaced. alpha asks; bravo has everything; ghost is nobody.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tests/security/database_dump.hpp"
#include "tests/security/values.hpp"

using namespace postern;
using namespace postern::test;
using accounts::Realm;
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
    {"invitation.create", "email", "anybody may be invited; the answer is the same, and a success"},
    {"domain.create", "domain", "what is hosted here is in the DNS for all to see"},
    {"connection.create", "email",
     "a connection is given to people of other houses: it takes "
     "somebody who is there, and says so to an owner"},
});

bool is_exception(const Route& route, const Slot& slot) {
  return std::ranges::any_of(kExceptions, [&](const Exception& e) {
    return e.route == route.name && e.parameter == slot.name;
  });
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// What a client sees, with the names of `whose` replaced by the ghost's.
std::string seen(const web::Response& response, const Tenancy& whose, const Tenancy& ghost) {
  auto headers = response.headers;
  std::ranges::sort(headers);
  auto text = fmt::format("{}\n{}\n", response.status, response.content_type);
  for (const auto& [name, value] : headers) {
    if (name != "X-Request-Id") text += name + ": " + value + "\n";
  }
  text += response.body;
  for (const auto& [thing, value] : whose.things) {
    if (thing != "tenant") replace_all(text, value, ghost.things.at(thing));
  }
  replace_all(text, whose.name, ghost.name);
  return text;
}

struct Scene {
  House house;
  std::string agency = make_agency(house);
  Tenancy alpha = make_tenancy(house, "alpha", agency);
  Tenancy bravo = make_tenancy(house, "bravo", agency);
  Tenancy ghost = make_ghost(bravo, "ghost");
  Credential run_by = make_operator(house, "root@operators.example");

  [[nodiscard]] std::string tenant_id() const { return bravo.things.at("tenant_id"); }
  [[nodiscard]] Dump dump(const std::set<std::string>& but = {}) const {
    return dump_of(house.settings.data, tenant_id(), bravo.people, but);
  }
};

enum class Header : std::uint8_t { absent, present };

// A request that names the subject's things in some of the slots, and alpha's in the others.
struct Variant {
  std::vector<bool> subject;  ///< by slot
  Header header = Header::absent;
  std::string_view tenant_as = "tenant";  ///< by name, or "tenant_id"
};

std::vector<Variant> variants_of(const Route& route, const std::vector<Slot>& slots) {
  std::vector<Variant> variants;
  const auto none = std::vector<bool>(slots.size());
  auto all = none;
  for (std::size_t i = 0; i < slots.size(); ++i) all[i] = !slots[i].thing.empty();
  const bool any = std::ranges::find(all, true) != all.end();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (slots[i].thing.empty() || is_exception(route, slots[i])) continue;
    Variant one{none};
    one.subject[i] = true;
    variants.push_back(one);
    if (slots[i].thing != "tenant") continue;
    one.tenant_as = "tenant_id";
    variants.push_back(one);
  }
  const bool free =
      std::ranges::none_of(slots, [&](const Slot& s) { return is_exception(route, s); });
  if (any && free) {
    variants.push_back({all});
    variants.push_back({all, Header::present});
    auto required = all;
    for (std::size_t i = 0; i < slots.size(); ++i) required[i] = all[i] && slots[i].required;
    if (std::ranges::find(required, true) != required.end()) variants.push_back({required});
  }
  return variants;
}

web::Request request_with(const Route& route, const std::vector<Slot>& slots,
                          const Variant& variant, const Tenancy& own, Tenancy subject) {
  subject.things["tenant"] = subject.things.at(std::string(variant.tenant_as));
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

void compare(Scene& scene, const Route& route, const std::vector<Slot>& slots,
             const Variant& variant, const Credential& who) {
  auto& house = scene.house;
  const auto others =
      house.call(request_with(route, slots, variant, scene.alpha, scene.bravo), who);
  const auto nobodys =
      house.call(request_with(route, slots, variant, scene.alpha, scene.ghost), who);
  std::string named;
  for (std::size_t i = 0; i < slots.size(); ++i)
    if (variant.subject[i]) named += slots[i].name + " ";
  INFO(route.name << " with another's " << named
                  << (variant.header == Header::present ? "+header" : ""));
  CHECK(others.status != 500);
  CHECK(seen(others, scene.bravo, scene.ghost) == seen(nobodys, scene.ghost, scene.ghost));
  if (changes(route) && route.guard.kind != Guard::Kind::anyone) {
    INFO(others.body);
    CHECK(others.status / 100 != 2);
  }
}

bool is_of_platform(const Route& route) {
  return route.guard.kind == Guard::Kind::permission &&
         accounts::realm_of(route.guard.permission) == Realm::platform;
}

void compare_all(Scene& scene, const Credential& who, const auto& wanted) {
  std::size_t compared = 0;
  for (const Route& route : web::api_routes()) {
    if (!wanted(route)) continue;
    const auto slots = slots_of(route);
    for (const auto& variant : variants_of(route, slots)) {
      compare(scene, route, slots, variant, who);
      ++compared;
    }
  }
  CHECK(compared > 20);  // or else the enumeration has come to nothing
}

bool is_guarded(const Route& route) { return route.guard.kind != Guard::Kind::anyone; }

void check_unchanged(const Scene& scene, const Dump& before,
                     const std::set<std::string>& but = {}) {
  const auto after = scene.dump(but);
  REQUIRE(after.size() == before.size());
  for (const auto& [table, rows] : before) {
    INFO(table);
    CHECK(after.at(table) == rows);
  }
}

void check_leaks(const Scene& scene, std::string_view route, const std::string& body) {
  for (const auto& identifier : scene.bravo.identifiers) {
    INFO(route << " tells of " << identifier);
    CHECK(body.find(identifier) == std::string::npos);
  }
}

// All reading routes with alpha's own names.
void check_reads(Scene& scene, const Credential& who) {
  std::size_t answered = 0;
  for (const Route& route : web::api_routes()) {
    if (route.method != web::Method::get) continue;
    const auto response = scene.house.call(request_of(route, scene.alpha), who);
    check_leaks(scene, route.name, response.body);
    if (response.status == 200) ++answered;
  }
  CHECK(answered > 20);
}

}  // namespace

TEST_CASE("dump_sees_every_kind_of_thing_that_a_tenant_has", "[isolation]") {
  Scene scene;
  const auto dump = scene.dump();
  for (const auto* table :
       {"control.db/accounts",     "control.db/aliases",         "control.db/sender_grants",
        "control.db/credentials",  "control.db/signing_keys",    "control.db/members",
        "control.db/roles",        "control.db/api_keys",        "control.db/api_key_digests",
        "control.db/connections",  "control.db/domain_records",  "control.db/domains",
        "control.db/tenants",      "control.db/people",          "control.db/passkeys",
        "control.db/web_sessions", "control.db/one_time_tokens", "control.db/audit_records",
        "queue.db/queue_messages", "queue.db/queue_recipients"}) {
    INFO(table);
    REQUIRE(dump.contains(table));
    CHECK_FALSE(dump.at(table).empty());
  }
  CHECK(std::ranges::any_of(dump, [](const auto& entry) {
    return entry.first.starts_with("events-") && !entry.second.empty();
  }));
  // A dump that can't see a change proves nothing.
  scene.house.done(web::Method::post, "/v1/accounts/box%40bravo.example/suspend", kManagement);
  CHECK(scene.dump().at("control.db/accounts") != dump.at("control.db/accounts"));
}

TEST_CASE("every_route_answers_a_key_about_anothers_things_as_about_nothing", "[isolation]") {
  Scene scene;
  const auto before = scene.dump();
  check_reads(scene, scene.alpha.key);
  compare_all(scene, scene.alpha.key, is_guarded);
  check_unchanged(scene, before);
}

TEST_CASE("every_route_answers_an_owner_about_anothers_things_as_about_nothing", "[isolation]") {
  Scene scene;
  const auto before = scene.dump();
  check_reads(scene, scene.alpha.owner);
  compare_all(scene, scene.alpha.owner, is_guarded);
  check_unchanged(scene, before);
}

TEST_CASE("header_that_names_anothers_tenant_opens_nothing_to_an_owner", "[isolation]") {
  Scene scene;
  const auto before = scene.dump();
  const auto own = dump_of(scene.house.settings.data, scene.alpha.things.at("tenant_id"), {});
  for (const Route& route : web::api_routes()) {
    if (!is_guarded(route)) continue;  // they don't ask whose tenant it is
    for (const auto* form : {"tenant", "tenant_id"}) {
      std::vector<std::string> answers;
      for (const auto* subject : {&scene.bravo, &scene.ghost}) {
        auto request = request_of(route, scene.alpha);
        request.headers["postern-tenant"] = subject->things.at(form);
        const auto response = scene.house.call(std::move(request), scene.alpha.owner);
        CHECK(response.status == 404);
        answers.push_back(seen(response, *subject, scene.ghost));
      }
      INFO(route.name);
      CHECK(answers[0] == answers[1]);
    }
  }
  check_unchanged(scene, before);
  CHECK(dump_of(scene.house.settings.data, scene.alpha.things.at("tenant_id"), {}) == own);
}

TEST_CASE("every_route_of_tenants_is_closed_to_an_operator_who_is_a_person", "[isolation]") {
  Scene scene;
  const auto before = scene.dump();
  compare_all(scene, scene.run_by,
              [](const Route& route) { return is_guarded(route) && !is_of_platform(route); });
  check_unchanged(scene, before);
}

TEST_CASE("operator_who_is_a_person_sees_that_a_tenant_is_there_and_nothing_of_it", "[isolation]") {
  Scene scene;
  for (const Route& route : web::api_routes()) {
    // The platform's trail says on whom operators acted: that is what it is for.
    if (route.method != web::Method::get || route.name == "platform.audit") continue;
    const auto response = scene.house.call(request_of(route, scene.bravo), scene.run_by);
    if (response.status != 200) continue;
    for (const auto& identifier : scene.bravo.identifiers) {
      if (identifier == scene.bravo.name || identifier == scene.tenant_id()) continue;
      INFO(route.name << " tells of " << identifier);
      CHECK(response.body.find(identifier) == std::string::npos);
    }
  }
}

TEST_CASE("operator_gets_no_link_to_sign_in_as_somebody_who_is_there", "[isolation]") {
  Scene scene;
  auto& house = scene.house;
  const auto made = house.done(web::Method::post, "/v1/operators", scene.run_by,
                               {{"email", "clerk@bravo.example"}});
  CHECK_FALSE(made.as_object().contains("sign_in_link"));
  house.done(web::Method::post, "/v1/tenants", scene.run_by, {{"name", "empty"}});
  const boost::json::value known{
      {"email", "owner@bravo.example"}, {"role", "owner"}, {"tenant", "empty"}};
  const auto member = house.done(web::Method::post, "/v1/people", scene.run_by, known);
  CHECK_FALSE(member.as_object().contains("sign_in_link"));
}

TEST_CASE("operator_lets_in_a_tenants_first_people_and_no_others", "[isolation]") {
  Scene scene;
  auto& house = scene.house;
  const auto add = [&](const std::string& tenant) {
    return house.call(
        web::Method::post, "/v1/people", scene.run_by,
        {{"email", "new@" + tenant + ".example"}, {"role", "owner"}, {"tenant", tenant}});
  };
  house.done(web::Method::post, "/v1/tenants", scene.run_by, {{"name", "empty"}});
  const auto before = scene.dump();
  CHECK(add("bravo").status == 403);
  check_unchanged(scene, before);
  const auto first = add("empty");
  REQUIRE(first.status == 201);
  CHECK_FALSE(text_at(json_of(first), "sign_in_link").empty());
  house.clock.advance(std::chrono::minutes(6));
  CHECK(add("empty").status == 403);
}

TEST_CASE("sign_in_family_answers_about_people_who_are_there_as_about_nobody", "[isolation]") {
  Scene scene;
  // Failures are counted against the person, and on record in the tenants' trails; mailed secrets
  // are the person's.
  const std::set<std::string> but{"people", "one_time_tokens", "audit_records", "audit_heads"};
  const auto before = scene.dump(but);
  compare_all(scene, kNobody, [](const Route& route) { return !is_guarded(route); });
  check_unchanged(scene, before, but);
}
