#include "accounts/people/narrowing.hpp"

#include "tests/accounts/people/people.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

struct Narrowed : PeopleWorld {
  TenantId acme = tenant("acme").id;
  PersonId ann = person("ann@x.example");

  Narrowed() {
    domain(acme, "a.example");
    domain(acme, "b.example");
  }
  Narrowing of_ann() { return must(read_member(acme, ann)).narrowing; }
  Narrowing of_key(ApiKeyId id) {
    return must(scoped(acme, [id](sql::TenantScope& s) { return find_api_key(s, id); })).narrowing;
  }
  Result<void> narrow(const Narrowing& narrowing) {
    return scoped(
        acme, [=, this](sql::TenantScope& s) { return set_member_narrowing(s, ann, narrowing); });
  }
  void drop_domain(const std::string& name) {
    must(change([name](sql::Transaction& tx) { return remove_domain(tx, name); }));
  }
  void drop_account(const Account& account) {
    must(scoped(acme, [id = account.id](sql::TenantScope& s) { return remove_account(s, id); }));
  }
};

}  // namespace

TEST_CASE("narrowing_is_stored_in_canonical_form", "[people]") {
  Narrowed world;
  world.account(world.acme, "user@a.example");
  world.account(world.acme, "\"a,b\"@a.example");
  const auto made = world.member(
      world.acme, world.ann, "editor",
      {{"B.EXAMPLE", "a.example", "b.example"}, {"USER@a.example", "\"a,b\"@a.example"}});
  const Narrowing wanted{{"a.example", "b.example"}, {"\"a,b\"@a.example", "user@a.example"}};
  CHECK(made.narrowing.domains == wanted.domains);
  CHECK(made.narrowing.accounts == wanted.accounts);
  CHECK(world.of_ann().domains == wanted.domains);
  CHECK(world.of_ann().accounts == wanted.accounts);
}

TEST_CASE("narrowing_names_only_what_is_the_tenants", "[people]") {
  Narrowed world;
  const auto other = world.tenant("other").id;
  world.domain(other, "other.example");
  world.account(other, "user@other.example");
  world.alias(world.acme, "info@a.example",
              {world.account(world.acme, "user@a.example").address.text()});
  world.member(world.acme, world.ann, "editor");
  check_error(world.narrow({{"other.example"}, {}}), Errc::not_found);
  check_error(world.narrow({{"none.example"}, {}}), Errc::not_found);
  check_error(world.narrow({{"a.example\nb.example"}, {}}), Errc::invalid);
  check_error(world.narrow({{}, {"user@other.example"}}), Errc::not_found);
  check_error(world.narrow({{}, {"info@a.example"}}), Errc::not_found);
  check_error(world.narrow({{}, {"user+detail@a.example"}}), Errc::not_found);
  check_error(world.narrow({{}, {"-"}}), Errc::invalid);
  CHECK(world.narrow({std::vector<std::string>(kMaxNarrowed, "a.example"), {}}));
  check_error(
      world.narrow({std::vector<std::string>(kMaxNarrowed, "a.example"), {"user@a.example"}}),
      Errc::too_large);
}

TEST_CASE("removed_domain_goes_out_of_narrowings_that_keep_others", "[people]") {
  Narrowed world;
  world.member(world.acme, world.ann, "editor", {{"a.example", "b.example"}, {}});
  world.drop_domain("a.example");
  CHECK(world.of_ann().domains == std::vector<std::string>{"b.example"});
}

TEST_CASE("narrowing_whose_last_name_went_reaches_nothing", "[people]") {
  Narrowed world;
  const auto account = world.account(world.acme, "user@b.example");
  auto key = world.plain_key();
  key.narrowing = {{"a.example"}, {}};
  must(world.try_key(world.acme, "secret", key));
  world.member(world.acme, world.ann, "editor", {{}, {"user@b.example"}});

  world.drop_domain("a.example");
  world.drop_account(account);
  for (const auto& narrowing : {world.of_ann(), world.of_key(key.id)}) {
    CHECK_FALSE(narrowing.none());
    CHECK(reaches_nothing(narrowing));
    CHECK_FALSE(narrowing.reaches_domain("a.example"));
    CHECK_FALSE(narrowing.reaches_domain("b.example"));
    CHECK_FALSE(narrowing.reaches_account("user@b.example"));
    CHECK_FALSE(narrowing.reaches_account("user@a.example"));
  }
  // The same names, come back, are not what was meant.
  world.domain(world.acme, "a.example");
  world.account(world.acme, "user@b.example");
  CHECK_FALSE(world.of_key(key.id).reaches_domain("a.example"));
  CHECK_FALSE(world.of_ann().reaches_account("user@b.example"));
}

TEST_CASE("narrowing_that_reaches_nothing_is_kept_or_replaced_but_never_lifted_by_itself",
          "[people]") {
  Narrowed world;
  world.member(world.acme, world.ann, "editor", {{"a.example"}, {}});
  world.drop_domain("a.example");
  must(world.narrow(world.of_ann()));
  CHECK(reaches_nothing(world.of_ann()));
  must(world.narrow({{std::string(kReachesNothing), "b.example"}, {}}));
  CHECK(world.of_ann().domains == std::vector<std::string>{"b.example"});
  must(world.narrow({}));
  CHECK(world.of_ann().none());
}

TEST_CASE("removed_name_leaves_wider_callers_and_other_tenants_alone", "[people]") {
  Narrowed world;
  const auto other = world.tenant("other").id;
  world.domain(other, "other.example");
  const auto bob = world.person("bob@x.example");
  world.member(other, bob, "editor", {{"other.example"}, {}});
  world.member(world.acme, world.ann, "editor");
  world.drop_domain("a.example");
  CHECK(world.of_ann().none());
  CHECK(must(world.read_member(other, bob)).narrowing.domains ==
        std::vector<std::string>{"other.example"});
}
