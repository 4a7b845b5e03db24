// One log line from an event and its fields, without its newline. Values are untrusted bytes:
// whatever they hold, the line stays one line, safe on a terminal, and valid JSON where that is
// asked for.
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

#include "core/log.hpp"

namespace postern::log {

inline constexpr std::size_t kMaxValue = 4096;  ///< bytes of one value; the rest is cut

/// Text: `2026-01-01T00:00:00.000Z INFO event key=value key="quoted \"text\""`; a value is quoted
/// when it is empty or holds anything but plain printable ASCII. JSON: time, level, event, then the
/// fields.
std::string make_line(Format format, std::chrono::system_clock::time_point time, Level level,
                      std::string_view event, std::initializer_list<Field> fields);

}  // namespace postern::log
