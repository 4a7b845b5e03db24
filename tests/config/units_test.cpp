#include "config/units.hpp"

#include <catch2/catch.hpp>
#include <utility>
#include <vector>

using namespace postern::config;
using namespace std::chrono_literals;

TEST_CASE("duration_of_each_unit_and_combination_parses") {
  const std::vector<std::pair<std::string_view, Duration>> table{
      {"5m", 5min}, {"1h30m", 90min}, {"500ms", 500ms},
      {"2d", 48h},  {"0s", 0ms},      {"1d2h3m4s5ms", 24h + 2h + 3min + 4s + 5ms},
      {"90s", 90s}, {"90m", 90min}};
  for (const auto& [text, value] : table) {
    INFO(text);
    CHECK(parse_duration(text) == value);
  }
}

TEST_CASE("duration_in_any_other_form_is_refused") {
  for (const std::string_view text :
       {"", "5", "m", "5 m", "-5m", "5.5m", "5M", "1m1h", "1h1h", "5mm", " 5m", "5m ", "1w",
        "99999999999999999999d", "9223372036854775807h", "9223372036854775807ms1ms"}) {
    INFO(text);
    CHECK_FALSE(parse_duration(text));
  }
  CHECK(parse_duration("9223372036854775807ms"));
}

TEST_CASE("size_of_each_unit_parses") {
  const std::vector<std::pair<std::string_view, std::uint64_t>> table{{"0B", 0},
                                                                      {"1B", 1},
                                                                      {"2KiB", 2048},
                                                                      {"25MiB", 26214400},
                                                                      {"1GiB", 1073741824},
                                                                      {"3TiB", 3298534883328}};
  for (const auto& [text, value] : table) {
    INFO(text);
    REQUIRE(parse_size(text));
    CHECK(parse_size(text)->bytes == value);
  }
}

TEST_CASE("size_in_any_other_form_is_refused") {
  for (const std::string_view text : {"", "5", "MiB", "5MB", "5 MiB", "-1B", "1.5MiB", "1mib",
                                      "1MiB1KiB", "8388608TiB", "99999999999999999999B"}) {
    INFO(text);
    CHECK_FALSE(parse_size(text));
  }
}

TEST_CASE("formatted_units_parse_to_the_same_value") {
  for (const Duration value : {0ms, 1ms, 999ms, 1000ms, 90'000ms, 86'400'000ms, 86'400'001ms}) {
    CHECK(parse_duration(format_duration(value)) == value);
  }
  for (const std::uint64_t bytes :
       {0ULL, 1ULL, 1023ULL, 1024ULL, 1025ULL, 26214400ULL, 1ULL << 40}) {
    CHECK(parse_size(format_size({bytes})) == ByteSize{bytes});
  }
  CHECK(format_duration(5min) == "5m");
  CHECK(format_size({26214400}) == "25MiB");
}
