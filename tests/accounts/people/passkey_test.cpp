#include "accounts/people/passkey.hpp"

#include "tests/accounts/people/people.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

Passkey plain(PersonId person, const std::string& id) {
  Passkey passkey;
  passkey.credential_id = id;
  passkey.person = person;
  passkey.public_key = std::string("\x00\x01key", 5);
  passkey.algorithm = -7;
  passkey.label = "Phone";
  passkey.transports = "internal,hybrid";
  passkey.backup = Backup::backed_up;
  return passkey;
}

Result<Passkey> add(PeopleWorld& world, const Passkey& passkey) {
  return world.change([passkey](sql::Transaction& tx) { return add_passkey(tx, passkey); });
}

Result<void> use(PeopleWorld& world, const std::string& id, std::uint32_t counter) {
  return world.change([=, now = world.clock.now()](sql::Transaction& tx) {
    return note_passkey_use(tx, id, {counter, Backup::eligible, now});
  });
}

Passkey read(PeopleWorld& world, const std::string& id) {
  return must(world.change([=](sql::Transaction& tx) { return find_passkey(tx, id); }));
}

}  // namespace

TEST_CASE("passkey_comes_back_as_it_was_registered", "[people]") {
  PeopleWorld world;
  const auto person = world.person("a@x.example");
  const std::string id("\x00id\xff", 4);
  must(add(world, plain(person, id)));
  const auto found = read(world, id);
  CHECK(found.person == person);
  CHECK(found.credential_id == id);
  CHECK(found.public_key == std::string("\x00\x01key", 5));
  CHECK(found.algorithm == -7);
  CHECK(found.transports == "internal,hybrid");
  CHECK(found.backup == Backup::backed_up);
  CHECK_FALSE(found.last_used);
  check_error(world.change([](sql::Transaction& tx) { return find_passkey(tx, "other"); }),
              Errc::not_found);
}

TEST_CASE("passkey_sizes_are_bounded", "[people]") {
  PeopleWorld world;
  const auto person = world.person("a@x.example");
  auto passkey = plain(person, std::string(kMaxCredentialId, 'i'));
  CHECK(add(world, passkey));
  for (const std::size_t size : {0UL, kMaxCredentialId + 1}) {
    check_error(add(world, plain(person, std::string(size, 'i'))), Errc::invalid);
  }
  passkey = plain(person, "one");
  for (const std::size_t size : {0UL, kMaxPasskeyPublic + 1}) {
    passkey.public_key = std::string(size, 'k');
    check_error(add(world, passkey), Errc::invalid);
  }
  passkey.public_key = std::string(kMaxPasskeyPublic, 'k');
  passkey.transports = std::string(kMaxTransports + 1, 't');
  check_error(add(world, passkey), Errc::invalid);
  passkey.transports.pop_back();
  CHECK(add(world, passkey));
}

TEST_CASE("passkey_that_is_registered_is_refused_for_anybody", "[people]") {
  PeopleWorld world;
  must(add(world, plain(world.person("a@x.example"), "id")));
  check_error(add(world, plain(world.person("b@x.example"), "id")), Errc::exists);
  check_error(add(world, plain(PersonId::make(), "other")), Errc::not_found);
}

TEST_CASE("twenty_first_passkey_is_refused", "[people]") {
  PeopleWorld world;
  const auto person = world.person("a@x.example");
  for (std::size_t i = 0; i < kMaxPasskeys; ++i)
    must(add(world, plain(person, "id" + std::to_string(i))));
  check_error(add(world, plain(person, "more")), Errc::too_large);
  must(world.change([=](sql::Transaction& tx) { return remove_passkey(tx, person, "id0"); }));
  CHECK(add(world, plain(person, "more")));
  CHECK(world.look([=](sql::Transaction& tx) { return list_passkeys(tx, person); }).size() ==
        kMaxPasskeys);
}

TEST_CASE("counter_of_a_passkey_must_grow_unless_it_stays_zero", "[people]") {
  PeopleWorld world;
  must(add(world, plain(world.person("a@x.example"), "id")));
  CHECK(use(world, "id", 0));
  CHECK(use(world, "id", 0));
  CHECK(use(world, "id", 5));
  check_error(use(world, "id", 5), Errc::denied);
  check_error(use(world, "id", 4), Errc::denied);
  check_error(use(world, "id", 0), Errc::denied);
  world.clock.advance(1h);
  CHECK(use(world, "id", 4'294'967'295U));
  CHECK(read(world, "id").counter == 4'294'967'295U);
  CHECK(read(world, "id").last_used == world.clock.now());
  CHECK(read(world, "id").backup == Backup::eligible);
  check_error(use(world, "other", 1), Errc::not_found);
}

TEST_CASE("passkey_is_renamed_and_removed_by_its_person_alone", "[people]") {
  PeopleWorld world;
  const auto mine = world.person("a@x.example");
  const auto theirs = world.person("b@x.example");
  must(add(world, plain(mine, "id")));
  const auto rename = [&](PersonId who, const std::string& label) {
    return world.change(
        [=](sql::Transaction& tx) { return set_passkey_label(tx, who, "id", label); });
  };
  check_error(rename(theirs, "x"), Errc::not_found);
  check_error(rename(mine, ""), Errc::invalid);
  must(rename(mine, "Key on my ring"));
  CHECK(read(world, "id").label == "Key on my ring");
  const auto remove = [&](PersonId who) {
    return world.change([=](sql::Transaction& tx) { return remove_passkey(tx, who, "id"); });
  };
  check_error(remove(theirs), Errc::not_found);
  must(remove(mine));
  check_error(remove(mine), Errc::not_found);
}
