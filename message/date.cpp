#include "message/date.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "core/ascii.hpp"
#include "message/lexer.hpp"

namespace postern::message {

namespace {

using namespace std::chrono;

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct NamedZone {
  std::string_view name;
  int minutes;
};
// RFC 5322 §4.3. Other names, military letters too, say nothing reliable: -0000.
constexpr std::array<NamedZone, 8> kZones{{{"edt", -240},
                                           {"est", -300},
                                           {"cdt", -300},
                                           {"cst", -360},
                                           {"mdt", -360},
                                           {"mst", -420},
                                           {"pdt", -420},
                                           {"pst", -480}}};

struct Number {
  int value = 0;
  int digits = 0;
};

class DateParser {
 public:
  explicit DateParser(std::string_view text) : lexer_(text) {}

  std::optional<Date> run() {
    skip_weekday();
    const bool ok = lexer_digit() ? day_first() : month_first();
    if (!ok) return std::nullopt;
    return make();
  }

 private:
  void skip() {
    while (lexer_.skip_cfws() || lexer_.take(',')) {
    }
  }
  bool lexer_digit() { return !lexer_.at_end() && ascii::is_digit(lexer_.peek()); }

  void skip_weekday() {
    skip();
    if (lexer_.at_end() || !ascii::is_alpha(lexer_.peek())) return;
    const std::size_t begin = lexer_.position();
    if (month_of(word())) lexer_.seek(begin);  // "Jul 1 ..." has no weekday
    skip();
  }

  std::string_view word() {
    const std::string_view rest = lexer_.rest();
    std::size_t length = 0;
    while (length < rest.size() && ascii::is_alpha(rest[length])) ++length;
    lexer_.seek(lexer_.position() + length);
    return rest.substr(0, length);
  }

  static int month_of(std::string_view word) {
    if (word.size() < 3) return 0;
    for (std::size_t i = 0; i < kMonths.size(); ++i) {
      if (ascii::iequals(word.substr(0, 3), kMonths[i])) return static_cast<int>(i) + 1;
    }
    return 0;
  }

  Number number() {
    Number out;
    constexpr int most_digits = 6;
    while (lexer_digit() && out.digits < most_digits) {
      out.value = out.value * 10 + (lexer_.peek() - '0');
      ++out.digits;
      lexer_.advance();
    }
    return out;
  }

  void skip_dash() {
    skip();
    if (lexer_.take('-')) skip();
  }

  bool month() {
    month_ = month_of(word());
    return month_ != 0;
  }

  bool year() {
    const Number n = number();
    if (n.digits < 2 || n.digits > 4) return false;
    year_ = n.value;
    // RFC 5322 §4.3 obs-year.
    if (n.digits == 2) year_ += n.value < 50 ? 2000 : 1900;
    if (n.digits == 3) year_ += 1900;
    return true;
  }

  bool time() {
    skip();
    const Number hour = number();
    skip();
    if (hour.digits == 0 || (!lexer_.take(':') && !lexer_.take('.'))) return false;
    skip();
    const Number minute = number();
    if (minute.digits == 0) return false;
    skip();
    Number second;
    if (lexer_.take(':') || lexer_.take('.')) {
      skip();
      second = number();
    }
    seconds_ = hour.value * 3600 + minute.value * 60 + second.value;
    return hour.value < 24 && minute.value < 60 && second.value <= 60;
  }

  bool zone() {
    skip();
    if (lexer_.at_end()) return true;
    const char sign = lexer_.peek();
    if (sign == '+' || sign == '-') {
      lexer_.advance();
      const Number n = number();
      if (n.digits < 3 || n.value % 100 > 59 || n.value / 100 > 23) return n.digits == 0;
      zone_ = (n.value / 100 * 60 + n.value % 100) * (sign == '-' ? -1 : 1);
      return true;
    }
    const std::string_view name = word();
    for (const NamedZone& known : kZones) {
      if (name.size() >= 3 && ascii::iequals(name.substr(0, 3), known.name)) zone_ = known.minutes;
    }
    return true;
  }

  bool day_first() {
    day_ = number().value;
    skip_dash();
    if (!month()) return false;
    skip_dash();
    return year() && time() && zone();
  }

  /// asctime(): "Jul  1 10:52:37 2003".
  bool month_first() {
    if (!month()) return false;
    skip();
    day_ = number().value;
    if (!time()) return false;
    skip();
    return year();
  }

  std::optional<Date> make() const {
    const year_month_day date{std::chrono::year{year_},
                              std::chrono::month{static_cast<unsigned>(month_)},
                              std::chrono::day{static_cast<unsigned>(day_)}};
    if (!date.ok()) return std::nullopt;
    const auto local = sys_days{date} + std::chrono::seconds{seconds_};
    return Date{time_point_cast<Micros>(local - minutes{zone_}), zone_};
  }

  Lexer lexer_;
  int year_ = 0, month_ = 0, day_ = 0, seconds_ = 0, zone_ = 0;
};

}  // namespace

std::optional<Date> parse_date(std::string_view raw_value) { return DateParser(raw_value).run(); }

std::string format_date(Timestamp time, int zone) {
  const auto local = floor<seconds>(time) + minutes{zone};
  const auto days = floor<std::chrono::days>(local);
  const year_month_day date{days};
  const hh_mm_ss clock{local - days};
  std::string month(kMonths[static_cast<unsigned>(date.month()) - 1]);
  month[0] = ascii::upper(month[0]);
  const int offset = zone < 0 ? -zone : zone;
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} {}{:02}{:02}",
                     kDays[weekday{days}.c_encoding()], static_cast<unsigned>(date.day()), month,
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count(), zone < 0 ? '-' : '+', offset / 60, offset % 60);
}

}  // namespace postern::message
