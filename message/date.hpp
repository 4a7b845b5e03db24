// Dates of header fields. Standards: RFC 5322 §3.3 and §4.3 (two-digit years, named zones,
// comments).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"

namespace postern::message {

struct Date {
  Timestamp time;  ///< UTC
  int zone = 0;    ///< minutes east of UTC, as written; unknown zones count as 0
  bool operator==(const Date&) const = default;
};

/// Lenient where mail in the wild is (missing weekday, seconds or zone, comments, two-digit years),
/// but the fields must be in range. nullopt: not a date.
std::optional<Date> parse_date(std::string_view raw_value);

/// "Tue, 01 Jul 2003 10:52:37 +0200". `zone`: minutes east of UTC.
std::string format_date(Timestamp time, int zone = 0);

}  // namespace postern::message
