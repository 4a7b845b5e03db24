// What a sign-in costs and answers must not tell whether there is such a person: the same number of
// Argon2 runs, of transactions, and the same answer, whoever is named.
#include <fmt/format.h>

#include <algorithm>

#include "accounts/factors/one_time_token.hpp"
#include "accounts/password.hpp"
#include "accounts/people/member.hpp"
#include "accounts/people/person.hpp"
#include "core/metrics.hpp"
#include "tests/security/tenancy.hpp"
#include "web/access/person_caller.hpp"

using namespace postern;
using namespace postern::test;
using web::Method;

namespace {

constexpr const char* kClerk = "clerk@alpha.example";
constexpr const char* kPassword = "Kestrel-Umbrella-41-Quartz";

/// Closures that control.db committed, from the metrics: a batch may hold several.
double committed() {
  constexpr std::string_view kSum = "postern_sql_batch_closures_sum{file=\"control.db\"} ";
  const auto text = metrics::render();
  const auto at = text.find(kSum);
  REQUIRE(at != std::string::npos);
  return std::stod(text.substr(at + kSum.size()));
}

struct Cost {
  std::uint64_t argon2 = 0;
  double written = 0;
  std::string answer;
};

struct Scene {
  House house;
  Tenancy alpha = make_tenancy(house, "alpha", make_agency(house));

  Scene() {
    const auto clerk = sign_in_by_mail(house, "clerk@alpha.example");
    house.done(Method::post, "/v1/me/password", clerk, {{"password", kPassword}});
  }
  web::Response sign_in(const std::string& email, const std::string& password) {
    return house.call(Method::post, "/v1/session", kNobody,
                      {{"email", email}, {"password", password}});
  }
  Cost cost_of(const std::string& email, const std::string& password) {
    const auto argon2 = accounts::argon2_runs();
    const auto written = committed();
    const auto response = sign_in(email, password);
    auto headers = response.headers;
    std::ranges::sort(headers);
    auto answer = fmt::format("{} {} {}", response.status, response.content_type, response.body);
    for (const auto& [name, value] : headers) answer += "\n" + name + ": " + value;
    return {accounts::argon2_runs() - argon2, committed() - written, answer};
  }
};

void check_same(const Cost& one, const Cost& other) {
  CHECK(one.argon2 == other.argon2);
  CHECK(one.written == other.written);
  CHECK(one.answer == other.answer);
}

}  // namespace

TEST_CASE("sign_in_costs_and_answers_the_same_whether_or_not_there_is_such_a_person", "[cost]") {
  Scene scene;
  REQUIRE(scene.sign_in("clerk@alpha.example", kPassword).status == 201);
  const auto wrong = scene.cost_of("clerk@alpha.example", "wrong");
  CHECK(wrong.argon2 == 1);
  CHECK(wrong.written == 1);
  CHECK(wrong.answer.starts_with("401"));
  SECTION("nobody of that name") {
    check_same(wrong, scene.cost_of("nobody@alpha.example", "wrong"));
    check_same(wrong, scene.cost_of("nobody@nowhere.example", "wrong"));
  }
  SECTION("no address at all") { check_same(wrong, scene.cost_of("nobody", "wrong")); }
  SECTION("a person without a password") {
    check_same(wrong, scene.cost_of("owner@alpha.example", "wrong"));
  }
  SECTION("a person who is locked, even with the right password") {
    for (int i = 0; i < 4; ++i) (void)scene.sign_in("clerk@alpha.example", fmt::format("w{}", i));
    check_same(wrong, scene.cost_of("clerk@alpha.example", "wrong"));
    check_same(wrong, scene.cost_of("clerk@alpha.example", kPassword));
    scene.house.clock.advance(std::chrono::minutes(15));
    CHECK(scene.sign_in("clerk@alpha.example", kPassword).status == 201);
  }
}

TEST_CASE("too_many_wrong_passwords_shut_out_names_that_are_there_and_others_alike", "[cost]") {
  Scene scene;
  std::vector<std::string> ends;
  for (const auto* email : {"clerk@alpha.example", "nobody@alpha.example"}) {
    Cost last;
    for (int i = 0; i < 11; ++i) last = scene.cost_of(email, fmt::format("wrong{}", i));
    CHECK(last.argon2 == 0);
    CHECK(last.written == 0);
    CHECK(last.answer.starts_with("429"));
    ends.push_back(last.answer);
  }
  CHECK(ends[0] == ends[1]);
}

TEST_CASE("cookie_that_is_no_session_lifts_no_limit_of_strangers", "[cost]") {
  const auto unknown = accounts::make_secret_token(web::kSessionPrefix);
  auto forged = with_session(unknown);
  forged.csrf = Credential::Csrf::left_out;
  for (const auto& nothing : {with_session("nonsense"), with_session(unknown), forged}) {
    Scene scene;
    scene.house.settings.web.address_requests = 3;
    scene.house.make_services();
    for (const auto status : {401U, 401U, 401U, 429U, 429U}) {
      const auto response = scene.house.call(Method::post, "/v1/session", nothing,
                                             {{"email", "a@b.example"}, {"password", "wrong"}});
      CHECK(response.status == status);
    }
  }
}

TEST_CASE("trail_that_takes_nothing_tells_nobody_and_lets_nobody_guess_on", "[cost]") {
  Scene scene;
  REQUIRE(scene.sign_in("clerk@alpha.example", kPassword).status == 201);
  must(scene.house.run(
      scene.house.parts->registry->note<void>([](sql::Transaction& tx) -> Result<void> {
        const auto person = must(accounts::find_person(tx, kClerk));
        const auto tenants = accounts::list_memberships(tx, person.id, TenantId{}, 2);
        sql::TenantScope scope(tx, tenants.at(0));
        scope.prepare("UPDATE audit_heads SET head_mac = x'00' WHERE tenant_id = :tenant").run();
        return {};
      })));
  const auto wrong = scene.sign_in("clerk@alpha.example", "wrong");
  CHECK(wrong.status == 401);
  CHECK(wrong.body == scene.sign_in("nobody@alpha.example", "wrong").body);
  for (int i = 0; i < 4; ++i) (void)scene.sign_in("clerk@alpha.example", fmt::format("w{}", i));
  const auto person = must(scene.house.run(scene.house.parts->registry->read<accounts::Person>(
      [](sql::Transaction& tx) { return accounts::find_person(tx, kClerk); })));
  CHECK(person.is_locked(scene.house.clock.now()));
}

TEST_CASE("asking_for_mail_answers_the_same_and_runs_no_argon2", "[cost]") {
  Scene scene;
  const auto argon2 = accounts::argon2_runs();
  for (const auto* path : {"/v1/session/link", "/v1/session/code", "/v1/password-reset"}) {
    const auto answer = [&](const char* email) {
      const auto response = scene.house.call(Method::post, path, kNobody, {{"email", email}});
      return fmt::format("{} {}", response.status, response.body);
    };
    INFO(path);
    CHECK(answer("clerk@alpha.example") == answer("nobody@alpha.example"));
  }
  CHECK(accounts::argon2_runs() == argon2);
}

TEST_CASE("api_keys_and_sessions_never_run_argon2", "[cost]") {
  Scene scene;
  const auto argon2 = accounts::argon2_runs();
  auto wrong = scene.alpha.key;
  wrong.secret.back() = wrong.secret.back() == 'A' ? 'B' : 'A';
  CHECK(scene.house.call(Method::get, "/v1/people", scene.alpha.key).status == 200);
  CHECK(scene.house.call(Method::get, "/v1/people", wrong).status == 401);
  CHECK(scene.house.call(Method::get, "/v1/people", with_key("pst_key_x")).status == 401);
  CHECK(scene.house.call(Method::get, "/v1/people", scene.alpha.owner).status == 200);
  CHECK(accounts::argon2_runs() == argon2);
}
