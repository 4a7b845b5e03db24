// Lists and times as JSON values, and back.
#pragma once

#include <boost/json/array.hpp>
#include <optional>
#include <string>
#include <vector>

#include "accounts/access/permission.hpp"
#include "web/api/timestamp.hpp"

namespace postern::web::api {

inline boost::json::array texts_json(const std::vector<std::string>& texts) {
  boost::json::array array;
  array.reserve(texts.size());
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

inline boost::json::array names_json(const accounts::PermissionSet& permissions) {
  boost::json::array names;
  for (const auto name : permissions.names())
    names.emplace_back(boost::json::string_view(name.data(), name.size()));
  return names;
}

inline boost::json::value time_or_null(const std::optional<Timestamp>& time) {
  return time ? boost::json::value(timestamp_text(*time)) : boost::json::value();
}

/// As parse_permissions takes them.
inline std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

}  // namespace postern::web::api
