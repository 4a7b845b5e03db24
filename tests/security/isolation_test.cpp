// No tenant learns of another, nor touches it: every route, with every parameter that can name a
// thing, naming the other tenant's.
//
// What is not there and what is another's have to give the same answer, octet by octet, once the
// name itself is replaced. alpha asks; bravo has everything; ghost is nobody.
#include <algorithm>

#include "tests/security/comparison.hpp"

using namespace postern;
using namespace postern::test;
using accounts::Realm;
using web::Guard;
using web::Route;

namespace {

struct Scene {
  House house;
  std::string agency = make_agency(house);
  Tenancy alpha = make_tenancy(house, "alpha", agency);
  Tenancy bravo = make_tenancy(house, "bravo", agency);
  Tenancy ghost = make_ghost(bravo, "ghost");
  Credential run_by = make_operator(house, "root@operators.example");

  [[nodiscard]] Subjects subjects() const { return {alpha, bravo, ghost}; }
  [[nodiscard]] std::string tenant_id() const { return bravo.things.at("tenant_id"); }
  [[nodiscard]] Dump dump(const std::set<std::string>& but = {}) const {
    return dump_of(house.settings.data, tenant_id(), bravo.people, but);
  }
};

bool is_of_platform(const Route& route) {
  return route.guard.kind == Guard::Kind::permission &&
         accounts::realm_of(route.guard.permission) == Realm::platform;
}

bool is_guarded(const Route& route) { return route.guard.kind != Guard::Kind::anyone; }

void check_unchanged(const Scene& scene, const Dump& before,
                     const std::set<std::string>& but = {}) {
  check_same(scene.dump(but), before);
}

void check_leaks(const Scene& scene, std::string_view route, const std::string& body) {
  for (const auto& identifier : scene.bravo.identifiers) {
    INFO(route << " tells of " << identifier);
    CHECK(body.find(identifier) == std::string::npos);
  }
}

// What bravo asks for is in all caches then; one that forgets whose it is answers alpha with it.
void ask_as_bravo(Scene& scene) {
  for (const Route& route : web::api_routes()) {
    if (route.method != web::Method::get) continue;
    for (const auto& who : {scene.bravo.key, scene.bravo.owner})
      (void)scene.house.call(request_of(route, scene.bravo), who);
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
  ask_as_bravo(scene);
  const auto before = scene.dump();
  check_reads(scene, scene.alpha.key);
  compare_all(scene.house, scene.subjects(), scene.alpha.key, is_guarded);
  check_unchanged(scene, before);
}

TEST_CASE("every_route_answers_an_owner_about_anothers_things_as_about_nothing", "[isolation]") {
  Scene scene;
  ask_as_bravo(scene);
  const auto before = scene.dump();
  check_reads(scene, scene.alpha.owner);
  compare_all(scene.house, scene.subjects(), scene.alpha.owner, is_guarded);
  check_unchanged(scene, before);
}

// The one name about which answers may differ: it is still not to be had.
TEST_CASE("domain_of_another_tenant_is_hosted_for_nobody_else", "[isolation]") {
  Scene scene;
  const auto before = scene.dump();
  for (const char* domain : {"bravo.example", "BRAVO.example", "sub.bravo.example"}) {
    INFO(domain);
    const auto response =
        scene.house.call(web::Method::post, "/v1/domains", scene.alpha.key, {{"domain", domain}});
    CHECK(response.status / 100 == 4);
    CHECK(scene.house.call(web::Method::get, "/v1/domains", scene.alpha.key).body.find("bravo") ==
          std::string::npos);
  }
  check_unchanged(scene, before);
}

TEST_CASE("invitation_leaves_another_tenants_to_the_same_person_alone", "[isolation]") {
  Scene scene;
  const auto before = scene.dump();
  scene.house.done(web::Method::post, "/v1/invitations", scene.alpha.key,
                   {{"email", "guest@bravo.example"}, {"role", "viewer"}});
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
  compare_all(scene.house, scene.subjects(), scene.run_by,
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
  compare_all(scene.house, scene.subjects(), kNobody,
              [](const Route& route) { return !is_guarded(route); });
  check_unchanged(scene, before, but);
}
