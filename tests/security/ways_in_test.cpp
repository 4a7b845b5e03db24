// Every way in that ends in a session: it opens its own door, once, for the person that it was
// meant for, and that session reaches that person's tenants alone.
#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <set>

#include "core/encoding.hpp"
#include "tests/security/comparison.hpp"
#include "tests/security/soft_passkey.hpp"
#include "tests/security/tenancy.hpp"

using namespace postern;
using namespace postern::test;
using web::Method;
using web::Route;
namespace json = boost::json;

namespace {

constexpr const char* kPassword = "Kestrel-Umbrella-41-Quartz";
const std::string kMadeUp = "pst_link_" + std::string(43, 'A');
const std::set<std::string> kTrail{"audit_records", "audit_heads"};

struct Scene {
  House house;
  std::string agency = make_agency(house);
  Tenancy alpha = make_tenancy(house, "alpha", agency);
  Tenancy bravo = make_tenancy(house, "bravo", agency);

  std::string mailed_token() {
    const auto text = house.mail().text;
    const auto begin = text.find('#', text.find("https://")) + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  }
  std::string ask(const char* path, const std::string& email) {
    (void)house.mailer.take();
    house.done(Method::post, path, kNobody, {{"email", email}});
    return mailed_token();
  }
  std::string invite(const std::string& email) {
    (void)house.mailer.take();
    house.done(Method::post, "/v1/invitations", alpha.owner,
               {{"email", email}, {"role", "viewer"}});
    return mailed_token();
  }
  [[nodiscard]] Dump dump(const Tenancy& of) const {
    return dump_of(house.settings.data, of.things.at("tenant_id"), of.people, kTrail);
  }
};

// A door that a mailed link opens.
struct Door {
  std::string_view route;
  const char* path;
  std::string (*secret)(Scene&);
};
constexpr auto kDoors = std::to_array<Door>({
    {"session.confirm_link", "/v1/session/link/confirm",
     [](Scene& s) { return s.ask("/v1/session/link", "clerk@alpha.example"); }},
    {"password_reset.confirm", "/v1/password-reset/confirm",
     [](Scene& s) { return s.ask("/v1/password-reset", "clerk@alpha.example"); }},
    {"sign_up.confirm", "/v1/sign-up/confirm",
     [](Scene& s) { return s.ask("/v1/sign-up", "first@newcomer.example"); }},
    {"invitation.accept", "/v1/invitation/accept",
     [](Scene& s) { return s.invite("late@alpha.example"); }},
});

web::Response open(Scene& scene, const Door& door, const std::string& token) {
  json::object body{{"token", token}};
  if (door.route != "session.confirm_link") body["password"] = kPassword;
  if (door.route == "sign_up.confirm") body["tenant"] = "newcomer";
  return scene.house.call(Method::post, door.path, kNobody, body);
}

std::string told(const web::Response& response) {
  return std::to_string(response.status) + response.body;
}

std::vector<std::string> tenants_of(Scene& scene, const Credential& session) {
  const auto shown = scene.house.done(Method::get, "/v1/session", session);
  std::vector<std::string> names;
  for (const auto& tenant : shown.as_object().at("tenants").as_array())
    names.push_back(text_at(tenant, "name"));
  return names;
}

// "viewer"; empty: not a member.
std::string role_in(Scene& scene, const std::string& name, const Credential& session) {
  const auto shown = scene.house.done(Method::get, "/v1/session", session);
  for (const auto& tenant : shown.as_object().at("tenants").as_array()) {
    if (text_at(tenant, "name") == name) return text_at(tenant, "role");
  }
  return {};
}

// Nothing that the session may read, by its own tenant or by another's name, is of `other`.
void check_apart(Scene& scene, const Credential& session, const Tenancy& other) {
  for (const Route& route : web::api_routes()) {
    if (route.method != Method::get) continue;
    for (const auto* header : {"", other.name.c_str()}) {
      auto who = session;
      who.tenant = header;
      const auto response = scene.house.call(request_of(route, other), who);
      INFO(route.name << " in \"" << header << "\": " << response.body);
      if (route.guard.kind != web::Guard::Kind::anyone && *header != '\0')
        CHECK(response.status / 100 != 2);
      for (const auto& identifier : other.identifiers) {
        // What was asked for may be repeated; nothing else of theirs is known.
        if (identifier == other.name || response.status / 100 != 2) continue;
        INFO(identifier);
        CHECK(response.body.find(identifier) == std::string::npos);
      }
    }
  }
}

}  // namespace

TEST_CASE("mailed_link_opens_its_own_door_and_no_other_and_once", "[ways_in]") {
  Scene scene;
  for (const auto& door : kDoors) {
    const auto token = door.secret(scene);
    for (const auto& other : kDoors) {
      if (other.route == door.route) continue;
      INFO("a link for " << door.route << " at " << other.route);
      CHECK(told(open(scene, other, token)) == told(open(scene, other, kMadeUp)));
    }
    INFO(door.route);
    CHECK(open(scene, door, token).status / 100 == 2);
    CHECK(told(open(scene, door, token)) == told(open(scene, door, kMadeUp)));
  }
}

// By names alone: whoever adds a route that confirms something says here what drives it.
TEST_CASE("confirming_routes_are_the_doors_and_those_that_are_listed", "[ways_in]") {
  std::set<std::string_view> listed{
      "session.confirm_code",  // mailed_code_lets_in_its_person_once_and_no_other
      "me.confirm_totp",       // tests/security/audit_test.cpp
  };
  for (const auto& door : kDoors) listed.insert(door.route);
  std::set<std::string_view> confirming;
  for (const Route& route : web::api_routes()) {
    if (route.name.contains("confirm") || route.name.ends_with(".accept"))
      confirming.insert(route.name);
  }
  CHECK(confirming == listed);
}

TEST_CASE("mailed_ways_in_lead_to_ones_own_tenants_only", "[ways_in]") {
  Scene scene;
  const auto before = scene.dump(scene.bravo);
  for (const auto& door : kDoors) {
    INFO(door.route);
    const auto response = open(scene, door, door.secret(scene));
    INFO(response.body);
    REQUIRE(response.status / 100 == 2);
    if (door.route == "password_reset.confirm") continue;  // it gives no session
    const auto session = with_session(session_of(response));
    const auto own = door.route == "sign_up.confirm" ? "newcomer" : "alpha";
    CHECK(tenants_of(scene, session) == std::vector<std::string>{own});
    CHECK(role_in(scene, own, session) == (door.route == "sign_up.confirm" ? "owner" : "viewer"));
    check_apart(scene, session, scene.bravo);
  }
  check_same(scene.dump(scene.bravo), before);
}

TEST_CASE("mailed_code_lets_in_its_person_once_and_no_other", "[ways_in]") {
  Scene scene;
  (void)scene.house.mailer.take();
  scene.house.done(Method::post, "/v1/session/code", kNobody, {{"email", "clerk@alpha.example"}});
  const auto text = scene.house.mail().text;
  const auto code = text.substr(text.find_first_of("0123456789"), 6);
  const auto enter = [&](const char* email) {
    return scene.house.call(Method::post, "/v1/session/code/confirm", kNobody,
                            {{"email", email}, {"code", code}});
  };
  const auto refused = told(enter("clerk@ghost.example"));
  CHECK(told(enter("clerk@bravo.example")) == refused);
  const auto entered = enter("clerk@alpha.example");
  REQUIRE(entered.status == 201);
  CHECK(tenants_of(scene, with_session(session_of(entered))) == std::vector<std::string>{"alpha"});
  check_apart(scene, with_session(session_of(entered)), scene.bravo);
  CHECK(told(enter("clerk@alpha.example")) == refused);
}

TEST_CASE("invitation_makes_somebody_of_another_tenant_a_member_of_the_inviting_one", "[ways_in]") {
  Scene scene;
  const auto& door = kDoors[3];
  REQUIRE(door.route == "invitation.accept");
  // Neither signed in before, so their address wasn't proved.
  const auto response = open(scene, door, scene.invite("clerk@bravo.example"));
  INFO(response.body);
  REQUIRE(response.status == 201);
  auto session = with_session(session_of(response));
  auto tenants = tenants_of(scene, session);
  std::ranges::sort(tenants);
  CHECK(tenants == std::vector<std::string>{"alpha", "bravo"});
  CHECK(role_in(scene, "alpha", session) == "viewer");
  session.tenant = "alpha";
  const auto domains = scene.house.call(Method::get, "/v1/domains", session);
  CHECK(domains.status == 200);
  CHECK(domains.body.find("bravo") == std::string::npos);
  // The password that came with the link isn't theirs: it was for somebody new.
  const json::value sign_in{{"email", "clerk@bravo.example"}, {"password", kPassword}};
  CHECK(scene.house.call(Method::post, "/v1/session", kNobody, sign_in).status == 401);
}

TEST_CASE("passkey_lets_in_whose_it_is_and_nobody_else", "[ways_in]") {
  Scene scene;
  auto& house = scene.house;
  const auto mine = std::string(parse_uuid(scene.alpha.people[0]).value().view());
  const auto theirs = std::string(parse_uuid(scene.bravo.people[0]).value().view());
  SoftPasskey others("a soft credential of bravo's owner");
  house.done(Method::post, "/v1/me/passkeys", scene.bravo.owner,
             others.registration(house, scene.bravo.owner));
  const auto before = scene.dump(scene.bravo);
  // No counter helps to tell an assertion that was seen before.
  SoftPasskey passkey("a soft credential of alpha's owner", SoftPasskey::Counter::stays);
  const auto added = house.call(Method::post, "/v1/me/passkeys", scene.alpha.owner,
                                passkey.registration(house, scene.alpha.owner));
  INFO(added.body);
  REQUIRE(added.status == 201);
  const auto show = [&](const json::object& body) {
    return house.call(Method::post, "/v1/session/passkey", kNobody, body);
  };
  const auto entered = show(passkey.assertion(house, mine));
  REQUIRE(entered.status == 201);
  const auto session = with_session(session_of(entered));
  CHECK(tenants_of(scene, session) == std::vector<std::string>{"alpha"});
  check_apart(scene, session, scene.bravo);

  const auto refused = [&] {
    SoftPasskey unknown("a credential that nobody has");
    return told(show(unknown.assertion(house, mine)));
  }();
  CHECK(told(show(passkey.assertion(house, theirs))) == refused);
  SoftPasskey liar(others.id_);  // with a key of its own
  CHECK(told(show(liar.assertion(house, theirs))) == refused);
  CHECK(told(show(liar.assertion(house, mine))) == refused);
  auto again = passkey.assertion(house, mine);
  CHECK(show(again).status == 201);
  CHECK(told(show(again)) == refused);  // a ceremony is good once
  // Another's ceremony is no place to register in.
  const auto begun = passkey.registration(house, scene.bravo.owner);
  CHECK(house.call(Method::post, "/v1/me/passkeys", scene.alpha.owner, begun).status == 400);
  check_same(scene.dump(scene.bravo), before);
}

TEST_CASE("passkey_of_somebody_else_is_no_second_factor", "[ways_in]") {
  Scene scene;
  auto& house = scene.house;
  const auto theirs = std::string(parse_uuid(scene.bravo.people[0]).value().view());
  SoftPasskey others("a soft credential of bravo's owner");
  house.done(Method::post, "/v1/me/passkeys", scene.bravo.owner,
             others.registration(house, scene.bravo.owner));
  const auto half = sign_in_by_mail(house, "owner@alpha.example");
  const auto shown =
      house.call(Method::post, "/v1/session/passkey", half, others.assertion(house, theirs));
  CHECK(shown.status == 401);
  CHECK(session_of(shown).empty());
  CHECK(text_at(house.done(Method::get, "/v1/session", half), "sign_in") == "half");
}

TEST_CASE("sign_up_in_a_name_that_is_taken_joins_nobodys_tenant", "[ways_in]") {
  Scene scene;
  const auto before = scene.dump(scene.bravo);
  const json::object body{{"token", scene.ask("/v1/sign-up", "first@newcomer.example")},
                          {"password", kPassword},
                          {"tenant", "bravo"}};
  const auto response = scene.house.call(Method::post, "/v1/sign-up/confirm", kNobody, body);
  CHECK(response.status == 409);
  CHECK(session_of(response).empty());
  check_same(scene.dump(scene.bravo), before);
}
