// Durations ("5m", "1h30m", "500ms") and sizes ("25MiB") as the settings file writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace postern::config {

/// One or more whole numbers, each with a unit, largest unit first, each once: d, h, m, s, ms.
std::optional<Duration> parse_duration(std::string_view text);
/// A whole number with a unit: B, KiB, MiB, GiB, TiB.
std::optional<ByteSize> parse_size(std::string_view text);

/// The shortest exact text, which parses to the same value.
std::string format_duration(Duration value);
std::string format_size(ByteSize value);

}  // namespace postern::config
