// Every changing route that isn't for anybody is done once, with what it needs, in an order that
// builds up and then takes away: each leaves a record of success under its name, and answers what
// it declares.
#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "accounts/factors/totp.hpp"
#include "tests/security/database_dump.hpp"
#include "tests/security/shape_check.hpp"
#include "tests/security/soft_passkey.hpp"
#include "tests/security/values.hpp"
#include "web/api/timestamp.hpp"

using namespace postern;
using namespace postern::test;
using accounts::audit::Outcome;
using web::Guard;
using web::Method;
using web::Route;
namespace json = boost::json;

namespace {

const Route& route_of(std::string_view name) {
  const auto routes = web::api_routes();
  const auto found = std::ranges::find(routes, name, &Route::name);
  if (found == routes.end()) FAIL("no route is named " << name);
  return *found;
}

struct Story {
  House house;
  std::string agency = make_agency(house);
  Tenancy alpha = make_tenancy(house, "alpha", agency);
  Credential run_by = make_operator(house, "root@operators.example");
  Credential clerk = sign_in_by_mail(house, "clerk@alpha.example");
  std::string made_key{};

  /// By name; `things` replaces alpha's, `members` replaces and adds members of the body.
  web::Response call(std::string_view name, const Credential& who, const Texts& things = {},
                     const json::object& members = {}) {
    auto whose = alpha;
    for (const auto& [thing, value] : things) whose.things[thing] = value;
    const auto& route = route_of(name);
    auto request = request_of(route, whose);
    if (!members.empty()) {
      auto body = json::parse(request.body).as_object();
      for (const auto& member : members) body[member.key()] = member.value();
      request.body = json::serialize(body);
    }
    return house.call(std::move(request), who);
  }
};

// --- by name: what a call needs beside alpha's things ---

using Step = web::Response (*)(Story&);
struct Drive {
  std::string_view route;
  Step step;
};

constexpr const char* kDomain = "fresh.example";
constexpr const char* kBox = "new@fresh.example";

web::Response confirm_totp(Story& s) {
  const auto secret = text_at(s.house.done(Method::post, "/v1/me/totp", s.clerk), "secret");
  const auto code = totp_now(s.house, accounts::parse_totp_secret(secret).value());
  return s.call("me.confirm_totp", s.clerk, {}, {{"secret", secret}, {"code", code}});
}

web::Response second_factor(Story& s) {
  const auto code = totp_now(s.house, s.alpha.totp_secret);
  auto response = s.call("session.second_factor", s.alpha.owner, {}, {{"code", code}});
  s.alpha.owner = with_session(session_of(response));
  return response;
}

// From networks that are shut out after too many wrong passwords.
web::Response end_login_block(Story& s) {
  for (int i = 0; i < 11; ++i) {
    (void)s.house.call(
        Method::post, "/v1/session", kNobody,
        {{"email", "guessed@alpha.example"}, {"password", "wrong" + std::to_string(i)}});
  }
  return s.house.call(Method::del, "/v1/login-blocks/guessed%40alpha.example", s.run_by);
}

web::Response make_key(Story& s) {
  auto response = s.call("key.create", s.alpha.owner);
  if (response.status == 201) s.made_key = text_at(json_of(response), "id");
  return response;
}

web::Response end_session(Story& s) {
  const auto other = sign_in_by_mail(s.house, "owner@alpha.example");
  const auto id = text_at(s.house.done(Method::get, "/v1/session", other), "id");
  return s.call("me.end_session", s.alpha.owner, {{"session", id}});
}

web::Response connect(Story& s) {
  const auto until = web::timestamp_text(s.house.clock.now() + std::chrono::hours(1));
  return s.call("connection.create", s.alpha.owner, {},
                {{"email", s.agency}, {"expires_at", until}});
}

constexpr auto kDrives = std::to_array<Drive>({
    {"server.backup",
     [](Story& s) {
       return s.call("server.backup", s.run_by, {},
                     {{"directory", s.house.directory.file("backup")}});
     }},
    {"tenant.create",
     [](Story& s) { return s.call("tenant.create", s.run_by, {}, {{"name", "fresh"}}); }},
    {"tenant.suspend",
     [](Story& s) { return s.call("tenant.suspend", s.run_by, {{"tenant", "fresh"}}); }},
    {"tenant.resume",
     [](Story& s) { return s.call("tenant.resume", s.run_by, {{"tenant", "fresh"}}); }},
    {"person.add",
     [](Story& s) {
       return s.call("person.add", s.run_by, {},
                     {{"email", "first@fresh.example"}, {"role", "admin"}, {"tenant", "fresh"}});
     }},
    {"tenant.delete",
     [](Story& s) {
       (void)s.call("tenant.create", s.run_by, {}, {{"name", "empty"}});
       return s.call("tenant.delete", s.run_by, {{"tenant", "empty"}});
     }},
    {"operator.create",
     [](Story& s) {
       return s.call("operator.create", s.run_by, {}, {{"email", "second@operators.example"}});
     }},
    {"operator.remove",
     [](Story& s) {
       return s.call("operator.remove", s.run_by, {{"member_email", "second@operators.example"}});
     }},
    {"login_block.end", end_login_block},
    {"domain.create",
     [](Story& s) { return s.call("domain.create", s.alpha.owner, {{"domain", kDomain}}); }},
    {"account.create",
     [](Story& s) { return s.call("account.create", s.alpha.owner, {{"address", kBox}}); }},
    {"account.password", [](Story& s) { return s.call("account.password", s.alpha.owner); }},
    {"account.suspend", [](Story& s) { return s.call("account.suspend", s.alpha.owner); }},
    {"account.resume", [](Story& s) { return s.call("account.resume", s.alpha.owner); }},
    {"grant.create",
     [](Story& s) { return s.call("grant.create", s.alpha.owner, {{"domain", kDomain}}); }},
    {"grant.delete",
     [](Story& s) { return s.call("grant.delete", s.alpha.owner, {{"domain", kDomain}}); }},
    {"credential.create", [](Story& s) { return s.call("credential.create", s.alpha.owner); }},
    {"credential.revoke", [](Story& s) { return s.call("credential.revoke", s.alpha.owner); }},
    {"alias.create",
     [](Story& s) {
       return s.call("alias.create", s.alpha.owner, {{"alias", "two@alpha.example"}});
     }},
    {"alias.delete", [](Story& s) { return s.call("alias.delete", s.alpha.owner); }},
    {"account.delete",
     [](Story& s) { return s.call("account.delete", s.alpha.owner, {{"address", kBox}}); }},
    {"domain.delete",
     [](Story& s) { return s.call("domain.delete", s.alpha.owner, {{"domain", kDomain}}); }},
    {"invitation.create",
     [](Story& s) {
       return s.call("invitation.create", s.alpha.owner, {{"member_email", "late@alpha.example"}});
     }},
    {"invitation.delete", [](Story& s) { return s.call("invitation.delete", s.alpha.owner); }},
    {"role.create", [](Story& s) { return s.call("role.create", s.alpha.owner); }},
    {"role.update",
     [](Story& s) { return s.call("role.update", s.alpha.owner, {}, {{"name", "renamed"}}); }},
    {"key.create", make_key},
    {"key.rotate",
     [](Story& s) { return s.call("key.rotate", s.alpha.owner, {{"key", s.made_key}}); }},
    {"key.revoke",
     [](Story& s) { return s.call("key.revoke", s.alpha.owner, {{"key", s.made_key}}); }},
    {"connection.create", connect},
    {"connection.revoke", [](Story& s) { return s.call("connection.revoke", s.alpha.owner); }},
    {"queue.retry", [](Story& s) { return s.call("queue.retry", s.alpha.owner); }},
    {"queue.hold", [](Story& s) { return s.call("queue.hold", s.alpha.owner); }},
    {"queue.release", [](Story& s) { return s.call("queue.release", s.alpha.owner); }},
    {"queue.drop", [](Story& s) { return s.call("queue.drop", s.alpha.owner); }},
    {"audit.set_stream", [](Story& s) { return s.call("audit.set_stream", s.alpha.owner); }},
    {"audit.remove_stream", [](Story& s) { return s.call("audit.remove_stream", s.alpha.owner); }},
    {"outbound.set_hosts", [](Story& s) { return s.call("outbound.set_hosts", s.alpha.owner); }},
    {"platform.set_audit_stream",
     [](Story& s) { return s.call("platform.set_audit_stream", s.run_by); }},
    {"platform.remove_audit_stream",
     [](Story& s) { return s.call("platform.remove_audit_stream", s.run_by); }},
    {"me.rename", [](Story& s) { return s.call("me.rename", s.alpha.owner); }},
    {"session.second_factor", second_factor},
    {"me.add_passkey",
     [](Story& s) {
       SoftPasskey passkey("a soft credential");
       return s.call("me.add_passkey", s.alpha.owner, {},
                     passkey.registration(s.house, s.alpha.owner));
     }},
    {"me.recovery_codes", [](Story& s) { return s.call("me.recovery_codes", s.alpha.owner); }},
    {"me.end_session", end_session},
    {"me.end_other_sessions",
     [](Story& s) { return s.call("me.end_other_sessions", s.alpha.owner); }},
    {"me.remove_passkey", [](Story& s) { return s.call("me.remove_passkey", s.alpha.owner); }},
    {"me.remove_totp", [](Story& s) { return s.call("me.remove_totp", s.alpha.owner); }},
    {"me.confirm_totp", confirm_totp},
    {"me.password", [](Story& s) { return s.call("me.password", s.clerk); }},
    {"person.update",
     [](Story& s) { return s.call("person.update", s.alpha.owner, {}, {{"role", "editor"}}); }},
    {"person.remove", [](Story& s) { return s.call("person.remove", s.alpha.owner); }},
    {"role.delete", [](Story& s) { return s.call("role.delete", s.alpha.owner); }},
    {"session.end", [](Story& s) { return s.call("session.end", s.alpha.owner); }},
});

struct Left {
  std::string_view route;
  std::string_view why;
};
constexpr auto kNotDriven = std::to_array<Left>({
    {"platform.resume_audit", "it takes a chain that was tampered with, and writes its own record"},
});

}  // namespace

TEST_CASE("every_guarded_changing_route_is_driven_or_says_why_not", "[audit]") {
  for (const Route& route : web::api_routes()) {
    if (!changes(route) || route.guard.kind == Guard::Kind::anyone) continue;
    INFO(route.name);
    const auto driven = std::ranges::count(kDrives, route.name, &Drive::route);
    const auto left = std::ranges::count(kNotDriven, route.name, &Left::route);
    CHECK(driven + left == 1);
  }
}

TEST_CASE("every_guarded_changing_route_leaves_a_record_of_what_was_done", "[audit]") {
  Story story;
  const auto& data = story.house.settings.data;
  for (const auto& [name, step] : kDrives) {
    INFO(name);
    const auto done = records_of(data, name, Outcome::success);
    const auto denied = records_of(data, name, Outcome::denied);
    const auto response = step(story);
    INFO(response.body.substr(0, 1000));
    CHECK(mismatch(route_of(name).answer, response).empty());
    CHECK(records_of(data, name, Outcome::success) > done);
    CHECK(records_of(data, name, Outcome::denied) == denied);
  }
}

TEST_CASE("what_an_operator_does_to_a_tenant_is_in_both_trails", "[audit]") {
  Story story;
  const auto count = [&](const std::string& tenant) {
    const auto dump = dump_of(story.house.settings.data, tenant, {});
    const auto& rows = dump.at("control.db/audit_records");
    return std::ranges::count_if(rows, [](const std::string& row) {
      return row.find("|tenant.suspend|0|") != std::string::npos;
    });
  };
  const std::string platform(32, '0');
  CHECK(story.call("tenant.suspend", story.run_by).status == 200);
  CHECK(count(story.alpha.things.at("tenant_id")) == 1);
  CHECK(count(platform) == 1);
}

TEST_CASE("taking_the_audit_trail_away_is_in_the_trail", "[audit]") {
  Story story;
  const auto& data = story.house.settings.data;
  CHECK(story.call("audit.export", story.alpha.key).status == 200);
  CHECK(records_of(data, "audit.export", Outcome::success) == 1);
}

TEST_CASE("chains_are_sound_after_all_of_it", "[audit]") {
  Story story;
  for (const auto& [name, step] : kDrives) (void)step(story);
  const auto verified = story.house.done(Method::post, "/v1/platform/audit/verify", kManagement);
  CHECK(verified.as_object().at("sound").as_bool());
}
