#include "app/server/endpoint.hpp"

#include <catch2/catch.hpp>

using postern::server::parse_endpoint;

TEST_CASE("endpoints_of_both_families_parse_and_others_are_refused") {
  REQUIRE(parse_endpoint("127.0.0.1:25"));
  CHECK(parse_endpoint("127.0.0.1:25")->port() == 25);
  REQUIRE(parse_endpoint("[::1]:993"));
  CHECK(parse_endpoint("[::1]:993")->address().is_v6());
  for (const auto* text :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "host:25", "::1:25", ":25"}) {
    INFO(text);
    CHECK_FALSE(parse_endpoint(text).has_value());
  }
}
