#include "accounts/login_guard.hpp"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/accounts/world.hpp"

using namespace postern;
using namespace postern::accounts;
using namespace std::chrono_literals;

namespace {

asio::ip::address ip(const char* text) { return asio::ip::make_address(text); }

const auto kHome = ip("192.0.2.1");
const auto kElsewhere = ip("198.51.100.9");
constexpr const char* kAnn = "ann@acme.example";

LoginLimits limits() {
  LoginLimits out;
  out.guesses = 3;
  out.known_guesses = 5;
  out.network_guesses = 8;
  out.entries = 100;
  return out;
}

struct Guarded {
  LoginGuard guard{limits()};
  Timestamp now = from_micros(1'700'000'000'000'000);
  int made = 0;

  /// That many guesses that weren't made before; how many of them began a block.
  int guess(int count, const std::string& login = kAnn, const asio::ip::address& from = kHome) {
    int begun = 0;
    for (int i = 0; i < count; ++i) {
      const auto outcome = guard.failed(login, from, fmt::format("guess {}", made++), now);
      begun += outcome.login_blocked || outcome.network_blocked ? 1 : 0;
    }
    return begun;
  }
  bool blocked(const std::string& login = kAnn, const asio::ip::address& from = kHome) {
    return guard.blocked_until(login, from, now).has_value();
  }
};

}  // namespace

TEST_CASE("guesses_beyond_the_limit_shut_out_for_a_time_that_doubles") {
  Guarded g;
  CHECK(g.guess(2) == 0);
  CHECK_FALSE(g.blocked());
  CHECK(g.guess(1) == 1);
  CHECK(g.guard.blocked_until(kAnn, kHome, g.now) == g.now + 1min);
  g.now += 1min;
  CHECK_FALSE(g.blocked());
  CHECK(g.guess(3) == 1);
  CHECK(g.guard.blocked_until(kAnn, kHome, g.now) == g.now + 2min);
  // A day later the count begins anew, however steady the guesses were.
  for (int hour = 0; hour < 24; ++hour) {
    g.now += 1h;
    g.guard.failed(kAnn, kHome, "the same", g.now);
  }
  CHECK(g.guess(2) == 1);  // with "the same", of the new day
  CHECK(g.guard.blocked_until(kAnn, kHome, g.now) == g.now + 1min);
}

TEST_CASE("block_never_grows_beyond_the_longest") {
  auto wide = limits();
  wide.network_guesses = 1'000;
  LoginGuard guard(wide);
  Timestamp now = from_micros(1'700'000'000'000'000);
  for (int i = 0; i < 100; ++i) {
    for (int n = 0; n < 3; ++n) guard.failed(kAnn, kHome, fmt::format("{} {}", i, n), now);
    const auto until = guard.blocked_until(kAnn, kHome, now);
    REQUIRE(until);
    CHECK(*until - now <= 1h);
    now = *until;
  }
}

TEST_CASE("one_wrong_password_again_and_again_is_one_guess") {
  Guarded g;
  for (int i = 0; i < 1'000; ++i) g.guard.failed(kAnn, kHome, "last year's", g.now);
  CHECK_FALSE(g.blocked());
  CHECK(g.guess(1) == 0);
  CHECK(g.guess(1) == 1);
}

TEST_CASE("many_old_telephones_in_one_office_shut_nobody_out") {
  Guarded g;
  for (int round = 0; round < 50; ++round) {
    for (const char* user : {"a", "b", "c", "d", "e", "f", "g"}) {
      const auto login = std::string(user) + "@acme.example";
      g.guard.failed(login, kHome, "last year's", g.now);
      g.guard.failed(login, kHome, "of " + login, g.now);
      g.guard.succeeded(login, kHome, g.now);  // from the desk
    }
    if (round == 0) CHECK(g.guard.unblock("192.0.2.1", g.now) == 1);  // 14 different guesses, of 8
  }
  CHECK_FALSE(g.blocked("new@acme.example"));
}

TEST_CASE("stranger_cannot_lock_a_mailbox") {
  Guarded g;
  g.guess(3, kAnn, kElsewhere);
  CHECK(g.blocked(kAnn, kElsewhere));
  CHECK_FALSE(g.blocked(kAnn, kHome));
  CHECK_FALSE(g.blocked("bob@acme.example", kElsewhere));
}

TEST_CASE("network_that_guesses_at_many_names_is_shut_out_of_all") {
  Guarded g;
  g.guard.succeeded("bob@acme.example", kElsewhere, g.now);
  int begun = 0;
  for (int i = 0; i < 8; ++i) begun += g.guess(1, fmt::format("u{}@acme.example", i), kElsewhere);
  CHECK(begun == 1);
  CHECK(g.blocked("anybody@acme.example", kElsewhere));
  CHECK_FALSE(g.blocked("anybody@acme.example", kHome));
  // But not for one who lately logged in there.
  CHECK_FALSE(g.blocked("bob@acme.example", kElsewhere));
  g.now += 15 * 24h;
  g.guess(8, "u@acme.example", kElsewhere);
  CHECK(g.blocked("bob@acme.example", kElsewhere));
}

TEST_CASE("success_starts_the_count_anew_and_widens_it") {
  Guarded g;
  g.guess(2);
  g.guard.succeeded(kAnn, kHome, g.now);
  CHECK(g.guess(4) == 0);
  CHECK(g.guess(1) == 1);
  CHECK(g.blocked());
}

TEST_CASE("networks_are_ipv4_addresses_and_ipv6_64s") {
  CHECK(network_of(ip("192.0.2.1")) == "192.0.2.1");
  CHECK(network_of(ip("::ffff:192.0.2.1")) == "192.0.2.1");
  CHECK(network_of(ip("2001:db8:1:2:3:4:5:6")) == "2001:db8:1:2::/64");
  Guarded g;
  for (const char* from : {"2001:db8::1", "2001:db8::2", "2001:db8::3"}) g.guess(1, kAnn, ip(from));
  CHECK(g.blocked(kAnn, ip("2001:db8::4")));
  CHECK_FALSE(g.blocked(kAnn, ip("2001:db8:0:1::4")));
}

TEST_CASE("blocks_are_listed_and_ended") {
  Guarded g;
  g.guess(3);
  g.guess(6, "bob@acme.example", kElsewhere);
  g.guess(2, "eve@acme.example", kElsewhere);
  const auto blocks = g.guard.blocks(g.now);
  REQUIRE(blocks.size() == 3);
  CHECK(blocks[0].login == "bob@acme.example");  // twice shut out
  CHECK(g.guard.unblock("nobody", g.now) == 0);
  CHECK(g.guard.unblock("198.51.100.9", g.now) == 2);
  CHECK_FALSE(g.blocked("bob@acme.example", kElsewhere));
  CHECK(g.guard.unblock(kAnn, g.now) == 1);
  CHECK(g.guard.blocks(g.now).empty());
  CHECK(g.guess(2) == 0);
}

TEST_CASE("repeated_guess_is_no_record_and_takes_none_of_the_others") {
  auto few = limits();
  few.refusals_recorded = 1;
  LoginGuard guard(few);
  const auto now = Guarded().now;
  CHECK_FALSE(guard.goes_on_record({}, now));
  CHECK(guard.goes_on_record({.counted = true}, now));
  CHECK_FALSE(guard.goes_on_record({.counted = true}, now));
  CHECK(guard.goes_on_record({.counted = true, .login_blocked = true}, now));
  CHECK(guard.goes_on_record({.counted = true, .network_blocked = true}, now));
}

TEST_CASE("memory_for_counts_is_bounded") {
  Guarded g;
  g.guess(3);
  for (int i = 0; i < 1'000; ++i) {
    g.guess(1, fmt::format("u{}@acme.example", i),
            ip(fmt::format("10.0.{}.{}", i / 250, i % 250).c_str()));
  }
  CHECK_FALSE(g.blocked());  // the oldest were dropped
}
