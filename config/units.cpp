#include "config/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace postern::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 5> kTimes{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 5> kSizes{
    {{"TiB", 1ULL << 40}, {"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};

constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

/// Digits and the letters after them, taken from the front of `text`.
struct Piece {
  std::uint64_t number;
  std::string_view unit;
};

std::optional<Piece> take_piece(std::string_view& text) {
  Piece piece{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), piece.number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const auto digits = text.find_first_of("0123456789");
  piece.unit = text.substr(0, digits);
  text.remove_prefix(piece.unit.size());
  return piece;
}

std::optional<std::uint64_t> multiply(std::uint64_t number, std::uint64_t factor) {
  if (number > kMost / factor) return std::nullopt;
  return number * factor;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  std::uint64_t total = 0;
  std::size_t next_unit = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    const auto piece = take_piece(text);
    if (!piece) return std::nullopt;
    while (next_unit < kTimes.size() && kTimes[next_unit].name != piece->unit) ++next_unit;
    if (next_unit == kTimes.size()) return std::nullopt;
    const auto value = multiply(piece->number, kTimes[next_unit++].factor);
    if (!value || *value > kMost - total) return std::nullopt;
    total += *value;
  }
  return Duration{static_cast<std::int64_t>(total)};
}

std::optional<ByteSize> parse_size(std::string_view text) {
  const auto piece = take_piece(text);
  if (!piece || !text.empty()) return std::nullopt;
  for (const auto& unit : kSizes) {
    if (unit.name != piece->unit) continue;
    const auto value = multiply(piece->number, unit.factor);
    if (!value) return std::nullopt;
    return ByteSize{*value};
  }
  return std::nullopt;
}

std::string format_duration(Duration value) {
  auto rest = static_cast<std::uint64_t>(value.count());
  if (rest == 0) return "0s";
  std::string out;
  for (const auto& unit : kTimes) {
    if (rest >= unit.factor) out += fmt::format("{}{}", rest / unit.factor, unit.name);
    rest %= unit.factor;
  }
  return out;
}

std::string format_size(ByteSize value) {
  for (const auto& unit : kSizes) {
    if (value.bytes >= unit.factor && value.bytes % unit.factor == 0) {
      return fmt::format("{}{}", value.bytes / unit.factor, unit.name);
    }
  }
  return "0B";
}

}  // namespace postern::config
