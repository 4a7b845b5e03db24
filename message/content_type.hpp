// Content-Type and Content-Disposition. Standards: RFC 2045 §5, RFC 2183.
#pragma once

#include <string>
#include <string_view>

#include "message/parameter.hpp"

namespace postern::message {

struct ContentType {
  std::string type;       ///< lower case; empty when the field isn't understood
  std::string subtype;    ///< lower case
  Parameters parameters;  ///< raw (see decode_parameters)

  bool operator==(const ContentType&) const = default;
  [[nodiscard]] bool is(std::string_view wanted_type, std::string_view wanted_subtype) const {
    return type == wanted_type && subtype == wanted_subtype;
  }
};

/// A value without a slash gives that word as type and an empty subtype; callers then use the
/// default.
ContentType parse_content_type(std::string_view raw_value);

struct Disposition {
  std::string kind;  ///< lower case: "inline", "attachment", ...; empty when absent
  Parameters parameters;
  bool operator==(const Disposition&) const = default;
};
Disposition parse_disposition(std::string_view raw_value);

}  // namespace postern::message
