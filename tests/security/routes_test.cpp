// What the route table promises, for every route in it: who is refused, and how; which requests are
// refused before a handler sees them; and that reading answers are what they are declared to be.
#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <set>

#include "tests/security/database_dump.hpp"
#include "tests/security/shape_check.hpp"
#include "tests/security/values.hpp"

using namespace postern;
using namespace postern::test;
using accounts::Permission;
using accounts::Realm;
using accounts::audit::Outcome;
using web::Guard;
using web::Method;
using web::Route;

namespace {

// Whoever adds to this says why anybody may.
constexpr auto kForAnybody = std::to_array<std::string_view>({
    "health.alive",      // supervisors ask
    "health.ready",      // load balancers ask
    "api.describe",      // no secret
    "api.reference",     // no secret
    "security.contact",  // RFC 9116
    // Files, the same for everybody.
    "page.sign_in", "page.password_reset", "page.sign_up", "page.invitation", "page.style",
    "page.script",
    "session.create",  // sign-in: nobody is signed in before
    "session.request_link", "session.confirm_link", "session.request_code", "session.confirm_code",
    "session.passkey_options", "session.passkey",
    "password_reset.request",  // for who can't sign in
    "password_reset.confirm", "sign_up.request", "sign_up.confirm",
    "invitation.accept",  // the link is the right
});

bool contains(const auto& range, const auto& value) {
  return std::ranges::find(range, value) != std::end(range);
}

struct Scene {
  House house;
  std::string agency = make_agency(house);
  Tenancy alpha = make_tenancy(house, "alpha", agency);
  Credential run_by = make_operator(house, "root@operators.example");

  /// Who may call a route.
  [[nodiscard]] Credential allowed(const Route& route) const {
    if (route.guard.kind == Guard::Kind::anyone) return kNobody;
    const bool platform = route.guard.kind == Guard::Kind::permission &&
                          accounts::realm_of(route.guard.permission) == Realm::platform;
    return platform ? run_by : alpha.owner;
  }
  [[nodiscard]] std::size_t records(const Route& route, Outcome outcome) const {
    return records_of(house.settings.data, route.name, outcome);
  }
  /// With all permissions but the route's, if a key can have that.
  Credential key_without(const Route& route) {
    if (route.guard.kind != Guard::Kind::permission ||
        accounts::realm_of(route.guard.permission) == Realm::platform) {
      return alpha.key;
    }
    auto& key = keys_[route.guard.permission];
    if (key.kind == Credential::Kind::none) key = make_key_without(route.guard.permission);
    return key;
  }

 private:
  Credential make_key_without(Permission missing) {
    boost::json::array scopes;
    for (const auto name : accounts::PermissionSet::all(Realm::tenant).names()) {
      if (name != to_string(missing)) scopes.emplace_back(name);
    }
    const boost::json::value body{{"label", "partial"}, {"scopes", scopes}, {"tenant", "alpha"}};
    return with_key(text_at(house.done(Method::post, "/v1/keys", kManagement, body), "key"));
  }

  std::map<Permission, Credential> keys_;
};

bool is_guarded(const Route& route) { return route.guard.kind != Guard::Kind::anyone; }

std::string header_of(const web::Response& response, std::string_view name) {
  for (const auto& [header, value] : response.headers) {
    if (header == name) return value;
  }
  return {};
}

std::string field_of(const web::Response& response) {
  const auto document = json_of(response);
  if (!document.is_object() || !document.as_object().contains("field")) return {};
  return text_at(document, "field");
}

// Something that no member of this kind can be.
boost::json::value wrong_value(const web::Member& member) {
  if (member.kind == web::Kind::object) return 5;
  return boost::json::object{};
}

boost::json::value too_long(const web::Member& member) {
  return boost::json::string(member.limit + 1, 'a');
}

}  // namespace

TEST_CASE("route_is_for_anybody_only_where_the_list_says_so", "[routes]") {
  for (const Route& route : web::api_routes()) {
    INFO(route.name);
    CHECK(is_guarded(route) != contains(kForAnybody, route.name));
  }
  for (const Route& route : web::metrics_routes()) {
    INFO(route.name);
    CHECK(route.method == Method::get);
    CHECK((route.name == "metrics.read" || route.name.starts_with("health.")));
  }
}

TEST_CASE("route_names_are_unique_and_dotted_and_ways_in_are_unique", "[routes]") {
  std::set<std::string_view> names;
  std::set<std::pair<Method, std::string_view>> ways;
  for (const Route& route : web::api_routes()) {
    INFO(route.name);
    CHECK(names.insert(route.name).second);
    CHECK(ways.emplace(route.method, route.pattern).second);
    const auto dot = route.name.find('.');
    CHECK((dot != std::string_view::npos && dot > 0 && dot + 1 < route.name.size()));
    CHECK(std::ranges::all_of(
        route.name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '.'; }));
    CHECK(route.pattern.starts_with('/'));
    CHECK_FALSE(route.summary.empty());
  }
}

TEST_CASE("guarded_route_refuses_who_is_not_signed_in", "[routes]") {
  Scene scene;
  for (const Route& route : web::api_routes()) {
    if (!is_guarded(route)) continue;
    INFO(route.name);
    const auto response = scene.house.call(request_of(route, scene.alpha), kNobody);
    CHECK(response.status == 401);
    CHECK(header_of(response, "WWW-Authenticate") == "Bearer");
  }
}

TEST_CASE("guarded_route_refuses_a_key_without_its_permission_and_records_it", "[routes]") {
  Scene scene;
  for (const Route& route : web::api_routes()) {
    if (!is_guarded(route)) continue;
    INFO(route.name);
    const auto who = scene.key_without(route);
    const auto before = scene.records(route, Outcome::denied);
    const auto done = scene.records(route, Outcome::success);
    const auto response = scene.house.call(request_of(route, scene.alpha), who);
    CHECK(response.status == 403);
    CHECK(scene.records(route, Outcome::denied) == before + 1);
    CHECK(scene.records(route, Outcome::success) == done);
    if (route.guard.kind != Guard::Kind::permission) continue;
    const std::string name(to_string(route.guard.permission));
    CHECK(text_at(json_of(response), "detail").find(name) != std::string::npos);
  }
}

TEST_CASE("route_refuses_a_sessions_changing_request_without_its_token", "[routes]") {
  Scene scene;
  const auto before =
      dump_of(scene.house.settings.data, scene.alpha.things.at("tenant_id"), scene.alpha.people);
  for (const Route& route : web::api_routes()) {
    if (route.method == Method::get || !is_guarded(route)) continue;
    INFO(route.name);
    auto who = scene.allowed(route);
    who.csrf = Credential::Csrf::left_out;
    CHECK(scene.house.call(request_of(route, scene.alpha), who).status == 403);
    // The token of another session is none.
    auto request = request_of(route, scene.alpha);
    request.headers["x-csrf-token"] = "AAAA";
    CHECK(scene.house.call(std::move(request), who).status == 403);
  }
  CHECK(dump_of(scene.house.settings.data, scene.alpha.things.at("tenant_id"),
                scene.alpha.people) == before);
}

TEST_CASE("route_with_step_up_refuses_a_session_whose_second_factor_is_old", "[routes]") {
  Scene scene;
  std::size_t asked = 0;
  for (const auto age : {std::chrono::minutes(5), std::chrono::minutes(1)}) {
    scene.house.clock.advance(age);  // fresh is less than five minutes
    for (const Route& route : web::api_routes()) {
      if (route.guard.step_up != Guard::StepUp::yes) continue;
      INFO(route.name);
      const auto before = scene.records(route, Outcome::denied);
      const auto response = scene.house.call(request_of(route, scene.alpha), scene.allowed(route));
      CHECK(response.status == 403);
      CHECK(header_of(response, "Postern-Step-Up") == "required");
      CHECK(scene.records(route, Outcome::denied) == before + 1);
      ++asked;
    }
  }
  CHECK(asked >= 20);
}

TEST_CASE("destroying_and_giving_away_takes_step_up", "[routes]") {
  for (const Route& route : web::api_routes()) {
    constexpr auto kGrave = std::to_array<std::string_view>({"tenant.suspend",
                                                             "tenant.delete",
                                                             "domain.delete",
                                                             "account.delete",
                                                             "account.password",
                                                             "person.add",
                                                             "person.update",
                                                             "person.remove",
                                                             "operator.create",
                                                             "operator.remove",
                                                             "key.create",
                                                             "key.rotate",
                                                             "connection.create",
                                                             "queue.drop",
                                                             "me.remove_totp",
                                                             "me.recovery_codes",
                                                             "me.remove_passkey",
                                                             "platform.resume_audit",
                                                             "audit.set_stream",
                                                             "audit.remove_stream",
                                                             "outbound.set_hosts",
                                                             "platform.set_audit_stream",
                                                             "platform.remove_audit_stream"});
    INFO(route.name);
    CHECK((route.guard.step_up == Guard::StepUp::yes) == contains(kGrave, route.name));
  }
}

TEST_CASE("half_sign_in_is_good_for_nothing_but_to_be_made_whole", "[routes]") {
  Scene scene;
  const auto half = sign_in_by_mail(scene.house, "owner@alpha.example");
  for (const Route& route : web::api_routes()) {
    if (!is_guarded(route) || route.guard.kind == Guard::Kind::half_signed_in) continue;
    INFO(route.name);
    const auto before = scene.records(route, Outcome::denied);
    CHECK(scene.house.call(request_of(route, scene.alpha), half).status == 403);
    CHECK(scene.records(route, Outcome::denied) == before + 1);
  }
  CHECK(scene.house.call(Method::get, "/v1/session", half).status == 200);
}

TEST_CASE("member_that_a_route_does_not_know_is_refused_by_name", "[routes]") {
  Scene scene;
  for (const Route& route : web::api_routes()) {
    INFO(route.name);
    auto request = request_of(route, scene.alpha);
    request.body = R"({"no_such_member":1})";
    const auto response = scene.house.call(request, scene.allowed(route));
    CHECK(response.status == 400);
    CHECK(field_of(response) == "no_such_member");
    request = request_of(route, scene.alpha);
    request.query["no_such_query"] = "1";
    const auto second = scene.house.call(request, scene.allowed(route));
    CHECK(second.status == 400);
    CHECK(field_of(second) == "no_such_query");
  }
}

TEST_CASE("member_of_another_kind_or_above_its_limit_is_refused_by_name", "[routes]") {
  Scene scene;
  for (const Route& route : web::api_routes()) {
    if (route.body == nullptr) continue;
    for (const auto& member : route.body->members) {
      INFO(route.name << " " << member.name);
      auto request = request_of(route, scene.alpha);
      const auto refused = [&](boost::json::value value) {
        boost::json::object body;
        body[member.name] = std::move(value);
        request.body = boost::json::serialize(body);
        const auto response = scene.house.call(request, scene.allowed(route));
        return response.status == 400 && field_of(response) == member.name;
      };
      CHECK(refused(wrong_value(member)));
      if (member.kind == web::Kind::text) CHECK(refused(too_long(member)));
      if (member.kind == web::Kind::integer) CHECK(refused(member.limit + 1));
      if (member.kind == web::Kind::texts) {
        CHECK(refused(boost::json::array{too_long(member)}));
        CHECK(refused(boost::json::array(member.items + 1, "a")));
      }
    }
  }
}

TEST_CASE("body_above_a_routes_limit_is_refused", "[routes]") {
  Scene scene;
  for (const Route& route : web::api_routes()) {
    INFO(route.name);
    auto request = request_of(route, scene.alpha);
    request.body = std::string(route.body_bytes + 1, ' ');
    CHECK(scene.house.call(request, scene.allowed(route)).status == 413);
    // White space up to the limit is only no object.
    request.body = std::string(route.body_bytes, ' ');
    CHECK(scene.house.call(request, scene.allowed(route)).status == 400);
  }
}

TEST_CASE("reading_routes_answer_what_they_declare", "[routes]") {
  Scene scene;
  scene.house.done(Method::post, "/v1/me/recovery-codes", scene.alpha.owner);
  scene.house.done(Method::put, "/v1/platform/audit/stream", kManagement,
                   {{"url", "https://siem.house.example/"}});
  for (const Route& route : web::api_routes()) {
    if (route.method != Method::get) continue;
    INFO(route.name);
    const auto response = scene.house.call(request_of(route, scene.alpha), scene.allowed(route));
    INFO(response.body.substr(0, 1000));
    CHECK(mismatch(route.answer, response).empty());
    // An empty list shows nothing of its items.
    if (route.answer.form != web::Answer::Form::list || route.name == "login_block.list") continue;
    const auto document = json_of(response);
    CHECK_FALSE(document.as_object().at("items").as_array().empty());
  }
}
