#include "message/date.hpp"

#include <catch2/catch.hpp>
#include <chrono>

#include "suites.hpp"

using namespace postern;
using namespace postern::message;
using namespace std::chrono;

namespace {
Timestamp at(int y, unsigned m, unsigned d, int hour, int minute, int second) {
  return sys_days{year{y} / month{m} / day{d}} + hours{hour} + minutes{minute} + seconds{second};
}
}  // namespace

TEST_CASE("dates_of_rfc_5322_are_read") {
  struct Case {
    std::string text;
    Date want;
  };
  const Case cases[] = {
      {"Fri, 21 Nov 1997 09:55:06 -0600", {at(1997, 11, 21, 15, 55, 6), -360}},
      {"Tue, 1 Jul 2003 10:52:37 +0200", {at(2003, 7, 1, 8, 52, 37), 120}},
      {"Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 "
       "(Newfoundland Time)",
       {at(1969, 2, 14, 3, 2, 0), -210}},
      {"21 Nov 97 09:55:06 GMT", {at(1997, 11, 21, 9, 55, 6), 0}},
      {"21 Nov 49 09:55:06 GMT", {at(2049, 11, 21, 9, 55, 6), 0}},
      {"21 Nov 50 09:55:06 GMT", {at(1950, 11, 21, 9, 55, 6), 0}},
      {"21 Nov 105 09:55:06 GMT", {at(2005, 11, 21, 9, 55, 6), 0}},
      {"Sun, 27 Oct 2002 23:57:07 EST", {at(2002, 10, 28, 4, 57, 7), -300}},
      {"Sun, 27 Oct 2002 23:57:07 PDT", {at(2002, 10, 28, 6, 57, 7), -420}},
      {"Sun, 27 Oct 2002 23:57:07 J", {at(2002, 10, 27, 23, 57, 7), 0}},
      {"Sun, 27 Oct 2002 23:57:07", {at(2002, 10, 27, 23, 57, 7), 0}},
      {"31 Dec 2016 23:59:60 +0000", {at(2017, 1, 1, 0, 0, 0), 0}},
      {"17-Jul-1996 02:44:25 -0700", {at(1996, 7, 17, 9, 44, 25), -420}},
      {"Tue Jul  1 10:52:37 2003", {at(2003, 7, 1, 10, 52, 37), 0}},
      {"29 Feb 2024 00:00:00 +1400", {at(2024, 2, 28, 10, 0, 0), 840}},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    const auto got = parse_date(c.text);
    REQUIRE(got);
    CHECK(got->time == c.want.time);
    CHECK(got->zone == c.want.zone);
  }
}

TEST_CASE("dates_out_of_range_or_broken_are_refused") {
  for (const std::string text :
       {"", "yesterday", "29 Feb 2023 00:00:00 +0000", "32 Jan 2023 00:00 +0000",
        "0 Jan 2023 00:00 +0000", "1 Foo 2023 00:00 +0000", "1 Jan 2023 24:00 +0000",
        "1 Jan 2023 00:60 +0000", "1 Jan 2023 00:00:61 +0000", "1 Jan 2023",
        "1 Jan 2023 00:00:00 +2400", "1 Jan 2023 00:00:00 +0060", "1 Jan 20233 00:00:00 +0000",
        "1 Jan 2023 99999999999:00:00 +0000", "99999999999999999999 Jan 2023 00:00:00 +0000"}) {
    INFO(text);
    CHECK_FALSE(parse_date(text));
  }
}

TEST_CASE("dates_are_written_as_rfc_5322_says") {
  CHECK(format_date(at(2003, 7, 1, 8, 52, 37), 120) == "Tue, 01 Jul 2003 10:52:37 +0200");
  CHECK(format_date(at(1997, 11, 21, 15, 55, 6), -360) == "Fri, 21 Nov 1997 09:55:06 -0600");
  CHECK(format_date(at(1969, 2, 14, 3, 2, 0), -210) == "Thu, 13 Feb 1969 23:32:00 -0330");
  CHECK(format_date(from_micros(1)) == "Thu, 01 Jan 1970 00:00:00 +0000");
  CHECK(format_date(from_micros(-1)) == "Wed, 31 Dec 1969 23:59:59 +0000");
}

TEST_CASE("dates_agree_with_mail_parser") {
  const auto path = test::suites_path("mime/mail-parser/date.json");
  if (test::suite_missing(path)) return;
  const auto cases = test::read_json(path);
  int compared = 0;
  for (const auto& entry : cases.as_array()) {
    const std::string text(entry.at("header").as_string());
    // It also reads numeric months, and dates after a Received field's text; and minds a broken
    // comment.
    if (text.find("by 2002") == 0 || text.find("4 8 15") != std::string::npos ||
        text.find("20 11") == 0 || text.find("((invalid)") != std::string::npos) {
      continue;
    }
    INFO(text);
    const auto got = parse_date(text);
    const auto& want = entry.at("expected");
    ++compared;
    if (want.is_null()) {
      CHECK_FALSE(got);
      continue;
    }
    REQUIRE(got);
    const auto n = [&](const char* key) { return static_cast<int>(want.at(key).as_int64()); };
    const int zone =
        (n("tz_hour") * 60 + n("tz_minute")) * (want.at("tz_before_gmt").as_bool() ? -1 : 1);
    CHECK(got->zone == zone);
    CHECK(got->time + minutes{zone} == at(n("year"), static_cast<unsigned>(n("month")),
                                          static_cast<unsigned>(n("day")), n("hour"), n("minute"),
                                          n("second")));
  }
  CHECK(compared > 30);
}
