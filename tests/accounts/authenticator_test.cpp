#include "accounts/authenticator.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "accounts/verified_logins.hpp"
#include "tests/accounts/world.hpp"
#include "tests/support/eventually.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;
using namespace std::chrono_literals;

namespace {

const asio::ip::address kRemote = asio::ip::make_address("192.0.2.1");

struct Acme : World {
  TenantId id = tenant("acme").id;
  Domain home = domain(id, "acme.example");
  Account user = account(id, "user@acme.example");
  PasswordPool passwords{{kSmall, 2, 16, 1 << 20}};
  Authenticator authenticator{registry, passwords, clock, {5min, 100, 5min, {}}};
  std::uint64_t cost = 0;  ///< Argon2 runs of the last login

  Result<Login> login(const std::string& name, const std::string& text) {
    const auto before = argon2_runs();
    auto outcome = run(authenticator.verify(name, text, kRemote, Protocol::imap));
    cost = argon2_runs() - before;
    return outcome;
  }
  bool refused(const std::string& name, const std::string& text) {
    const auto outcome = login(name, text);
    return !outcome && outcome.error().code == Errc::denied;
  }
  std::optional<Timestamp> last_used(CredentialId credential) {
    return must(scoped(id, [credential](sql::TenantScope& s) -> Result<std::optional<Timestamp>> {
      return find_credential(s, credential)->last_used;
    }));
  }
};

}  // namespace

TEST_CASE("login_with_the_password_gives_the_identity_for_one_run") {
  Acme world;
  const auto row = world.password(world.user, "a password");
  const auto login = must(world.login("User@ACME.example", "a password"));
  CHECK(world.cost == 1);
  CHECK(login.identity.tenant == world.id);
  CHECK(login.identity.account == world.user.id);
  CHECK(login.credential == row.id);
  CHECK(login.address == "user@acme.example");
}

TEST_CASE("refused_logins_cost_one_run_each_and_say_the_same") {
  Acme world;
  world.password(world.user, "a password");
  const auto no_password = world.account(world.id, "empty@acme.example");
  const auto wrong = world.login("user@acme.example", "not it");
  CHECK(world.cost == 1);
  REQUIRE_FALSE(wrong);
  for (const std::string& name :
       {std::string("user@acme.example"), std::string("nobody@acme.example"),
        std::string("empty@acme.example"), std::string("user@other.example"),
        std::string("no address"), std::string(), std::string(100'000, 'a')}) {
    const auto outcome = world.login(name, "not it");
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == Errc::denied);
    CHECK(outcome.error().message == wrong.error().message);
    CHECK(world.cost == 1);
  }
  CHECK(world.authenticator.cached() == 0);
  // Failures aren't remembered.
  CHECK(world.refused("user@acme.example", "not it"));
  CHECK(world.cost == 1);
}

TEST_CASE("login_with_an_overlong_password_is_refused_without_a_run") {
  Acme world;
  CHECK(world.refused("user@acme.example", std::string(kMaxPassword + 1, 'x')));
  CHECK(world.cost == 0);
  CHECK(world.refused("user@acme.example", std::string(kMaxPassword, 'x')));
  CHECK(world.cost == 1);
}

TEST_CASE("login_by_alias_or_sub_address_is_refused") {
  Acme world;
  world.password(world.user, "a password");
  world.alias(world.id, "info@acme.example", {"user@acme.example"});
  CHECK(world.refused("info@acme.example", "a password"));
  CHECK(world.refused("user+x@acme.example", "a password"));
}

TEST_CASE("login_with_an_app_password_verifies_the_one_row_of_its_selector") {
  Acme world;
  world.password(world.user, "a password");
  const auto [phone, phone_text] = world.app_password(world.user, "Phone");
  const auto [laptop, laptop_text] = world.app_password(world.user, "Laptop");
  const auto login = must(world.login("user@acme.example", laptop_text));
  CHECK(world.cost == 1);
  CHECK(login.credential == laptop.id);
  CHECK(must(world.login("user@acme.example", phone_text)).credential == phone.id);
  CHECK(world.cost == 1);
  // Right selector, wrong secret; unknown selector; another account's.
  auto wrong = phone_text;
  wrong.back() = wrong.back() == 'a' ? 'b' : 'a';
  CHECK(world.refused("user@acme.example", wrong));
  CHECK(world.cost == 1);
  CHECK(world.refused("user@acme.example", make_app_password().text));
  CHECK(world.cost == 1);
  world.account(world.id, "other@acme.example");
  CHECK(world.refused("other@acme.example", phone_text));
  CHECK(world.cost == 1);
}

TEST_CASE("repeated_login_costs_nothing_until_its_time_is_over") {
  Acme world;
  world.password(world.user, "a password");
  must(world.login("user@acme.example", "a password"));
  CHECK(world.cost == 1);
  must(world.login("USER@acme.example", "a password"));
  CHECK(world.cost == 0);
  CHECK(world.refused("user@acme.example", "another"));
  CHECK(world.cost == 1);
  world.clock.advance(5min - 1us);
  must(world.login("user@acme.example", "a password"));
  CHECK(world.cost == 0);
  world.clock.advance(1us);
  must(world.login("user@acme.example", "a password"));
  CHECK(world.cost == 1);
}

TEST_CASE("changed_password_counts_at_once") {
  Acme world;
  world.password(world.user, "a password");
  must(world.login("user@acme.example", "a password"));
  world.password(world.user, "another password");
  CHECK(world.refused("user@acme.example", "a password"));
  CHECK(world.cost == 1);
  must(world.login("user@acme.example", "another password"));
  CHECK(world.cost == 1);
  // The same text again, under a new salt, is a new hash.
  world.password(world.user, "another password");
  must(world.login("user@acme.example", "another password"));
  CHECK(world.cost == 1);
}

TEST_CASE("revoked_app_password_counts_at_once_and_leaves_the_others") {
  Acme world;
  const auto [phone, phone_text] = world.app_password(world.user, "Phone");
  const auto [laptop, laptop_text] = world.app_password(world.user, "Laptop");
  const auto phone_login = must(world.login("user@acme.example", phone_text));
  const auto laptop_login = must(world.login("user@acme.example", laptop_text));
  CHECK(must(world.run(world.authenticator.still_valid(phone_login))));
  must(world.scoped(world.id, [&, id = phone.id](sql::TenantScope& s) {
    return revoke_credential(s, world.user.id, id, world.clock.now());
  }));
  CHECK(world.refused("user@acme.example", phone_text));
  CHECK(world.cost == 1);
  must(world.login("user@acme.example", laptop_text));
  CHECK(world.cost == 0);
  CHECK_FALSE(must(world.run(world.authenticator.still_valid(phone_login))));
  CHECK(must(world.run(world.authenticator.still_valid(laptop_login))));
}

TEST_CASE("suspended_account_or_tenant_is_refused_though_remembered") {
  Acme world;
  world.password(world.user, "a password");
  const auto login = must(world.login("user@acme.example", "a password"));
  const auto account = [&](Status status) {
    must(world.scoped(world.id, [&](sql::TenantScope& s) {
      return set_account_status(s, world.user.id, status);
    }));
  };
  const auto tenant = [&](Status status) {
    must(world.change(
        [&](sql::Transaction& tx) { return set_tenant_status(tx, world.id, status); }));
  };
  account(Status::suspended);
  CHECK(world.refused("user@acme.example", "a password"));
  CHECK(world.cost == 1);
  CHECK_FALSE(must(world.run(world.authenticator.still_valid(login))));
  account(Status::active);
  CHECK(must(world.run(world.authenticator.still_valid(login))));
  tenant(Status::suspended);
  CHECK(world.refused("user@acme.example", "a password"));
  CHECK_FALSE(must(world.run(world.authenticator.still_valid(login))));
  tenant(Status::active);
  must(world.login("user@acme.example", "a password"));
}

TEST_CASE("removed_account_is_refused_though_remembered") {
  Acme world;
  world.password(world.user, "a password");
  const auto login = must(world.login("user@acme.example", "a password"));
  must(world.scoped(world.id,
                    [&](sql::TenantScope& s) { return remove_account(s, world.user.id); }));
  CHECK(world.refused("user@acme.example", "a password"));
  CHECK_FALSE(must(world.run(world.authenticator.still_valid(login))));
}

TEST_CASE("hash_is_renewed_at_login_when_the_settings_have_changed") {
  Acme world;
  const auto row = world.password(world.user, "a password", {128, 1, 1});
  CHECK(world.refused("user@acme.example", "wrong"));
  CHECK(world.cost == 1);
  must(world.login("user@acme.example", "a password"));
  CHECK(world.cost == 2);  // one to verify, one to hash anew
  const auto hash = must(world.scoped(world.id, [&](sql::TenantScope& s) -> Result<std::string> {
    return find_credential(s, row.id)->hash;
  }));
  CHECK(must(argon2_parameters(hash)) == kSmall);
  must(world.login("user@acme.example", "a password"));
  CHECK(world.cost == 0);
  world.clock.advance(5min);  // no longer remembered
  must(world.login("user@acme.example", "a password"));
  CHECK(world.cost == 1);
}

TEST_CASE("last_use_is_written_at_most_every_interval") {
  Acme world;
  const auto row = world.password(world.user, "a password");
  CHECK_FALSE(world.last_used(row.id));
  must(world.login("user@acme.example", "a password"));
  const auto first = world.clock.now();
  CHECK(world.last_used(row.id) == first);
  world.clock.advance(4min);
  must(world.login("user@acme.example", "a password"));
  CHECK(world.last_used(row.id) == first);
  world.clock.advance(1min);
  must(world.login("user@acme.example", "a password"));
  CHECK(world.last_used(row.id) == first + 5min);
}

TEST_CASE("remembered_logins_are_bounded") {
  Acme world;
  Authenticator small(world.registry, world.passwords, world.clock, {5min, 2, 5min, {}});
  for (const auto* name : {"a@acme.example", "b@acme.example", "c@acme.example"}) {
    world.password(world.account(world.id, name), "a password");
  }
  for (const auto* name : {"a@acme.example", "b@acme.example", "c@acme.example"}) {
    must(world.run(small.verify(name, "a password", kRemote, Protocol::smtp)));
  }
  CHECK(small.cached() == 2);
}

namespace {
Task<void> keep(Authenticator* authenticator, std::optional<Result<Login>>* out) {
  out->emplace(
      co_await authenticator->verify("user@acme.example", "a password", kRemote, Protocol::smtp));
}
}  // namespace

TEST_CASE("login_whose_password_changes_while_it_is_verified_is_refused") {
  Acme world;
  world.password(world.user, "a password", {128 * 1024, 4, 1});
  std::optional<Result<Login>> outcome;
  const auto before = argon2_runs();
  asio::co_spawn(world.context, keep(&world.authenticator, &outcome), asio::detached);
  REQUIRE(postern::test::eventually(world.context, [&] { return argon2_runs() > before; }));
  must(world.scoped(world.id, [&](sql::TenantScope& s) {
    return set_password(s, world.user.id, CredentialId::make(), "$argon2id$other",
                        world.clock.now());
  }));
  REQUIRE(postern::test::eventually(world.context, [&] { return outcome.has_value(); }, 30s));
  REQUIRE_FALSE(*outcome);
  CHECK(outcome->error().code == Errc::denied);
}

TEST_CASE("login_while_the_pool_is_full_is_a_temporary_failure") {
  Acme world;
  PasswordPool full({{32 * 1024, 2, 1}, 1, 1, 1 << 20});
  Authenticator authenticator(world.registry, full, world.clock, {5min, 100, 5min, {}});
  world.password(world.user, "a password", {32 * 1024, 2, 1});
  std::vector<std::optional<Result<Login>>> outcomes(8);
  for (auto& outcome : outcomes)
    asio::co_spawn(world.context, keep(&authenticator, &outcome), asio::detached);
  REQUIRE(postern::test::eventually(
      world.context,
      [&] { return std::ranges::all_of(outcomes, [](const auto& o) { return o.has_value(); }); },
      30s));
  int fine = 0;
  int overloaded = 0;
  for (const auto& outcome : outcomes) {
    if (*outcome)
      ++fine;
    else if (outcome->error().code == Errc::overloaded)
      ++overloaded;
  }
  CHECK(fine >= 1);
  CHECK(overloaded >= 1);
  CHECK(fine + overloaded == 8);
}

TEST_CASE("verified_logins_keep_parts_apart_and_differ_by_process_key") {
  VerifiedLogins one(4, 5min);
  VerifiedLogins two(4, 5min);
  CHECK(one.mac("a", "bc", "d") != one.mac("ab", "c", "d"));
  CHECK(one.mac("a", "b", "cd") != one.mac("a", "bc", "d"));
  CHECK(one.mac("a", "b", "c") == one.mac("a", "b", "c"));
  CHECK(one.mac("a", "b", "c") != two.mac("a", "b", "c"));
}

TEST_CASE("verified_login_from_the_future_counts_for_nothing") {
  VerifiedLogins logins(4, 5min);
  const auto mac = logins.mac("a", "b", "c");
  const Timestamp now = from_micros(1'000'000'000);
  logins.insert(mac, now);
  CHECK(logins.contains(mac, now));
  CHECK_FALSE(logins.contains(mac, now - 1s));
  CHECK(logins.size() == 0);
}

TEST_CASE("guessing_is_shut_out_without_a_run_whether_the_account_exists_or_not") {
  for (const std::string name : {"user@acme.example", "nobody@acme.example", "no address"}) {
    Acme world;
    world.password(world.user, "a password");
    for (int i = 0; i < 10; ++i) {
      CHECK(world.refused(name, "guess " + std::to_string(i)));
      CHECK(world.cost == 1);
    }
    for (const char* text : {"guess 11", "guess 1", "a password"}) {
      const auto outcome = world.login(name, text);
      REQUIRE_FALSE(outcome);
      CHECK(outcome.error().code == Errc::too_large);
      CHECK(world.cost == 0);
    }
    CHECK(world.authenticator.blocks().size() == 1);
    world.clock.advance(1min);
    CHECK(world.login(name, "a password").has_value() == (name == "user@acme.example"));
  }
}

TEST_CASE("remembered_login_doesnt_open_a_block") {
  Acme world;
  world.password(world.user, "a password");
  for (int i = 0; i < 10; ++i) world.refused("user@acme.example", "guess " + std::to_string(i));
  const auto elsewhere = asio::ip::make_address("198.51.100.1");
  must(world.run(
      world.authenticator.verify("user@acme.example", "a password", elsewhere, Protocol::imap)));
  CHECK(world.login("user@acme.example", "a password").error().code == Errc::too_large);
  CHECK(world.authenticator.unblock("user@acme.example") == 1);
  must(world.login("user@acme.example", "a password"));
}

TEST_CASE("right_password_of_a_suspended_account_is_no_guess") {
  Acme world;
  world.password(world.user, "a password");
  must(world.scoped(world.id, [&](sql::TenantScope& s) {
    return set_account_status(s, world.user.id, Status::suspended);
  }));
  for (int i = 0; i < 30; ++i) CHECK(world.refused("user@acme.example", "a password"));
  CHECK(world.authenticator.blocks().empty());
}
