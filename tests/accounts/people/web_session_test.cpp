#include "accounts/people/web_session.hpp"

#include "tests/accounts/people/people.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace postern::accounts::test;

namespace {

struct SignedIn : PeopleWorld {
  PersonId ann = person("ann@x.example");

  Result<WebSession> find(const std::string& token, Micros idle = kIdleTime) {
    return change([=, now = clock.now()](sql::Transaction& tx) {
      return find_session(tx, digest(token), now, idle);
    });
  }
  void touch(SessionId id) {
    must(change([id, now = clock.now()](sql::Transaction& tx) -> Result<void> {
      touch_session(tx, id, now);
      return {};
    }));
  }
  std::vector<WebSession> list(const SessionPage& page = {}) {
    return look([=, now = clock.now(), id = ann](sql::Transaction& tx) {
      return list_sessions(tx, id, now, page);
    });
  }
};

}  // namespace

TEST_CASE("session_is_found_by_its_tokens_digest", "[people]") {
  SignedIn world;
  const auto made = must(world.try_session(world.ann, "token"));
  const auto found = must(world.find("token"));
  CHECK(found.id == made.id);
  CHECK(found.person == world.ann);
  CHECK(found.seen == world.clock.now());
  CHECK(found.address == "192.0.2.1");
  CHECK(found.user_agent == "Browser/1.0");
  CHECK(found.has(Factor::password));
  CHECK_FALSE(found.has(Factor::totp));
  CHECK_FALSE(found.verified);
  check_error(world.find("other"), Errc::not_found);
  check_error(world.try_session(world.ann, "token"), Errc::exists);
  check_error(world.try_session(PersonId::make(), "x"), Errc::not_found);
  check_error(world.try_session(world.ann, "x", 0s), Errc::invalid);
  WebSession fresh = made;
  fresh.id = SessionId::make();
  check_error(
      world.change([fresh](sql::Transaction& tx) { return add_session(tx, "token", fresh); }),
      Errc::invalid);
}

TEST_CASE("session_times_out_when_idle", "[people]") {
  SignedIn world;
  const auto id = must(world.try_session(world.ann, "token")).id;
  world.clock.advance(30min - 1us);
  CHECK(world.find("token"));
  CHECK(world.list().size() == 1);
  world.touch(id);
  world.clock.advance(30min - 1us);
  CHECK(world.find("token"));
  world.clock.advance(1us);
  check_error(world.find("token"), Errc::not_found);
  CHECK(world.list().empty());
  CHECK(world.find("token", 31min));
}

TEST_CASE("session_ends_at_its_absolute_time_however_busy", "[people]") {
  SignedIn world;
  const auto id = must(world.try_session(world.ann, "token", 1h)).id;
  world.clock.advance(29min);
  world.touch(id);
  world.clock.advance(29min);
  world.touch(id);
  world.clock.advance(2min - 1us);
  CHECK(world.find("token"));
  world.clock.advance(1us);
  check_error(world.find("token"), Errc::not_found);
}

TEST_CASE("session_is_touched_at_most_once_a_minute", "[people]") {
  SignedIn world;
  const auto made = must(world.try_session(world.ann, "token"));
  world.clock.advance(1min - 1us);
  CHECK_FALSE(made.touch_is_due(world.clock.now()));
  world.touch(made.id);
  CHECK(must(world.find("token")).seen == made.created);
  world.clock.advance(1us);
  CHECK(made.touch_is_due(world.clock.now()));
  world.touch(made.id);
  CHECK(must(world.find("token")).seen == made.created + 1min);
}

TEST_CASE("second_factor_is_noted_beside_the_first", "[people]") {
  SignedIn world;
  const auto id = must(world.try_session(world.ann, "token")).id;
  world.clock.advance(1min);
  const auto now = world.clock.now();
  must(world.change(
      [=](sql::Transaction& tx) { return set_session_verified(tx, id, Factor::totp, now); }));
  const auto found = must(world.find("token"));
  CHECK(found.verified == now);
  CHECK(found.has(Factor::password));
  CHECK(found.has(Factor::totp));
  CHECK_FALSE(found.has(Factor::passkey));
  check_error(world.change([=](sql::Transaction& tx) {
    return set_session_verified(tx, SessionId::make(), Factor::totp, now);
  }),
              Errc::not_found);
}

TEST_CASE("foreign_text_of_a_session_is_made_harmless", "[people]") {
  SignedIn world;
  WebSession session;
  session.id = SessionId::make();
  session.person = world.ann;
  session.expires = session.created + 1h;
  session.user_agent = "A\r\n\x1b[31m\xff" + std::string(kMaxUserAgent, 'x');
  session.address = std::string(kMaxRemote + 1, '1');
  const auto made = must(world.change(
      [session](sql::Transaction& tx) { return add_session(tx, digest("t"), session); }));
  CHECK(made.user_agent == "A???[31m?" + std::string(kMaxUserAgent - 9, 'x'));
  CHECK(made.address == std::string(kMaxRemote, '1'));
}

TEST_CASE("oldest_session_goes_when_there_are_too_many", "[people]") {
  SignedIn world;
  const auto other = world.person("bob@x.example");
  must(world.try_session(other, "other"));
  for (std::size_t i = 0; i < kMaxSessions; ++i)
    must(world.try_session(world.ann, "token " + std::to_string(i)));
  CHECK(world.find("token 0"));
  must(world.try_session(world.ann, "one more"));
  check_error(world.find("token 0"), Errc::not_found);
  CHECK(world.find("token 1"));
  CHECK(world.find("one more"));
  CHECK(world.find("other"));
  CHECK(world.list().size() == kMaxSessions);
}

TEST_CASE("sessions_are_listed_in_pages", "[people]") {
  SignedIn world;
  const auto first = must(world.try_session(world.ann, "1"));
  const auto second = must(world.try_session(world.ann, "2"));
  SessionPage page;
  page.limit = 1;
  REQUIRE(world.list(page).size() == 1);
  CHECK(world.list(page)[0].id == first.id);
  page.after = first.id;
  CHECK(world.list(page)[0].id == second.id);
  page.after = second.id;
  CHECK(world.list(page).empty());
}

TEST_CASE("sessions_are_revoked_one_all_or_all_others", "[people]") {
  SignedIn world;
  const auto bob = world.person("bob@x.example");
  const auto first = must(world.try_session(world.ann, "1")).id;
  const auto second = must(world.try_session(world.ann, "2")).id;
  must(world.try_session(world.ann, "3"));
  must(world.try_session(bob, "bob"));
  check_error(world.change([=](sql::Transaction& tx) { return revoke_session(tx, bob, first); }),
              Errc::not_found);
  must(world.change([&](sql::Transaction& tx) { return revoke_session(tx, world.ann, first); }));
  check_error(world.find("1"), Errc::not_found);
  CHECK(world.look([&](sql::Transaction& tx) {
    return revoke_other_sessions(tx, world.ann, second);
  }) == 1);
  CHECK(world.find("2"));
  check_error(world.find("3"), Errc::not_found);
  CHECK(world.look([&](sql::Transaction& tx) { return revoke_sessions(tx, world.ann); }) == 1);
  check_error(world.find("2"), Errc::not_found);
  CHECK(world.find("bob"));
}

TEST_CASE("expired_sessions_are_swept_a_few_at_a_time", "[people]") {
  SignedIn world;
  for (const auto* token : {"1", "2", "3"}) must(world.try_session(world.ann, token, 1h));
  must(world.try_session(world.ann, "long", 24h));
  const auto sweep = [&](std::size_t limit) {
    return world.look([limit, now = world.clock.now()](sql::Transaction& tx) {
      return sweep_sessions(tx, now, limit);
    });
  };
  world.clock.advance(1h - 1us);
  CHECK(sweep(10) == 0);
  world.clock.advance(1us);
  CHECK(sweep(2) == 2);
  CHECK(sweep(2) == 1);
  CHECK(sweep(2) == 0);
  CHECK(world.find("long", 24h));
}
