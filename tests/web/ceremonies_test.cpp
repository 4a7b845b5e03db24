#include "web/access/ceremonies.hpp"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::web;
using namespace std::chrono_literals;
using enum Ceremonies::Purpose;

namespace {
const Timestamp kStart{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
}

TEST_CASE("ceremony_is_good_for_one_answer") {
  Ceremonies ceremonies;
  const auto person = PersonId::make();
  const auto flow = ceremonies.begin({registration, person, "challenge"}, kStart);
  const auto other = ceremonies.begin({registration, {}, "another"}, kStart);
  CHECK(flow != other);
  const auto begun = ceremonies.finish(flow, registration, kStart);
  REQUIRE(begun);
  CHECK(begun->person == person);
  CHECK(begun->challenge == "challenge");
  CHECK_FALSE(ceremonies.finish(flow, registration, kStart));
  CHECK_FALSE(ceremonies.finish("", registration, kStart));
  CHECK_FALSE(ceremonies.finish(other, sign_in, kStart));  // of another purpose: spent as well
  CHECK_FALSE(ceremonies.finish(other, registration, kStart));
}

TEST_CASE("ceremony_ends_after_five_minutes") {
  Ceremonies ceremonies;
  const auto early = ceremonies.begin({sign_in, {}, "1"}, kStart);
  const auto late = ceremonies.begin({sign_in, {}, "2"}, kStart);
  CHECK(ceremonies.finish(early, sign_in, kStart + 5min - 1us));
  CHECK_FALSE(ceremonies.finish(late, sign_in, kStart + 5min));
}

TEST_CASE("oldest_ceremony_goes_when_there_are_too_many") {
  Ceremonies ceremonies;
  const auto first = ceremonies.begin({sign_in, {}, "first"}, kStart);
  const auto second = ceremonies.begin({sign_in, {}, "second"}, kStart);
  for (int i = 2; i < 20'001; ++i) ceremonies.begin({sign_in, {}, "x"}, kStart);
  CHECK_FALSE(ceremonies.finish(first, sign_in, kStart));
  CHECK(ceremonies.finish(second, sign_in, kStart));
}
