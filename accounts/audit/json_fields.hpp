// Members of a JSON object that may not be there.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

namespace postern::accounts::audit {

/// Empty when the object, the member or its type isn't right.
inline std::string_view text_field(const boost::json::object* object, std::string_view name) {
  const auto* value = object == nullptr ? nullptr : object->if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  return value->get_string();
}

inline std::optional<std::int64_t> number_field(const boost::json::object* object,
                                                std::string_view name) {
  const auto* value = object == nullptr ? nullptr : object->if_contains(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

}  // namespace postern::accounts::audit
