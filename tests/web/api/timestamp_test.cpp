#include "web/api/timestamp.hpp"

#include <catch2/catch.hpp>

using namespace postern;

// Seconds since the epoch are `date -u -d TEXT +%s`.
TEST_CASE("timestamps_are_written_and_read_in_every_year_there_is") {
  struct Case {
    const char* text;
    std::int64_t seconds;
  };
  for (const auto& one :
       {Case{"1970-01-01T00:00:00.000000Z", 0}, Case{"2026-01-31T12:00:00.000000Z", 1'769'860'800},
        Case{"2262-04-12T00:00:00.000000Z", 9'223'372'800},
        Case{"3026-01-31T12:00:00.000000Z", 33'326'769'600},
        Case{"9999-12-31T23:59:59.000000Z", 253'402'300'799}}) {
    INFO(one.text);
    const auto time = web::parse_timestamp(one.text);
    REQUIRE(time);
    CHECK(to_micros(*time) == one.seconds * 1'000'000);
    CHECK(web::timestamp_text(*time) == one.text);
  }
}
