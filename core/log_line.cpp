#include "core/log_line.hpp"

#include <fmt/chrono.h>

#include <algorithm>
#include <cstdint>

namespace postern::log {

namespace {
using unsigned_char = unsigned char;

// The length of the well-formed UTF-8 sequence (RFC 3629) at the start of `text`, 0 if there is
// none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned_char>(text[i]); };
  const auto in = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return in(1, 0x80, 0xbf) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    return in(1, low, high) && in(2, 0x80, 0xbf) && in(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

// C0, DEL and C1 (U+0080 to U+009F, which some terminals obey).
bool is_control(std::string_view sequence) {
  const auto lead = static_cast<unsigned_char>(sequence[0]);
  if (sequence.size() == 1) return lead < 0x20 || lead == 0x7f;
  return sequence.size() == 2 && lead == 0xc2 && static_cast<unsigned_char>(sequence[1]) < 0xa0;
}

void append_escape(std::string& out, Format format, std::string_view bytes) {
  switch (bytes[0]) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  // In JSON a byte that is no character of its own is shown as the code point of the same number.
  const auto code = static_cast<unsigned_char>(bytes.back());
  out += format == Format::json ? fmt::format("\\u{:04x}", code) : fmt::format("\\x{:02x}", code);
}

void append_quoted(std::string& out, Format format, std::string_view text) {
  const bool cut = text.size() > kMaxValue;
  text = text.substr(0, kMaxValue);
  out += '"';
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const auto piece = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0 || is_control(piece)) {
      append_escape(out, format, piece);
    } else {
      if (piece == "\"" || piece == "\\") out += '\\';
      out += piece;
    }
    text.remove_prefix(piece.size());
  }
  if (cut) out += "...";
  out += '"';
}

bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= kMaxValue &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
         });
}

// "nan" and "inf" are numbers to C++, not to JSON.
bool is_json_literal(const Field& field) {
  return field.bare && !field.value.empty() && field.value.find_first_of("ni") == std::string::npos;
}

std::string_view name_of(Level level, Format format) {
  const bool json = format == Format::json;
  switch (level) {
    case Level::debug: return json ? "debug" : "DEBUG";
    case Level::info: return json ? "info" : "INFO";
    case Level::warn: return json ? "warn" : "WARN";
    case Level::error: return json ? "error" : "ERROR";
  }
  return "error";
}

std::string time_text(std::chrono::system_clock::time_point time) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(millis);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (millis - seconds).count());
}

std::string json_line(std::string time, Level level, std::string_view event,
                      std::initializer_list<Field> fields) {
  std::string out = "{\"time\":\"" + std::move(time) + "\",\"level\":\"";
  out += name_of(level, Format::json);
  out += "\",\"event\":";
  append_quoted(out, Format::json, event);
  for (const Field& field : fields) {
    out += ',';
    append_quoted(out, Format::json, field.name);
    out += ':';
    if (is_json_literal(field)) {
      out += field.value;
    } else {
      append_quoted(out, Format::json, field.value);
    }
  }
  return out + '}';
}

std::string text_line(std::string time, Level level, std::string_view event,
                      std::initializer_list<Field> fields) {
  std::string out = std::move(time) + ' ';
  out += name_of(level, Format::text);
  out += ' ';
  out += event;
  for (const Field& field : fields) {
    out += ' ';
    out += field.name;
    out += '=';
    if (is_plain(field.value)) {
      out += field.value;
    } else {
      append_quoted(out, Format::text, field.value);
    }
  }
  return out;
}
}  // namespace

std::string make_line(Format format, std::chrono::system_clock::time_point time, Level level,
                      std::string_view event, std::initializer_list<Field> fields) {
  return format == Format::json ? json_line(time_text(time), level, event, fields)
                                : text_line(time_text(time), level, event, fields);
}

}  // namespace postern::log
