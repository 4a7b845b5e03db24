#include "accounts/credentials.hpp"

#include <set>

#include "tests/accounts/world.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {
struct Acme : World {
  TenantId id = tenant("acme").id;
  Domain home = domain(id, "acme.example");
  Account user = account(id, "user@acme.example");
  Account other = account(id, "other@acme.example");

  std::vector<Credential> list(AccountId account) {
    return must(scoped(id, [account](sql::TenantScope& s) -> Result<std::vector<Credential>> {
      return list_credentials(s, account, 1000);
    }));
  }
};
}  // namespace

TEST_CASE("app_password_text_carries_its_selector") {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const auto made = make_app_password();
    CHECK(made.text.size() == 42);
    CHECK(made.text.starts_with("ppw-" + made.selector + "-"));
    CHECK(app_password_selector(made.text) == made.selector);
    CHECK(seen.insert(made.text).second);
  }
}

TEST_CASE("app_password_is_recognised_in_upper_case_and_with_space_around") {
  const std::string text = "ppw-abcdefgh-ijkmn-pqrst-uvwxy-z2345-6789a";
  CHECK(app_password_selector(text) == "abcdefgh");
  CHECK(app_password_selector(" PPW-ABCDEFGH-ijkmn-pqrst-uvwxy-z2345-6789a\n") == "abcdefgh");
  CHECK(canonical_secret(" PPW-ABCDEFGH-ijkmn-pqrst-uvwxy-z2345-6789a\n") == text);
}

TEST_CASE("text_in_any_other_form_is_no_app_password") {
  for (const std::string& text :
       {std::string(), std::string("ppw-"), std::string("ppw-abcdefgh"),
        std::string("ppw-abcdefgh-"), std::string("ppw-abcdefgh-ijkmn-pqrst-uvwxy-z2345"),
        std::string("ppw-abcdefgh-ijkmn-pqrst-uvwxy-z2345-6789"),
        std::string("ppw-abcdefgh-ijkmn-pqrst-uvwxy-z2345-6789ab"),
        std::string("ppw-abcdefgl-ijkmn-pqrst-uvwxy-z2345-6789a"),  // l is not in the alphabet
        std::string("ppw-abcdefg-hijkmn-pqrst-uvwxy-z2345-6789a"),
        std::string("ppx-abcdefgh-ijkmn-pqrst-uvwxy-z2345-6789a"),
        std::string("ppw-abcdefgh-ijkmn-pqrst-uvwxy-z2345x6789a"), std::string(10'000, 'a')}) {
    CHECK_FALSE(app_password_selector(text));
    CHECK(canonical_secret(text) == text);
  }
}

TEST_CASE("password_policy_is_kept_at_each_limit") {
  CHECK_FALSE(check_password(std::string(7, 'x')));
  CHECK(check_password(std::string(8, 'x')));
  CHECK(check_password(std::string(512, 'x')));
  CHECK_FALSE(check_password(std::string(513, 'x')));
  CHECK(check_password("pässwörter"));
  CHECK_FALSE(check_password("bad\xff utf-8"));
  CHECK_FALSE(check_password(std::string("with\0zero", 9)));
  CHECK_FALSE(check_password("two\nlines"));
  CHECK_FALSE(check_password("ppw-anything"));
  CHECK_FALSE(check_password(" PPW-anything"));
  CHECK(check_password(make_password()));
  CHECK(make_password() != make_password());
}

TEST_CASE("password_is_replaced_by_a_new_row") {
  Acme world;
  const auto first = world.password(world.user, "first password");
  const auto second = world.password(world.user, "second password");
  CHECK(first.id != second.id);
  REQUIRE(world.list(world.user.id).size() == 1);
  CHECK(world.list(world.user.id)[0].id == second.id);
  CHECK(world.list(world.other.id).empty());
}

TEST_CASE("app_passwords_are_listed_with_label_and_revocation") {
  Acme world;
  const auto [phone, text] = world.app_password(world.user, "Phone");
  world.clock.advance(std::chrono::hours(1));
  world.app_password(world.user, "Laptop");
  auto rows = world.list(world.user.id);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].label == "Laptop");
  CHECK(rows[1].label == "Phone");
  CHECK(rows[1].selector == phone.selector);
  CHECK_FALSE(rows[1].revoked);
  CHECK_FALSE(rows[1].last_used);

  const auto revoke = [&](AccountId account) {
    return world.scoped(world.id, [&, account](sql::TenantScope& s) {
      return revoke_credential(s, account, phone.id, world.clock.now());
    });
  };
  CHECK_FALSE(revoke(world.other.id));  // another account's
  must(revoke(world.user.id));
  CHECK_FALSE(revoke(world.user.id));
  rows = world.list(world.user.id);
  CHECK(rows[1].revoked == world.clock.now());
  CHECK_FALSE(must(world.scoped(world.id, [&](sql::TenantScope& s) -> Result<bool> {
    return find_app_password(s, world.user.id, phone.selector).has_value();
  })));
}

TEST_CASE("app_password_that_can_not_be_is_refused") {
  Acme world;
  const auto add = [&](AccountId account, std::string selector, std::string label) {
    const NewAppPassword fresh{CredentialId::make(), account, selector, label, "hash",
                               world.clock.now()};
    const auto result =
        world.scoped(world.id, [fresh](sql::TenantScope& s) { return add_app_password(s, fresh); });
    return result ? Errc::cancelled : result.error().code;
  };
  CHECK(add(AccountId::make(), "aaaaaaaa", "x") == Errc::not_found);
  CHECK(add(world.user.id, "aaaaaaaa", "") == Errc::invalid);
  CHECK(add(world.user.id, "aaaaaaaa", "x") == Errc::cancelled);
  CHECK(add(world.other.id, "aaaaaaaa", "x") == Errc::exists);
}

TEST_CASE("app_passwords_of_an_account_are_bounded") {
  Acme world;
  const auto add = [&] {
    const NewAppPassword fresh{
        CredentialId::make(), world.user.id, make_app_password().selector, "x", "hash",
        world.clock.now()};
    return world.scoped(world.id,
                        [fresh](sql::TenantScope& s) { return add_app_password(s, fresh); });
  };
  for (std::size_t i = 0; i < kMaxAppPasswords; ++i) must(add());
  const auto more = add();
  REQUIRE_FALSE(more);
  CHECK(more.error().code == Errc::too_large);
  must(world.scoped(world.id, [&, id = world.list(world.user.id)[0].id](sql::TenantScope& s) {
    return revoke_credential(s, world.user.id, id, world.clock.now());
  }));
  must(add());
  // Rows revoked long ago go when a new one comes.
  world.clock.advance(std::chrono::hours(24 * 91));
  must(world.scoped(world.id, [&, id = world.list(world.user.id)[0].id](sql::TenantScope& s) {
    return revoke_credential(s, world.user.id, id, world.clock.now());
  }));
  must(add());
  CHECK(world.list(world.user.id).size() == kMaxAppPasswords + 1);
}

TEST_CASE("hash_is_replaced_only_if_it_is_still_the_old_one") {
  Acme world;
  const auto row = world.password(world.user, "a password");
  const auto replace = [&](std::string before, std::string after) {
    return world.scoped(
        world.id, [=](sql::TenantScope& s) { return replace_hash(s, row.id, before, after); });
  };
  CHECK_FALSE(replace("another", "new"));
  must(replace(row.hash, "new"));
  CHECK_FALSE(replace(row.hash, "newer"));
  CHECK(world.list(world.user.id)[0].hash == "new");
}
