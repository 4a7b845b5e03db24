// Structured logs: an event name, then fields. JSON or text by setting (spdlog underneath).
//
// Fields are data, never format strings; control characters are escaped by the sink. Secrets,
// passwords, tokens and message bodies are never passed here.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/result.hpp"

namespace postern::log {

enum class Level : std::uint8_t { debug, info, warn, error };
enum class Format : std::uint8_t { text, json };

/// A field: name and value. Numbers and booleans stay bare in JSON.
struct Field {
  template <class T>
  Field(std::string_view field_name, const T& field_value)
      : name(field_name),
        value(fmt::format("{}", field_value)),
        bare(std::is_arithmetic_v<T> && !std::is_same_v<T, char>) {}
  std::string_view name;
  std::string value;
  bool bare;
};

/// `path` empty: standard error. Called at start and on reload (SIGHUP reopens the file). Throws
/// std::runtime_error when the file can't be opened; the log before stays in use.
/// Errc::io when the file can't be opened: the log stays as it was.
Result<void> configure(Level level, Format format, const std::string& path);
bool enabled(Level level);
void write(Level level, std::string_view event, std::initializer_list<Field> fields);

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::debug)) write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, fields);
}
inline void warn(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::warn, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::error, event, fields);
}

}  // namespace postern::log
