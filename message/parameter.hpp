// Parameters of structured MIME fields: `; name=value` lists, and their RFC 2231 forms
// (continuations, charset, percent encoding).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::message {

inline constexpr std::size_t kMaxParameters = 100;  ///< of one field; the rest is left out

struct Parameter {
  std::string name;   ///< lower case; in raw lists it may end in "*", "*0", "*0*" (RFC 2231)
  std::string value;  ///< without quotes
  bool operator==(const Parameter&) const = default;
};
using Parameters = std::vector<Parameter>;

/// Syntax only: `text` begins at the first ";" (or after the value before it). Comments are
/// removed; a repeated name keeps its first value.
Parameters parse_parameters(std::string_view text);

/// RFC 2231 resolved: continuations joined, charsets converted, encoded words (which RFC 2047
/// forbids there but mail is full of) decoded too. Values are UTF-8.
Parameters decode_parameters(const Parameters& raw);

/// The raw value under a name (case-insensitive).
std::optional<std::string_view> find_parameter(const Parameters& list, std::string_view name);

/// `; name=token`, `; name="quoted"`, or RFC 2231 `; name*=utf-8''...`, as the value needs.
std::string format_parameter(std::string_view name, std::string_view utf8_value);

}  // namespace postern::message
