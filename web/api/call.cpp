#include "web/api/call.hpp"

#include <charconv>

#include "web/api/timestamp.hpp"

namespace postern::web {

namespace json = boost::json;

namespace {
std::string text_of(const json::value& value) {
  return {value.as_string().data(), value.as_string().size()};
}
}  // namespace

const json::value* Call::member(std::string_view name) const {
  const auto* value = request.json.as_object().if_contains({name.data(), name.size()});
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool Call::given(std::string_view name) const { return member(name) != nullptr; }

std::string Call::text(std::string_view name) const {
  const auto* value = member(name);
  return value == nullptr ? std::string() : text_of(*value);
}

std::vector<std::string> Call::texts(std::string_view name) const {
  std::vector<std::string> out;
  const auto* value = member(name);
  if (value == nullptr) return out;
  out.reserve(value->as_array().size());
  for (const auto& item : value->as_array()) out.push_back(text_of(item));
  return out;
}

std::optional<std::int64_t> Call::integer(std::string_view name) const {
  const auto* value = member(name);
  if (value == nullptr) return std::nullopt;
  return value->as_int64();
}

std::optional<bool> Call::flag(std::string_view name) const {
  const auto* value = member(name);
  if (value == nullptr) return std::nullopt;
  return value->as_bool();
}

std::optional<Timestamp> Call::time(std::string_view name) const {
  const auto* value = member(name);
  if (value == nullptr) return std::nullopt;
  return parse_timestamp(text_of(*value));
}

std::string Call::query(std::string_view name) const {
  const auto found = request.query.find(std::string(name));
  return found == request.query.end() ? std::string() : found->second;
}

std::optional<std::int64_t> Call::query_integer(std::string_view name) const {
  const auto text = query(name);
  std::int64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc()) return std::nullopt;
  return value;
}

std::string Call::if_match() const {
  const auto found = request.headers.find("if-match");
  return found == request.headers.end() ? std::string() : found->second;
}

const std::string& Call::parameter(std::string_view name) const {
  return request.parameters.at(std::string(name));
}

}  // namespace postern::web
