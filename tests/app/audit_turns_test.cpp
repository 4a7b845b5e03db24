// Whose turn it is among the audit streams.
#include "app/server/audit_turns.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::server;
using namespace std::chrono_literals;

namespace {

struct Turns {
  std::vector<TenantId> begin() { return turns.begin(chains, now); }
  AuditTurns turns;
  AuditTurns::Time now{1h};
  std::vector<TenantId> chains;
};

/// With `count` chains, in order.
Turns with_chains(std::size_t count) {
  Turns made;
  made.chains.reserve(count);
  for (std::size_t i = 0; i < count; ++i) made.chains.push_back(TenantId::make());
  std::ranges::sort(made.chains);
  return made;
}

}  // namespace

TEST_CASE("sixteen_streams_are_worked_on_and_the_others_come_next", "[audit][stream]") {
  auto f = with_chains(18);
  const auto first = f.begin();
  CHECK(first == std::vector(f.chains.begin(), f.chains.begin() + 16));
  CHECK(f.begin().empty());
  f.turns.end(f.chains[0], Attempt::moved, f.now);
  f.turns.end(f.chains[1], Attempt::failed, f.now);
  f.turns.end(f.chains[2], Attempt::idle, f.now);
  // Those that were passed over, then round to the first again; each at most once.
  CHECK(f.begin() == std::vector{f.chains[16], f.chains[17], f.chains[0]});
  CHECK(f.begin().empty());
}

TEST_CASE("turn_ends_with_the_time_that_a_slow_receiver_takes", "[audit][stream]") {
  auto f = with_chains(1);
  const auto chain = f.begin().at(0);
  CHECK(f.turns.goes_on(chain, Attempt::moved, f.now + 9'999ms));
  CHECK_FALSE(f.turns.goes_on(chain, Attempt::moved, f.now + 10s));
  f.turns.end(chain, Attempt::moved, f.now + 10s);
  // A new turn has its own time.
  f.now += 12s;
  REQUIRE(f.begin() == f.chains);
  CHECK(f.turns.goes_on(chain, Attempt::moved, f.now + 9'999ms));
}

TEST_CASE("turn_ends_with_the_fiftieth_attempt_and_with_any_that_moved_nothing",
          "[audit][stream]") {
  auto f = with_chains(2);
  REQUIRE(f.begin() == f.chains);
  for (int i = 1; i < 50; ++i) CHECK(f.turns.goes_on(f.chains[0], Attempt::moved, f.now));
  CHECK_FALSE(f.turns.goes_on(f.chains[0], Attempt::moved, f.now));
  for (const auto last : {Attempt::idle, Attempt::failed, Attempt::not_kept}) {
    CHECK_FALSE(f.turns.goes_on(f.chains[1], last, f.now));
  }
}

TEST_CASE("stream_whose_outcome_was_not_kept_waits_thirty_seconds", "[audit][stream]") {
  auto f = with_chains(2);
  REQUIRE(f.begin() == f.chains);
  f.turns.end(f.chains[0], Attempt::not_kept, f.now);
  f.turns.end(f.chains[1], Attempt::failed, f.now);
  CHECK(f.begin() == std::vector{f.chains[1]});  // the row says when: here nothing is known
  f.now += 29'999ms;
  CHECK(f.begin().empty());
  f.now += 1ms;
  CHECK(f.begin() == std::vector{f.chains[0]});
  f.turns.end(f.chains[0], Attempt::moved, f.now);
  CHECK(f.begin() == std::vector{f.chains[0]});
}
