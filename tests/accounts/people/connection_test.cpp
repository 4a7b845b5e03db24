#include "accounts/people/connection.hpp"

#include "tests/accounts/people/people.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

constexpr const char* kAnn = "ann@agency.example";

struct Agency : PeopleWorld {
  TenantId acme = tenant("acme").id;
  PersonId ann = person(kAnn);

  Result<Connection> open(ConnectionId id, const std::string& who = kAnn) {
    return scoped(acme, [=, now = clock.now()](sql::TenantScope& s) {
      return open_connection(s, id, who, now);
    });
  }
  Result<void> revoke(ConnectionId id) {
    return scoped(acme, [=, now = clock.now()](sql::TenantScope& s) {
      return revoke_connection(s, id, now);
    });
  }
  std::vector<Connection> list(ConnectionId after, std::size_t limit) {
    return look(acme, [=](sql::TenantScope& s) { return list_connections(s, after, limit); });
  }
  std::vector<ConnectionPlace> places(const ConnectionPlace& after, std::size_t limit) {
    return look([=](sql::Transaction& tx) { return list_connections_of(tx, kAnn, after, limit); });
  }
};

}  // namespace

TEST_CASE("connection_opens_for_its_person_until_it_ends", "[people]") {
  Agency world;
  const auto made = must(world.try_connection(world.acme, world.plain_connection(world.ann)));
  const auto found = must(world.open(made.id));
  CHECK(found.permissions == permissions("domain.read,queue.read"));
  CHECK(found.reason == made.reason);
  CHECK(found.granted_by == "owner");
  CHECK(found.created == made.created);
  check_error(world.open(made.id, "bob@x.example"), Errc::not_found);
  check_error(world.open(ConnectionId::make()), Errc::not_found);
  world.clock.advance(1h - 1us);
  CHECK(world.open(made.id));
  world.clock.advance(1us);
  check_error(world.open(made.id), Errc::denied);
}

TEST_CASE("revoked_connection_is_closed_at_once_and_still_listed", "[people]") {
  Agency world;
  const auto id = must(world.try_connection(world.acme, world.plain_connection(world.ann))).id;
  must(world.revoke(id));
  check_error(world.open(id), Errc::denied);
  check_error(world.revoke(id), Errc::not_found);
  REQUIRE(world.list({}, 10).size() == 1);
  CHECK(world.list({}, 10)[0].revoked == world.clock.now());
}

TEST_CASE("connection_with_bad_terms_is_refused", "[people]") {
  Agency world;
  const auto good = world.plain_connection(world.ann);
  auto connection = good;
  connection.expires = connection.created;
  check_error(world.try_connection(world.acme, connection), Errc::invalid);
  connection.expires = connection.created + kMaxConnectionTime + 1us;
  check_error(world.try_connection(world.acme, connection), Errc::invalid);
  connection = good;
  for (const std::size_t size : {0UL, kMaxReason + 1}) {
    connection.reason = std::string(size, 'x');
    check_error(world.try_connection(world.acme, connection), Errc::invalid);
  }
  connection = good;
  connection.permissions = {};
  check_error(world.try_connection(world.acme, connection), Errc::invalid);
  connection.permissions = PermissionSet::everything();
  check_error(world.try_connection(world.acme, connection), Errc::invalid);
  connection = good;
  connection.grantee = "nobody";
  check_error(world.try_connection(world.acme, connection), Errc::invalid);
  check_error(world.try_connection(TenantId::make(), good), Errc::not_found);
  connection = good;
  connection.expires = connection.created + kMaxConnectionTime;
  connection.reason = std::string(kMaxReason, 'x');
  CHECK(world.try_connection(world.acme, connection));
}

TEST_CASE("connection_is_given_to_an_address_whoever_is_there", "[people]") {
  Agency world;
  auto connection = world.plain_connection(world.ann);
  connection.grantee = "Later@Agency.EXAMPLE";
  const auto made = must(world.try_connection(world.acme, connection));
  CHECK(made.grantee == "later@agency.example");
  const auto awaited = [&](const char* email) {
    return world.look([=](sql::Transaction& tx) { return has_connections(tx, email); });
  };
  CHECK(awaited("later@agency.example"));
  CHECK(awaited("LATER@agency.example"));
  CHECK_FALSE(awaited("ann@agency.example"));
  CHECK_FALSE(awaited("later"));
  const auto later = world.person("later@agency.example");
  CHECK(world.open(made.id, "later@agency.example"));
  check_error(world.open(made.id), Errc::not_found);
  must(world.change([=](sql::Transaction& tx) { return remove_person(tx, later); }));
  CHECK_FALSE(awaited("later@agency.example"));
  CHECK(world.list({}, 10).empty());
}

TEST_CASE("connections_are_listed_in_pages_by_tenant_and_by_person", "[people]") {
  Agency world;
  const auto other = world.tenant("other").id;
  const auto first = must(world.try_connection(world.acme, world.plain_connection(world.ann))).id;
  const auto second = must(world.try_connection(world.acme, world.plain_connection(world.ann))).id;
  const auto third = must(world.try_connection(other, world.plain_connection(world.ann))).id;
  REQUIRE(world.list({}, 1).size() == 1);
  CHECK(world.list({}, 1)[0].id == first);
  CHECK(world.list(first, 1)[0].id == second);
  CHECK(world.list(second, 1).empty());
  REQUIRE(world.places({}, 2).size() == 2);
  CHECK(world.places({}, 2)[1].id == second);
  const auto rest = world.places({world.acme, second}, 2);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].tenant == other);
  CHECK(rest[0].id == third);
}

TEST_CASE("connections_of_a_tenant_are_bounded_running_and_ended", "[people]") {
  Agency world;
  const auto add = [&] {
    return world.try_connection(world.acme, world.plain_connection(world.ann));
  };
  const auto first = must(add()).id;
  for (std::size_t i = 1; i < kMaxConnections; ++i) must(add());
  check_error(add(), Errc::too_large);
  must(world.revoke(first));
  CHECK(add());
  check_error(add(), Errc::too_large);

  world.clock.advance(1h);  // all of them have ended: 101 rows
  must(add());
  CHECK(world.list({}, 1000).size() == kMaxConnections);
  CHECK(world.places({}, 1000).size() == kMaxConnections);
  CHECK(world.list({}, 1)[0].id != first);

  world.clock.advance(kEndedKept);
  must(add());
  CHECK(world.list({}, 1000).size() == 2);  // the new one, and the one that ended after the others
  CHECK(world.places({}, 1000).size() == 2);
}
