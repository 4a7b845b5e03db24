#include "accounts/login_trail.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "accounts/audit/query.hpp"
#include "core/metrics.hpp"
#include "tests/accounts/world.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;
using namespace std::chrono_literals;
using audit::Entry;
using audit::Outcome;

namespace {

const asio::ip::address kHome = asio::ip::make_address("192.0.2.1");
const asio::ip::address kTrain = asio::ip::make_address("2001:db8:1:2::3");
constexpr const char* kRight = "a right password";

AuthenticatorOptions with_trail(const audit::Chain& chain) {
  AuthenticatorOptions options;
  options.limits.guesses = 3;
  options.limits.network_guesses = 5;
  options.limits.refusals_recorded = 10;
  options.trail = &chain;
  return options;
}

struct Office : World {
  audit::Chain chain{std::string(32, 'k')};
  TenantId id = tenant("acme").id;
  Domain home = domain(id, "acme.example");
  Account user = account(id, "user@acme.example");
  Credential credential = password(user, kRight);
  PasswordPool passwords{{kSmall, 2, 16, 1 << 20}};
  Authenticator authenticator{registry, passwords, clock, with_trail(chain)};

  Result<Login> login(const std::string& name, const std::string& text,
                      const asio::ip::address& from = kHome, Protocol protocol = Protocol::imap) {
    return run(authenticator.verify(name, text, from, protocol));
  }
  std::vector<Entry> records(TenantId of) {
    return must(scoped(of, [](sql::TenantScope& scope) -> Result<std::vector<Entry>> {
      return audit::list(scope, {"login."}, std::nullopt, audit::kMaxPage).entries;
    }));
  }
  std::vector<Entry> tenants() { return records(id); }
  std::vector<Entry> platforms() { return records(TenantId{}); }
};

/// Closures that control.db committed.
double committed() {
  constexpr std::string_view kSum = "postern_sql_batch_closures_sum{file=\"control.db\"} ";
  const auto text = metrics::render();
  const auto at = text.find(kSum);
  REQUIRE(at != std::string::npos);
  return std::stod(text.substr(at + kSum.size()));
}

}  // namespace

TEST_CASE("login_from_a_network_is_on_record_once_in_a_while") {
  Office office;
  must(office.login("User@ACME.example", kRight));
  auto records = office.tenants();
  REQUIRE(records.size() == 1);
  const auto& record = records.front().record;
  CHECK(record.action == "login.attempt");
  CHECK(record.outcome == Outcome::success);
  CHECK(record.actor_kind == audit::ActorKind::account);
  CHECK(record.actor_id == office.user.id.text());
  CHECK(record.actor == "user@acme.example");
  CHECK(record.door == audit::Door::imap);
  CHECK(record.address == "192.0.2.1");
  CHECK(record.target == "account:user@acme.example");
  CHECK(record.details == fmt::format(R"({{"credential":"{}"}})", office.credential.id.text()));
  CHECK(record.at == office.clock.now());

  must(office.login("user@acme.example", kRight));
  CHECK(office.tenants().size() == 1);
  must(office.login("user@acme.example", kRight, kTrain, Protocol::smtp));
  records = office.tenants();
  REQUIRE(records.size() == 2);
  CHECK(records.front().record.door == audit::Door::smtp);

  office.clock.advance(24h - 1us);
  must(office.login("user@acme.example", kRight));
  CHECK(office.tenants().size() == 2);
  office.clock.advance(1us);
  must(office.login("user@acme.example", kRight));
  CHECK(office.tenants().size() == 3);
  CHECK(office.platforms().empty());
}

TEST_CASE("wrong_password_is_on_record_once_and_without_what_was_guessed") {
  Office office;
  CHECK_FALSE(office.login("user@acme.example", "summer-of-69"));
  CHECK_FALSE(office.login("user@acme.example", "summer-of-69"));
  auto records = office.tenants();
  REQUIRE(records.size() == 1);
  CHECK(records.front().record.outcome == Outcome::failure);
  CHECK(records.front().record.actor.empty());
  CHECK(records.front().record.target == "account:user@acme.example");
  CHECK(records.front().record.details == R"({"why":"wrong password"})");
  CHECK_FALSE(office.login("user@acme.example", "summer-of-70"));
  CHECK(office.tenants().size() == 2);
}

TEST_CASE("name_that_nobody_has_is_on_record_with_the_platform_at_the_same_cost") {
  Office office;
  auto before = committed();
  CHECK_FALSE(office.login("user@acme.example", "wrong"));
  const auto known = committed() - before;
  before = committed();
  CHECK_FALSE(office.login("nobody@acme.example", "wrong"));
  CHECK(committed() - before == known);
  before = committed();
  CHECK_FALSE(office.login("no address", "wrong"));
  CHECK(committed() - before == known);
  const auto records = office.platforms();
  REQUIRE(records.size() == 2);
  CHECK(records.back().record.target == "login:nobody@acme.example");
  CHECK(records.front().record.target == "login:no address");
  CHECK(office.tenants().size() == 1);
}

TEST_CASE("blocks_are_on_record_where_they_belong") {
  Office office;
  for (int i = 0; i < 3; ++i) office.login("user@acme.example", fmt::format("guess {}", i));
  CHECK(office.login("user@acme.example", kRight).error().code == Errc::too_large);
  auto records = office.tenants();  // three guesses and the block
  REQUIRE(records.size() == 4);
  CHECK(records.front().record.action == "login.block");
  CHECK(records.front().record.outcome == Outcome::denied);
  CHECK(records.front().record.details == R"({"network":"192.0.2.1"})");
  CHECK(office.platforms().empty());
  // The network's fifth, by another name.
  office.login("other@acme.example", "guess");
  office.login("third@acme.example", "guess");
  const auto platform = office.platforms();
  const auto block = std::ranges::find(platform, "login.block",
                                       [](const Entry& entry) { return entry.record.action; });
  REQUIRE(block != platform.end());
  CHECK(block->record.target == "network:192.0.2.1");
  CHECK(office.tenants().size() == 4);
}

TEST_CASE("refused_logins_beyond_the_limit_of_a_minute_are_not_on_record") {
  Office office;
  const auto refuse = [&office](int number) {
    const auto from = asio::ip::address_v4(0xC6336400U + static_cast<unsigned>(number));
    CHECK_FALSE(office.login("user@acme.example", fmt::format("guess {}", number), from));
  };
  for (int i = 0; i < 12; ++i) refuse(i);
  CHECK(office.tenants().size() == 10);
  office.clock.advance(1min);
  refuse(12);
  CHECK(office.tenants().size() == 11);
}

TEST_CASE("block_is_on_record_whatever_the_limit_of_a_minute") {
  Office office;
  for (unsigned i = 0; i < 10; ++i) {
    const auto from = asio::ip::address_v4(0xC6336400U + i);
    CHECK_FALSE(office.login("user@acme.example", "a guess", from));
  }
  REQUIRE(office.tenants().size() == 10);
  for (int i = 0; i < 3; ++i)
    CHECK_FALSE(office.login("user@acme.example", fmt::format("other {}", i), kTrain));
  const auto entries = office.tenants();
  REQUIRE(entries.size() == 12);
  CHECK(entries[0].record.action == "login.block");
  CHECK(entries[1].record.action == "login.attempt");
}

TEST_CASE("suspension_and_its_end_are_on_record_whatever_was_before") {
  Office office;
  const auto set = [&office](Status status) {
    must(office.scoped(office.id, [id = office.user.id, status](sql::TenantScope& scope) {
      return set_account_status(scope, id, status);
    }));
  };
  must(office.login("user@acme.example", kRight));
  set(Status::suspended);
  CHECK_FALSE(office.login("user@acme.example", kRight));
  REQUIRE(office.tenants().size() == 2);
  CHECK(office.tenants().front().record.outcome == Outcome::denied);
}

TEST_CASE("first_login_after_a_suspension_is_on_record") {
  Office office;
  const auto set = [&office](Status status) {
    must(office.scoped(office.id, [id = office.user.id, status](sql::TenantScope& scope) {
      return set_account_status(scope, id, status);
    }));
  };
  set(Status::suspended);
  CHECK_FALSE(office.login("user@acme.example", kRight));
  set(Status::active);
  must(office.login("user@acme.example", kRight));
  REQUIRE(office.tenants().size() == 2);
  CHECK(office.tenants().front().record.outcome == Outcome::success);
}

TEST_CASE("login_to_a_suspended_account_is_on_record_as_denied_and_not_at_every_try") {
  Office office;
  must(office.scoped(office.id, [id = office.user.id](sql::TenantScope& scope) {
    return set_account_status(scope, id, Status::suspended);
  }));
  for (int i = 0; i < 3; ++i) CHECK_FALSE(office.login("user@acme.example", kRight));
  const auto records = office.tenants();
  REQUIRE(records.size() == 1);
  CHECK(records.front().record.outcome == Outcome::denied);
  CHECK(records.front().record.details == R"({"why":"suspended"})");
}

TEST_CASE("trail_that_takes_nothing_stops_no_login") {
  Office office;
  must(office.login("user@acme.example", kRight));
  office.clock.advance(1h);
  const audit::Chain other{std::string(32, 'x')};  // to which the chains look forged
  Authenticator authenticator(office.registry, office.passwords, office.clock, with_trail(other));
  must(office.run(authenticator.verify("user@acme.example", kRight, kTrain, Protocol::imap)));
  const auto used = must(office.scoped(
      office.id,
      [id = office.credential.id](sql::TenantScope& scope) -> Result<std::optional<Credential>> {
        return find_credential(scope, id);
      }));
  REQUIRE(used);
  CHECK(used->last_used == office.clock.now());
  const auto wrong =
      office.run(authenticator.verify("user@acme.example", "wrong", kTrain, Protocol::imap));
  CHECK(wrong.error().code == Errc::denied);
  CHECK(office.tenants().size() == 1);
}
