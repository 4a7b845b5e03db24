#include "web/api/timestamp.hpp"

#include <fmt/chrono.h>

#include <charconv>
#include <ctime>

namespace postern::web {

namespace {

// Exactly `digits` digits at `at`; -1 when they aren't.
int number_at(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// ".123456", or nothing: micros. -1 when malformed.
int fraction_of(std::string_view text) {
  constexpr std::size_t kDigits = 6;
  if (text.empty()) return 0;
  if (text.front() != '.' || text.size() < 2 || text.size() > kDigits + 1) return -1;
  std::string digits(text.substr(1));
  digits.resize(kDigits, '0');
  return number_at(digits, 0, kDigits);
}

}  // namespace

std::string timestamp_text(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  // Not by system_clock::to_time_t: its nanoseconds end in 2262, and people write 9999.
  const std::time_t whole = seconds.time_since_epoch().count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(whole), (time - seconds).count());
}

std::optional<Timestamp> parse_timestamp(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  if (text.size() <= kForm.size() || text.back() != 'Z') return std::nullopt;
  for (const std::size_t at : {4UL, 7UL, 10UL, 13UL, 16UL}) {
    if (text[at] != kForm[at]) return std::nullopt;
  }
  const int micros = fraction_of(text.substr(kForm.size(), text.size() - kForm.size() - 1));
  const int hour = number_at(text, 11, 2);
  const int minute = number_at(text, 14, 2);
  const int second = number_at(text, 17, 2);
  const int year = number_at(text, 0, 4);
  const int month = number_at(text, 5, 2);
  const int day = number_at(text, 8, 2);
  if (micros < 0 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59 || year < 1970 || month < 1 || day < 1) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return Timestamp(std::chrono::sys_days(date)) + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second) +
         std::chrono::microseconds(micros);
}

}  // namespace postern::web
