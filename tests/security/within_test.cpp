// Callers whose reach is less than a tenant, or comes from somewhere else: a key that is narrowed
// to one domain, and a person of another house who acts by a connection.
#include <algorithm>
#include <boost/json/array.hpp>

#include "tests/security/comparison.hpp"
#include "tests/security/tenancy.hpp"
#include "web/api/timestamp.hpp"

using namespace postern;
using namespace postern::test;
using web::Guard;
using web::Method;
using web::Route;
namespace json = boost::json;

namespace {

bool is_guarded(const Route& route) { return route.guard.kind != Guard::Kind::anyone; }

json::array all_permissions() {
  json::array names;
  for (const auto name : accounts::PermissionSet::all(accounts::Realm::tenant).names())
    names.emplace_back(name);
  return names;
}

// What alpha has twice: once below alpha.example, once below sibling.example.
const std::set<std::string> kBelowDomains{"domain",     "address", "alias",
                                          "credential", "target",  "message"};

// What its use leaves behind.
const std::set<std::string> kOfTheKey{"audit_records", "audit_heads", "api_keys", "api_key_usage"};

struct Scene {
  House house;
  std::string agency = make_agency(house);
  Tenancy alpha = make_tenancy(house, "alpha", agency);
  Tenancy bravo = make_tenancy(house, "bravo", agency);
  Tenancy nobody = make_ghost(bravo, "ghost");

  [[nodiscard]] Dump dump(const Tenancy& of, const std::set<std::string>& but = {}) const {
    return dump_of(house.settings.data, of.things.at("tenant_id"), of.people, but);
  }
  /// Alpha gives an address leave to see its domains.
  void let_in(const char* email) {
    const auto until = web::timestamp_text(house.clock.now() + std::chrono::hours(1));
    house.done(Method::post, "/v1/connections", alpha.owner,
               {{"email", email},
                {"permissions", json::array{"domain.read"}},
                {"reason", "help"},
                {"expires_at", until}});
  }
};

struct Narrow : Scene {
  Tenancy sibling = make_sibling(house, alpha, "sibling");
  Tenancy ghost = make_ghost(sibling, "phantom");
  Credential key = with_key(text_at(house.done(Method::post, "/v1/keys", kManagement,
                                               {{"label", "narrow"},
                                                {"scopes", json::array{"*"}},
                                                {"domains", json::array{"alpha.example"}},
                                                {"tenant", "alpha"}}),
                                    "key"));
  /// Somebody whom an invitation narrowed like the key.
  Credential make_member() {
    const char* email = "narrow@alpha.example";
    house.done(Method::post, "/v1/invitations", alpha.owner,
               {{"email", email}, {"role", "admin"}, {"domains", json::array{"alpha.example"}}});
    const auto text = house.mail().text;
    const auto begin = text.find('#') + 1;
    const json::value body{{"token", text.substr(begin, text.find('\n', begin) - begin)}};
    auto member =
        with_session(session_of(house.call(Method::post, "/v1/invitation/accept", kNobody, body)));
    set_up_totp(house, member);
    return member;
  }
  /// Rows of alpha's that are below the other domain.
  [[nodiscard]] Dump rows_of_sibling() const {
    auto all = dump(alpha, {"audit_records", "audit_heads"});
    for (auto& [table, rows] : all) {
      std::erase_if(rows, [](const std::string& row) { return !row.contains("sibling"); });
    }
    return all;
  }
};

struct Guest : Scene {
  Credential helper;

  Guest() {
    helper = sign_in_by_mail(house, agency);
    set_up_totp(house, helper);
    helper.tenant = "alpha";
  }
  std::string connect(const Tenancy& to) {
    const auto until = web::timestamp_text(house.clock.now() + std::chrono::minutes(10));
    return text_at(house.done(Method::post, "/v1/connections", kManagement,
                              {{"email", agency},
                               {"permissions", all_permissions()},
                               {"reason", "all of it"},
                               {"expires_at", until}},
                              {{"tenant", to.name}}),
                   "id");
  }
  /// The one that make_tenancy gave.
  void end_connection(const Tenancy& of) {
    house.done(Method::del, "/v1/connections/" + of.things.at("connection"), kManagement, nullptr,
               {{"tenant", of.name}});
  }
  std::string answer(const Tenancy& named, Credential who) {
    who.tenant = named.name;
    const auto response = house.call(Method::get, "/v1/domains", who);
    return seen(response, named, nobody);
  }
};

}  // namespace

TEST_CASE("narrowed_key_answers_about_its_tenants_other_domain_as_about_nothing", "[within]") {
  Narrow scene;
  const auto before = scene.rows_of_sibling();
  CHECK(std::ranges::count_if(before, [](const auto& table) { return !table.second.empty(); }) > 5);
  compare_all(scene.house, {scene.alpha, scene.sibling, scene.ghost, kBelowDomains}, scene.key,
              is_guarded);
  check_same(scene.rows_of_sibling(), before);
}

TEST_CASE("who_is_narrowed_reads_nothing_of_the_tenants_other_domain", "[within]") {
  Narrow scene;
  for (const auto& who : {scene.key, scene.make_member()}) {
    std::size_t answered = 0;
    for (const Route& route : web::api_routes()) {
      if (route.method != Method::get) continue;
      const auto response = scene.house.call(request_of(route, scene.alpha), who);
      if (response.status == 200) ++answered;
      for (const auto& identifier : scene.sibling.identifiers) {
        INFO(route.name << " tells of " << identifier);
        CHECK(response.body.find(identifier) == std::string::npos);
      }
    }
    CHECK(answered > 10);
  }
  // The same tenant's whole key does.
  const auto whole = scene.house.call(Method::get, "/v1/domains", scene.alpha.key);
  CHECK(whole.body.find("sibling.example") != std::string::npos);
}

TEST_CASE("who_is_narrowed_does_what_is_about_themselves", "[within]") {
  Narrow scene;
  const auto member = scene.make_member();  // who set a second factor up
  for (const Route& route : web::api_routes()) {
    if (!is_guarded(route) || route.guard.kind == Guard::Kind::permission) continue;
    if (route.method != Method::get) continue;
    INFO(route.name);
    CHECK(scene.house.call(request_of(route, scene.alpha), member).status == 200);
  }
  CHECK(scene.house.call(Method::del, "/v1/session", member).status == 204);
}

TEST_CASE("key_narrowed_to_a_mailbox_answers_about_its_neighbour_as_about_nothing", "[within]") {
  Scene scene;
  auto& house = scene.house;
  const auto path = "/v1/accounts/" + percent_encoded("neighbour@alpha.example");
  auto neighbour = scene.alpha;
  neighbour.name = "neighbour";
  neighbour.things["address"] = "neighbour@alpha.example";
  house.done(Method::post, "/v1/accounts", kManagement,
             {{"address", "neighbour@alpha.example"}, {"password", "correct horse staple"}});
  neighbour.things["credential"] = text_at(
      house.done(Method::post, path + "/credentials", kManagement, {{"label", "tablet"}}), "id");
  const auto key = with_key(text_at(house.done(Method::post, "/v1/keys", kManagement,
                                               {{"label", "narrow"},
                                                {"scopes", json::array{"*"}},
                                                {"accounts", json::array{"box@alpha.example"}},
                                                {"tenant", "alpha"}}),
                                    "key"));
  const auto own = house.call(Method::get, "/v1/accounts/box%40alpha.example", key);
  REQUIRE(own.status == 200);
  house.done(Method::get, path, scene.alpha.key);
  const auto before = scene.dump(scene.alpha, kOfTheKey);
  const std::set<std::string> only{"address", "credential"};
  compare_all(house, {scene.alpha, neighbour, make_ghost(neighbour, "phantom"), only}, key,
              is_guarded);
  check_same(scene.dump(scene.alpha, kOfTheKey), before);
}

TEST_CASE("narrowed_key_is_no_more_in_another_tenant", "[within]") {
  Narrow scene;
  const auto before = scene.dump(scene.bravo);
  compare_all(scene.house, {scene.alpha, scene.bravo, scene.nobody}, scene.key, is_guarded);
  check_same(scene.dump(scene.bravo), before);
}

TEST_CASE("guest_by_a_connection_answers_about_a_third_tenant_as_about_nothing", "[within]") {
  Guest scene;
  scene.connect(scene.alpha);
  scene.end_connection(scene.bravo);
  const auto listed = scene.house.call(Method::get, "/v1/domains", scene.helper);
  REQUIRE(listed.body.find("alpha.example") != std::string::npos);
  const auto before = scene.dump(scene.bravo);
  compare_all(scene.house, {scene.alpha, scene.bravo, scene.nobody}, scene.helper, is_guarded);
  check_same(scene.dump(scene.bravo), before);
}

TEST_CASE("guest_may_what_the_connection_says_and_no_more", "[within]") {
  Guest scene;
  scene.helper.tenant = "bravo";  // which gave domain.read
  std::size_t read = 0;
  for (const Route& route : web::api_routes()) {
    if (route.guard.kind != Guard::Kind::permission) continue;
    INFO(route.name);
    const auto response = scene.house.call(request_of(route, scene.bravo), scene.helper);
    if (route.guard.permission != accounts::Permission::domain_read) {
      CHECK(response.status == 403);
    } else if (response.status == 200) {
      ++read;
    }
  }
  CHECK(read >= 2);
}

TEST_CASE("guest_whose_connection_ended_finds_no_tenant", "[within]") {
  Guest scene;
  for (const auto* tenancy : {&scene.alpha, &scene.bravo}) scene.end_connection(*tenancy);
  const auto none = scene.answer(scene.nobody, scene.helper);
  CHECK(none.starts_with("404"));
  CHECK(scene.answer(scene.alpha, scene.helper) == none);
  const auto id = scene.connect(scene.alpha);
  CHECK(scene.answer(scene.alpha, scene.helper).starts_with("200"));
  CHECK(scene.answer(scene.bravo, scene.helper) == none);
  SECTION("revoked") {
    scene.house.done(Method::del, "/v1/connections/" + id, kManagement, nullptr,
                     {{"tenant", "alpha"}});
  }
  SECTION("over") { scene.house.clock.advance(std::chrono::minutes(10)); }
  CHECK(scene.answer(scene.alpha, scene.helper) == none);
}

TEST_CASE("connection_waits_for_who_proves_the_address", "[within]") {
  Scene scene;
  auto& house = scene.house;
  scene.let_in("later@agency.example");
  auto run_by = make_operator(house, "root@operators.example");
  // An operator gets no way to be that person: neither a link nor the sealed account's password.
  const json::value sealed{{"email", "later@agency.example"}, {"break_glass", true}};
  CHECK(house.call(Method::post, "/v1/operators", run_by, sealed).status == 409);
  const auto made =
      house.done(Method::post, "/v1/operators", run_by, {{"email", "later@agency.example"}});
  CHECK_FALSE(made.as_object().contains("sign_in_link"));
  auto later = sign_in_by_mail(house, "later@agency.example");
  later.tenant = "alpha";
  CHECK(house.call(Method::get, "/v1/domains", later).status == 200);
  later.tenant = "bravo";
  CHECK(house.call(Method::get, "/v1/domains", later).status == 404);
}

// The limit that docs/security.md states: of an account that was made before, nobody asks again.
TEST_CASE("account_made_before_the_connection_has_it_unproved", "[within]") {
  Scene scene;
  auto& house = scene.house;
  auto run_by = make_operator(house, "root@operators.example");
  const auto sees_alpha = [&](const web::Response& entered) {
    INFO(entered.body);
    REQUIRE(entered.status == 201);
    auto session = with_session(session_of(entered));
    session.tenant = "alpha";
    return house.call(Method::get, "/v1/domains", session).status == 200;
  };
  SECTION("by the password of a break-glass account") {
    const json::value sealed{{"email", "early@agency.example"}, {"break_glass", true}};
    const auto made = house.done(Method::post, "/v1/operators", run_by, sealed);
    scene.let_in("early@agency.example");
    CHECK(sees_alpha(
        house.call(Method::post, "/v1/session", kNobody,
                   {{"email", "early@agency.example"}, {"password", text_at(made, "password")}})));
  }
  SECTION("by a link that was shown") {
    const auto made =
        house.done(Method::post, "/v1/operators", run_by, {{"email", "early@agency.example"}});
    scene.let_in("early@agency.example");
    const auto link = text_at(made, "sign_in_link");
    CHECK(sees_alpha(house.call(Method::post, "/v1/session/link/confirm", kNobody,
                                {{"token", link.substr(link.find('#') + 1)}})));
  }
}
