#include "accounts/people/person.hpp"

#include "tests/accounts/people/people.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

std::optional<Timestamp> fail_once(PeopleWorld& world, PersonId id, LockOut rule = {}) {
  return must(world.change([id, rule, now = world.clock.now()](sql::Transaction& tx) {
    return note_sign_in_failure(tx, id, now, rule);
  }));
}

std::vector<std::string> digests(int count) {
  std::vector<std::string> out;
  for (int i = 0; i < count; ++i) out.push_back(digest("code " + std::to_string(i)));
  return out;
}

}  // namespace

TEST_CASE("person_is_found_by_id_and_by_any_spelling_of_the_address", "[people]") {
  PeopleWorld world;
  const auto made = must(world.try_person("Ann@BÜCHER.example", " Ann "));
  CHECK(made.email == "ann@xn--bcher-kva.example");
  CHECK(made.name == "Ann");
  const auto by_id = world.read(made.id);
  CHECK(by_id.email == made.email);
  CHECK(by_id.created == world.clock.now());
  CHECK(by_id.platform_role == PlatformRole::none);
  CHECK_FALSE(by_id.password_hash);
  CHECK_FALSE(by_id.totp_secret);
  CHECK_FALSE(by_id.last_sign_in);
  const auto by_email = must(
      world.change([](sql::Transaction& tx) { return find_person(tx, "ANN@bücher.EXAMPLE"); }));
  CHECK(by_email.id == made.id);
  check_error(world.change([](sql::Transaction& tx) { return find_person(tx, "b@x.example"); }),
              Errc::not_found);
  check_error(world.change([](sql::Transaction& tx) { return find_person(tx, "nobody"); }),
              Errc::invalid);
}

TEST_CASE("person_with_a_taken_address_or_bad_values_is_refused", "[people]") {
  PeopleWorld world;
  world.person("ann@a.example");
  check_error(world.try_person("ANN@A.example"), Errc::exists);
  check_error(world.try_person("ann"), Errc::invalid);
  check_error(world.try_person("b@a.example", "a\nb"), Errc::invalid);
  CHECK(world.try_person("c@a.example", std::string(100, 'x')));
  check_error(world.try_person("d@a.example", std::string(101, 'x')), Errc::invalid);
  NewPerson fresh;
  fresh.id = PersonId::make();
  fresh.email = "e@a.example";
  for (const std::size_t size : {0UL, kMaxPasswordHash + 1}) {
    fresh.password_hash = std::string(size, 'x');
    check_error(world.change([fresh](sql::Transaction& tx) { return add_person(tx, fresh); }),
                Errc::invalid);
  }
  fresh.password_hash = std::string(kMaxPasswordHash, 'x');
  CHECK(world.change([fresh](sql::Transaction& tx) { return add_person(tx, fresh); }));
}

TEST_CASE("people_are_listed_in_pages_by_address", "[people]") {
  PeopleWorld world;
  for (const auto* email : {"c@x.example", "a@x.example", "b@x.example"}) world.person(email);
  const auto list = [&](std::string after, std::size_t limit) {
    std::string out;
    for (const auto& p :
         world.look([=](sql::Transaction& tx) { return list_people(tx, after, limit); }))
      out += p.email[0];
    return out;
  };
  CHECK(list("", 2) == "ab");
  CHECK(list("b@x.example", 2) == "c");
  CHECK(list("c@x.example", 2).empty());
}

TEST_CASE("operators_are_listed_and_marked", "[people]") {
  PeopleWorld world;
  world.person("a@x.example");
  const auto id = world.person("b@x.example");
  must(world.change([id](sql::Transaction& tx) {
    return set_platform_role(tx, id, PlatformRole::operator_, BreakGlass::yes);
  }));
  const auto list = [&] {
    return world.look([](sql::Transaction& tx) { return list_operators(tx, "", 10); });
  };
  REQUIRE(list().size() == 1);
  CHECK(list()[0].id == id);
  CHECK(list()[0].break_glass == BreakGlass::yes);
  must(world.change([id](sql::Transaction& tx) {
    return set_platform_role(tx, id, PlatformRole::none, BreakGlass::no);
  }));
  CHECK(list().empty());
}

TEST_CASE("name_status_and_password_hash_are_changed", "[people]") {
  PeopleWorld world;
  const auto id = world.person("a@x.example");
  world.clock.advance(1h);
  const auto now = world.clock.now();
  must(world.change([=](sql::Transaction& tx) { return set_person_name(tx, id, "Ann"); }));
  must(world.change(
      [=](sql::Transaction& tx) { return set_person_status(tx, id, PersonStatus::suspended); }));
  must(world.change([=](sql::Transaction& tx) { return set_password_hash(tx, id, "one", now); }));
  auto person = world.read(id);
  CHECK(person.name == "Ann");
  CHECK(person.status == PersonStatus::suspended);
  CHECK(person.password_hash == "one");
  CHECK(person.password_changed == now);
  check_error(world.change([=](sql::Transaction& tx) {
    return replace_password_hash(tx, id, "other", "two");
  }),
              Errc::not_found);
  must(world.change(
      [=](sql::Transaction& tx) { return replace_password_hash(tx, id, "one", "two"); }));
  CHECK(world.read(id).password_hash == "two");
  const auto nobody = PersonId::make();
  check_error(world.change([=](sql::Transaction& tx) { return set_person_name(tx, nobody, "x"); }),
              Errc::not_found);
  check_error(
      world.change([=](sql::Transaction& tx) { return set_password_hash(tx, nobody, "h", now); }),
      Errc::not_found);
}

TEST_CASE("fifth_failure_locks_for_fifteen_minutes", "[people]") {
  PeopleWorld world;
  const auto id = world.person("a@x.example");
  for (int i = 0; i < 4; ++i) CHECK_FALSE(fail_once(world, id));
  CHECK(world.read(id).failed_sign_ins == 4);
  const auto until = world.clock.now() + 15min;
  CHECK(fail_once(world, id) == until);
  CHECK(world.read(id).is_locked(until - 1us));
  CHECK_FALSE(world.read(id).is_locked(until));

  // A failure while it is locked neither counts nor makes it longer.
  world.clock.advance(14min);
  CHECK(fail_once(world, id) == until);
  CHECK(world.read(id).failed_sign_ins == 0);

  // Then counting begins anew.
  world.clock.set(until);
  for (int i = 0; i < 4; ++i) CHECK_FALSE(fail_once(world, id));
  CHECK(fail_once(world, id) == until + 15min);
}

TEST_CASE("success_or_a_new_password_ends_counting_and_lock", "[people]") {
  PeopleWorld world;
  const auto id = world.person("a@x.example");
  const auto now = world.clock.now();
  for (int i = 0; i < 4; ++i) fail_once(world, id);
  must(world.change([=](sql::Transaction& tx) { return note_sign_in(tx, id, now); }));
  CHECK(world.read(id).failed_sign_ins == 0);
  CHECK(world.read(id).last_sign_in == now);
  CHECK(fail_once(world, id, {1, 1h}) == now + 1h);
  must(world.change([=](sql::Transaction& tx) { return set_password_hash(tx, id, "h", now); }));
  CHECK_FALSE(world.read(id).is_locked(now));
}

TEST_CASE("totp_step_is_accepted_once_and_never_backwards", "[people]") {
  PeopleWorld world;
  const auto id = world.person("a@x.example");
  const auto accept = [&](std::int64_t step) {
    return world.change([=](sql::Transaction& tx) { return accept_totp_step(tx, id, step); });
  };
  check_error(accept(1), Errc::denied);  // there is no secret
  must(world.change([=](sql::Transaction& tx) { return set_totp(tx, id, "wrapped", 100); }));
  CHECK(world.read(id).totp_secret == "wrapped");
  check_error(accept(99), Errc::denied);
  check_error(accept(100), Errc::denied);
  CHECK(accept(101));
  check_error(accept(101), Errc::denied);
  CHECK(accept(103));
  check_error(accept(102), Errc::denied);
  must(world.change([=](sql::Transaction& tx) { return clear_totp(tx, id); }));
  CHECK_FALSE(world.read(id).totp_secret);
  check_error(accept(104), Errc::denied);
  for (const std::size_t size : {0UL, kMaxWrappedSecret + 1}) {
    check_error(world.change([=](sql::Transaction& tx) {
      return set_totp(tx, id, std::string(size, 'x'), 1);
    }),
                Errc::invalid);
  }
}

TEST_CASE("recovery_code_is_used_once_and_by_its_person_alone", "[people]") {
  PeopleWorld world;
  const auto id = world.person("a@x.example");
  const auto other = world.person("b@x.example");
  const auto set = [&](const std::vector<std::string>& codes, const std::string& salt = "salt") {
    return world.change(
        [=](sql::Transaction& tx) { return set_recovery_codes(tx, id, salt, codes); });
  };
  const auto use = [&](PersonId who, const std::string& code) {
    return world.change([=](sql::Transaction& tx) { return use_recovery_code(tx, who, code); });
  };
  const auto left = [&] {
    return world.look([=](sql::Transaction& tx) { return count_recovery_codes(tx, id); });
  };
  must(set(digests(3)));
  CHECK(world.read(id).recovery_salt == "salt");
  check_error(use(other, digests(1)[0]), Errc::denied);
  must(use(id, digests(1)[0]));
  check_error(use(id, digests(1)[0]), Errc::denied);
  CHECK(left() == 2);
  must(set(digests(static_cast<int>(kMaxRecoveryCodes))));
  CHECK(left() == kMaxRecoveryCodes);
  check_error(set(digests(static_cast<int>(kMaxRecoveryCodes) + 1)), Errc::too_large);
  check_error(set({"short"}), Errc::invalid);
  check_error(set({digest("x"), digest("x")}), Errc::invalid);
  check_error(set(digests(1), ""), Errc::invalid);
  check_error(set(digests(1), std::string(kMaxRecoverySalt + 1, 's')), Errc::invalid);
  CHECK(left() == kMaxRecoveryCodes);  // what was refused changed nothing
  must(set({}));
  CHECK(left() == 0);
  CHECK(world.read(id).recovery_salt.empty());
}

TEST_CASE("removed_person_leaves_nothing_behind", "[people]") {
  PeopleWorld world;
  const auto tenant = world.tenant("acme").id;
  const auto owner = world.person("owner@x.example");
  const auto id = world.person("a@x.example");
  world.member(tenant, owner, "owner");
  world.member(tenant, id, "admin");
  must(world.try_session(id, "token"));
  must(world.change(
      [=](sql::Transaction& tx) { return set_recovery_codes(tx, id, "salt", digests(2)); }));
  Passkey passkey;
  passkey.credential_id = "credential";
  passkey.person = id;
  passkey.public_key = "key";
  passkey.label = "Phone";
  must(world.change([=](sql::Transaction& tx) { return add_passkey(tx, passkey); }));
  must(world.try_token("reset", world.plain_token(TokenKind::password_reset, "a@x.example")));
  const auto connection =
      must(world.try_connection(world.tenant("client").id, world.plain_connection(id)));

  must(world.change([=](sql::Transaction& tx) { return remove_person(tx, id); }));
  check_error(world.change([=](sql::Transaction& tx) { return find_person(tx, id); }),
              Errc::not_found);
  check_error(world.read_member(tenant, id), Errc::not_found);
  CHECK(world.look([=](sql::Transaction& tx) { return list_memberships(tx, id, {}, 9); }).empty());
  CHECK(world.look([=](sql::Transaction& tx) { return count_recovery_codes(tx, id); }) == 0);
  CHECK(world.look([=](sql::Transaction& tx) { return list_passkeys(tx, id); }).empty());
  CHECK(
      world
          .look([=](sql::Transaction& tx) { return list_connections_of(tx, "a@x.example", {}, 9); })
          .empty());
  check_error(world.consume("reset", TokenKind::password_reset), Errc::not_found);
  check_error(world.change([now = world.clock.now()](sql::Transaction& tx) {
    return find_session(tx, digest("token"), now);
  }),
              Errc::not_found);
  check_error(world.change([=](sql::Transaction& tx) { return remove_person(tx, id); }),
              Errc::not_found);
  CHECK(connection.grantee == "a@x.example");
}

TEST_CASE("last_owner_of_a_tenant_is_not_removed_as_a_person", "[people]") {
  PeopleWorld world;
  const auto tenant = world.tenant("acme").id;
  const auto first = world.person("a@x.example");
  const auto second = world.person("b@x.example");
  world.member(tenant, first, "owner");
  world.member(tenant, second, "viewer");
  const auto remove = [&] {
    return world.change([=](sql::Transaction& tx) { return remove_person(tx, first); });
  };
  check_error(remove(), Errc::denied);
  CHECK(world.read_member(tenant, first));
  must(world.scoped(tenant, [=](sql::TenantScope& s) { return make_owner(s, second); }));
  must(remove());
  CHECK(must(world.read_member(tenant, second)).owner);
}
