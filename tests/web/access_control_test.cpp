#include "web/access/access_control.hpp"

#include <array>
#include <atomic>
#include <thread>

#include "accounts/factors/one_time_token.hpp"
#include "tests/accounts/people/people.hpp"
#include "tests/core/sockets.hpp"
#include "web/access/cookies.hpp"
#include "web/access/person_caller.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;
using namespace postern::web;

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;
using Who = std::expected<web::Identity, Response>;

struct House : PeopleWorld {
  AccessOptions options;
  TenantId acme = tenant("acme").id;
  TenantId other = tenant("other").id;
  PersonId ann = person("ann@agency.example");
  std::unique_ptr<AccessControl> access;
  std::string token = make_secret_token(kSessionPrefix);
  Request request;

  explicit House(const AccessOptions& chosen = {}) {
    set(chosen);
    request.peer = {Door::http, Transport::tls, "192.0.2.1"};
  }
  /// As after a restart.
  void set(const AccessOptions& chosen) {
    options = chosen;
    access = std::make_unique<AccessControl>(options, registry, clock);
  }
  Who who() { return run(access->identify(request)); }
  /// Of the refusal; 0: there was none.
  unsigned status() {
    const auto found = who();
    return found ? 0 : found.error().status;
  }
  unsigned status_from(const std::string& address) {
    request.peer.address = address;
    return status();
  }
  int admitted(Method method, int attempts) {
    request.method = method;
    int count = 0;
    for (int i = 0; i < attempts; ++i) count += status() == 0 ? 1 : 0;
    return count;
  }
  /// A key that `change` makes of a plain one; requests come with it from now on.
  ApiKeyId key(const std::function<void(ApiKey&)>& change = [](ApiKey&) {}) {
    auto made = plain_key();
    change(made);
    const auto secret = make_secret_token(kApiKeyPrefix);
    must(try_key(acme, secret, made));
    request.headers["authorization"] = "Bearer " + secret;
    return made.id;
  }
  void revoke(ApiKeyId id) {
    must(scoped(
        acme, [id, now = clock.now()](sql::TenantScope& s) { return revoke_api_key(s, id, now); }));
  }
  void set_status(Status status) {
    must(
        change([=, id = acme](sql::Transaction& tx) { return set_tenant_status(tx, id, status); }));
  }
  KeyUsage usage(ApiKeyId id) {
    must(run(access->flush_usage()));
    return look(acme, [=](sql::TenantScope& s) { return read_key_usage(s, id, 202601); });
  }

  void sign_in() {
    must(try_session(ann, token));
    request.headers["cookie"] = "__Host-postern=" + token;
  }
  template <class F>
  void about_ann(F f) {
    must(change([id = ann, f](sql::Transaction& tx) { return f(tx, id); }));
  }
  void make_operator() {
    about_ann([](sql::Transaction& tx, PersonId id) {
      return set_platform_role(tx, id, PlatformRole::operator_, BreakGlass::no);
    });
  }
  Caller caller() {
    auto found = who();
    if (!found) FAIL("refused: " << found.error().body);
    return found->caller;
  }
  Caller caller_in(const std::string& tenant) {
    request.headers["postern-tenant"] = tenant;
    return caller();
  }
  /// The refusal for a named tenant, with the name taken out.
  std::string refusal_in(const std::string& tenant) {
    request.headers["postern-tenant"] = tenant;
    const auto found = who();
    if (found) return "let in";
    auto body = std::to_string(found.error().status) + found.error().body;
    if (const auto at = body.find(tenant); at != std::string::npos) body.erase(at, tenant.size());
    return body;
  }
};

Task<void> count_admitted(AccessControl& access, Request request, std::atomic<int>& admitted) {
  const auto found = co_await access.identify(request);
  if (found) ++admitted;
}

}  // namespace

TEST_CASE("key_is_its_tenants_caller", "[access]") {
  House world;
  const auto id = world.key([](ApiKey& k) { k.scopes = permissions("domain.read"); });
  const auto caller = world.caller_in("other");  // a key has one tenant, whatever is asked
  CHECK(caller.kind == CallerKind::api_key);
  CHECK(caller.id == id.text());
  CHECK(caller.tenant == world.acme);
  CHECK(caller.permissions == permissions("domain.read"));
  world.request.headers["authorization"].replace(0, 6, "bearer");  // RFC 9110 §11.1
  CHECK(world.status() == 0);
}

TEST_CASE("credentials_that_do_not_hold_are_401_with_a_challenge", "[access]") {
  House world;
  world.key();
  const auto good = world.request.headers["authorization"];
  const auto wrong_checksum = good.substr(0, good.size() - 1) + (good.ends_with('A') ? 'B' : 'A');
  for (const auto& bad : {wrong_checksum, "Bearer " + make_secret_token(kApiKeyPrefix),
                          "Bearer " + make_secret_token(kSessionPrefix), "Basic" + good.substr(6),
                          good.substr(7), std::string("Bearer"), std::string("Bearer ")}) {
    INFO(bad);
    world.request.headers["authorization"] = bad;
    const auto found = world.who();
    REQUIRE_FALSE(found);
    CHECK(found.error().status == 401);
    CHECK(found.error().headers == Headers{{"WWW-Authenticate", "Bearer"}});  // RFC 9110 §11.6.1
  }
}

TEST_CASE("key_in_memory_ends_at_once_when_it_is_revoked_expired_or_suspended", "[access]") {
  House world;
  world.key([](ApiKey& k) { k.expires = k.created + 1h; });
  world.clock.advance(1h - 1us);
  CHECK(world.status() == 0);
  world.clock.advance(1us);
  CHECK(world.status() == 401);
  const auto id = world.key();
  CHECK(world.status() == 0);
  world.set_status(Status::suspended);
  CHECK(world.status() == 401);
  world.set_status(Status::active);
  CHECK(world.status() == 0);
  world.revoke(id);
  CHECK(world.status() == 401);
}

TEST_CASE("key_revoked_while_its_use_is_noted_stays_revoked", "[access]") {
  House world;
  const auto id = world.key();
  REQUIRE(world.status() == 0);
  world.clock.advance(kKeyUseEvery);  // so that the next use is written down
  postern::test::Started<Who> pending(world.context, world.access->identify(world.request));
  world.context.restart();
  world.context.poll_one();
  world.revoke(id);
  pending.get(world.context);
  CHECK(world.status() == 401);
}

TEST_CASE("key_with_networks_is_good_from_there_alone", "[access]") {
  House world;
  world.key([](ApiKey& k) { k.addresses = {"192.0.2.0/24", "2001:db8::/32"}; });
  for (const auto* good : {"192.0.2.255", "2001:db8::1"}) CHECK(world.status_from(good) == 0);
  for (const auto* bad : {"192.0.3.0", "2001:db9::1", ""}) CHECK(world.status_from(bad) == 403);
}

TEST_CASE("reads_and_writes_of_a_key_have_limits_of_their_own", "[access]") {
  House world({.key_reads = 4, .key_writes = 1});
  const auto id = world.key([](ApiKey& k) {
    k.reads_per_minute = 3;
    k.writes_per_minute = 2;
  });
  CHECK(world.admitted(Method::get, 5) == 3);
  CHECK(world.admitted(Method::post, 1) == 1);
  CHECK(world.admitted(Method::del, 5) == 1);  // every change is a write
  world.request.method = Method::get;
  const auto refused = world.who();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().status == 429);
  CHECK(refused.error().headers == Headers{{"Retry-After", "21"}});  // a little above 20 seconds
  CHECK(world.usage(id).reads == 3);  // what was refused is not of the month
  world.clock.advance(61s);
  CHECK(world.admitted(Method::get, 5) == 3);
  world.key();
  CHECK(world.admitted(Method::get, 9) == 4);
  CHECK(world.admitted(Method::patch, 9) == 1);
  world.key([](ApiKey& k) { k.reads_per_minute = 0; });
  CHECK(world.admitted(Method::get, 3) == 0);
}

TEST_CASE("monthly_cap_is_exact_for_many_threads", "[access]") {
  static constexpr int kCap = 130;
  std::array<asio::io_context, 4> contexts;
  std::atomic<int> admitted{0};
  std::atomic<int> broken{0};
  House world;
  const auto id = world.key([](ApiKey& k) { k.monthly_cap = kCap; });
  std::vector<std::jthread> threads;
  threads.reserve(contexts.size());
  for (auto& context : contexts) {
    for (int i = 0; i < 50; ++i) {
      asio::co_spawn(context, count_admitted(*world.access, world.request, admitted),
                     [&broken](const std::exception_ptr& error) { broken += error ? 1 : 0; });
    }
    threads.emplace_back([&context] { context.run(); });
  }
  threads.clear();
  CHECK(broken == 0);
  CHECK(admitted == kCap);
  CHECK(world.status() == 429);
  CHECK(world.usage(id).reads == kCap);
}

TEST_CASE("monthly_cap_outlives_a_restart_and_ends_with_the_month", "[access]") {
  House world;
  const auto id = world.key([](ApiKey& k) { k.monthly_cap = 5; });
  CHECK(world.admitted(Method::get, 2) == 2);
  CHECK(world.admitted(Method::post, 1) == 1);
  CHECK(world.usage(id).reads == 2);
  CHECK(world.usage(id).writes == 1);  // nothing is added twice
  world.set({});
  CHECK(world.admitted(Method::get, 9) == 2);
  world.clock.advance(31 * 24h - 1us);
  CHECK(world.status() == 429);
  world.clock.advance(1us);  // February
  CHECK(world.admitted(Method::get, 9) == 5);
}

TEST_CASE("strangers_are_limited_by_network", "[access]") {
  House world({.address_requests = 2});
  CHECK(world.caller().kind == CallerKind::nobody);
  CHECK(world.caller().permissions.empty());
  CHECK(world.status_from("192.0.2.1") == 429);
  CHECK(world.status_from("::ffff:192.0.2.1") == 429);
  CHECK(world.status_from("192.0.2.2") == 0);
  CHECK(world.status_from("2001:db8:1:2::1") == 0);
  CHECK(world.status_from("2001:db8:1:2:ffff::9") == 0);
  CHECK(world.status_from("2001:db8:1:2::3") == 429);  // a /64 is one network
  CHECK(world.status_from("2001:db8:1:3::1") == 0);
  world.clock.advance(31s);
  CHECK(world.status_from("192.0.2.1") == 0);
  CHECK(world.status_from("192.0.2.1") == 429);
  world.request.peer.door = Door::metrics;
  CHECK(world.status() == 0);
  world.request.peer = {Door::management, Transport::plain, "", 1000};
  CHECK(world.caller().kind == CallerKind::operator_);
}

TEST_CASE("credentials_are_taken_where_nobody_can_read_them", "[access]") {
  House world;
  world.sign_in();
  world.key();
  const auto key = world.request.headers["authorization"];
  world.request.peer.transport = Transport::plain;
  for (const auto& headers : {std::map<std::string, std::string>{{"authorization", key}},
                              {{"cookie", "postern=" + world.token}}}) {
    world.request.headers = headers;
    for (const auto* bad : {"192.0.2.1", "10.0.0.1", "", "localhost"})
      CHECK(world.status_from(bad) == 403);
    for (const auto* good : {"127.0.0.1", "::1"}) CHECK(world.status_from(good) == 0);
  }
}

TEST_CASE("session_ends_when_idle_and_at_its_absolute_time", "[access]") {
  House world;  // 30 minutes, 12 hours
  world.sign_in();
  for (int i = 0; i < 24; ++i) {
    world.clock.advance(30min - 1us);
    CHECK(world.status() == 0);  // the request before counted
  }
  world.clock.advance(23us);
  CHECK(world.status() == 0);
  world.clock.advance(1us);
  CHECK(world.status() == 401);

  world.token = make_secret_token(kSessionPrefix);
  world.sign_in();
  world.clock.advance(30min);
  const auto ended = world.who();
  REQUIRE_FALSE(ended);
  CHECK(ended.error().status == 401);
  Response cleared;  // or else the browser would come with it when it signs in again
  cleared.headers.emplace_back("WWW-Authenticate", "Bearer");
  clear_session_cookies(cleared, Transport::tls);
  CHECK(ended.error().headers == cleared.headers);
}

TEST_CASE("sessions_changing_requests_need_the_csrf_token", "[access]") {
  House world;
  world.sign_in();
  for (const auto method : {Method::post, Method::put, Method::patch, Method::del}) {
    world.request.method = method;
    world.request.headers = {{"cookie", "__Host-postern=" + world.token}};
    CHECK(world.status() == 403);
    world.request.headers["cookie"] += "; __Host-postern-csrf=" + csrf_token(world.token);
    CHECK(world.status() == 403);
    world.request.headers["x-csrf-token"] = csrf_token(world.token);
    CHECK(world.status() == 0);
  }
}

TEST_CASE("only_tenant_of_a_person_needs_no_name", "[access]") {
  House world;
  world.sign_in();
  CHECK_FALSE(world.caller().tenant);
  CHECK(world.caller().permissions.empty());
  world.member(world.acme, world.ann, "viewer");
  const auto caller = world.caller();
  CHECK(caller.kind == CallerKind::person);
  CHECK(caller.id == world.ann.text());
  CHECK(caller.tenant == world.acme);
  CHECK(caller.permissions == permissions_of(BuiltInRole::viewer));
  CHECK(caller.original.empty());
  CHECK(caller.sign_in == SignIn::whole);
  world.set_status(Status::suspended);
  CHECK_FALSE(world.caller().tenant);
}

TEST_CASE("member_of_two_tenants_acts_in_the_one_that_is_named", "[access]") {
  House world;
  world.sign_in();
  world.domain(world.other, "o.example");
  world.member(world.acme, world.ann, "viewer");
  world.member(world.other, world.ann, "editor", {{"o.example"}, {}});
  CHECK_FALSE(world.caller().tenant);
  CHECK(world.caller().permissions.empty());
  for (const auto& name : {std::string("other"), world.other.text()}) {
    const auto caller = world.caller_in(name);
    CHECK(caller.tenant == world.other);
    CHECK(caller.permissions == permissions_of(BuiltInRole::editor));
    CHECK(caller.narrowing.domains == std::vector<std::string>{"o.example"});
  }
  CHECK(world.caller_in("acme").narrowing.none());
}

TEST_CASE("foreign_tenant_answers_like_an_unknown_one_even_to_an_operator", "[access]") {
  House world;
  world.sign_in();
  world.member(world.acme, world.ann, "owner");
  for (int pass = 0; pass < 2; ++pass) {
    const auto unknown = world.refusal_in("none");
    CHECK(unknown.starts_with("404"));
    for (const auto& name : {std::string("other"), world.other.text(), TenantId::make().text()})
      CHECK(world.refusal_in(name) == unknown);
    world.make_operator();
  }
  CHECK(world.caller_in("acme").permissions == permissions_of(BuiltInRole::owner));
  CHECK(world.caller_in("").permissions == PermissionSet::all(Realm::platform));
  CHECK_FALSE(world.caller().tenant);
  world.set_status(Status::suspended);
  CHECK(world.refusal_in("acme") == world.refusal_in("none"));
}

TEST_CASE("connection_lets_its_person_act_for_its_time", "[access]") {
  House world;
  world.sign_in();
  auto connection = world.plain_connection(world.ann);
  connection.expires = connection.created + 20min;
  must(world.try_connection(world.other, connection));
  CHECK_FALSE(world.caller().tenant);  // a guest names where
  const auto caller = world.caller_in("other");
  CHECK(caller.tenant == world.other);
  CHECK(caller.permissions == connection.permissions);
  CHECK(caller.original == "ann@agency.example");
  CHECK(world.refusal_in("acme") == world.refusal_in("none"));
  world.clock.advance(20min - 1us);
  CHECK(world.refusal_in("other") == "let in");
  world.clock.advance(1us);
  CHECK(world.refusal_in("other") == world.refusal_in("none"));
}

TEST_CASE("person_who_may_not_sign_in_has_no_session", "[access]") {
  House world;
  world.sign_in();
  CHECK(world.status() == 0);
  for (const auto status : {PersonStatus::suspended, PersonStatus::unverified}) {
    world.about_ann(
        [=](sql::Transaction& tx, PersonId id) { return set_person_status(tx, id, status); });
    CHECK(world.status() == 401);
  }
}

TEST_CASE("sign_in_without_its_second_factor_allows_nothing", "[access]") {
  House world({.require_second_factor = true});
  world.sign_in();
  world.member(world.acme, world.ann, "owner");
  world.make_operator();
  const auto allowed_nothing = [&](SignIn state) {
    const auto caller = world.caller();
    return caller.sign_in == state && !caller.tenant && caller.permissions.empty();
  };
  CHECK(allowed_nothing(SignIn::enrolling));
  world.about_ann([](sql::Transaction& tx, PersonId id) { return set_totp(tx, id, "wrapped", 1); });
  CHECK(allowed_nothing(SignIn::half));
  world.set({});
  CHECK(allowed_nothing(SignIn::half));
  const auto session = world.who()->session->id;
  const auto now = world.clock.now();
  world.about_ann([=](sql::Transaction& tx, PersonId) {
    return set_session_verified(tx, session, Factor::totp, now);
  });
  CHECK(world.caller().sign_in == SignIn::whole);
  CHECK(world.caller().verified_at == now);
  CHECK(world.caller().permissions == PermissionSet::all(Realm::platform));
}
