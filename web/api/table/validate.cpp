#include "web/api/table/validate.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <charconv>

#include "message/email_address.hpp"
#include "web/api/timestamp.hpp"

namespace postern::web {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxDepth = 16;      // of a body
constexpr std::size_t kMaxRepeated = 100;  // octets of an unknown member's name
constexpr std::size_t kMaxTenant = 255;    // octets of the header that names one

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }

// UTF-8 with neither C0 nor C1 controls, nor DEL.
bool is_readable(std::string_view text) {
  if (!message::is_utf8(text)) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || c1) return false;
  }
  return true;
}

Response unreadable(std::string_view what) {
  return problem(400, "Invalid request",
                 fmt::format("{} is UTF-8 without control characters", what));
}

Response wrong(std::string_view field, std::string_view why) {
  if (field.size() > kMaxRepeated)
    return problem(400, "Invalid request",
                   fmt::format("a name of {} octets {}", field.size(), why));
  return problem(400, "Invalid request", fmt::format("\"{}\" {}", field, why), field);
}

using Wrong = std::optional<std::string>;

Wrong check_text(const Member& member, std::string_view text) {
  if (text.size() > member.limit) return fmt::format("is longer than {} octets", member.limit);
  if (text.empty() && member.presence == Presence::required) return "is empty";
  if (text.find('\0') != std::string_view::npos) return "holds a NUL";
  if (!member.one_of.empty() && std::ranges::find(member.one_of, text) == member.one_of.end()) {
    return fmt::format("is one of {}", fmt::join(member.one_of, ", "));
  }
  return std::nullopt;
}

Wrong check_integer(const Member& member, std::int64_t value) {
  if (value < 0 || static_cast<std::uint64_t>(value) > member.limit) {
    return fmt::format("is a number from 0 to {}", member.limit);
  }
  return std::nullopt;
}

Wrong check_texts(const Member& member, const json::value& value) {
  if (!value.is_array()) return "is a list of texts";
  const auto& items = value.as_array();
  if (items.size() > member.items) return fmt::format("has at most {} entries", member.items);
  if (items.empty() && member.presence == Presence::required) return "is empty";
  for (const auto& item : items) {
    if (!item.is_string()) return "is a list of texts";
    if (auto bad = check_text(member, view(item.as_string()))) return bad;
  }
  return std::nullopt;
}

Wrong check(const Member& member, const json::value& value) {
  switch (member.kind) {
    case Kind::text:
      if (!value.is_string()) return "is a text";
      return check_text(member, view(value.as_string()));
    case Kind::integer:
      if (!value.is_int64()) return fmt::format("is a number from 0 to {}", member.limit);
      return check_integer(member, value.as_int64());
    case Kind::flag: return value.is_bool() ? Wrong{} : Wrong{"is true or false"};
    case Kind::time:
      if (value.is_string() && parse_timestamp(view(value.as_string()))) return std::nullopt;
      return "is a time such as 2026-01-31T12:00:00Z";
    case Kind::texts: return check_texts(member, value);
    case Kind::object: return value.is_object() ? Wrong{} : Wrong{"is an object"};
    case Kind::number:
    case Kind::objects: break;  // in answers only
  }
  return "can't be given";
}

std::optional<Response> check_object(const Shape& shape, const json::object& object) {
  for (const auto& [name, value] : object) {
    const auto known = std::ranges::find(shape.members, std::string_view(name), &Member::name);
    if (known == shape.members.end()) return wrong(name, "isn't known here");
    if (value.is_null() && known->presence == Presence::optional) continue;
    if (const auto bad = check(*known, value)) return wrong(name, *bad);
    if (known->kind == Kind::object && known->shape != nullptr) {
      if (auto inner = check_object(*known->shape, value.as_object())) return inner;
    }
  }
  for (const auto& member : shape.members) {
    if (member.presence != Presence::required) continue;
    if (!object.contains({member.name.data(), member.name.size()})) {
      return wrong(member.name, "is required");
    }
  }
  return std::nullopt;
}

std::optional<Response> check_body(const Route& route, Request& request) {
  request.json = json::object{};
  if (!request.body.empty()) {
    json::error_code error;
    json::parse_options options;
    options.max_depth = kMaxDepth;
    request.json = json::parse(request.body, error, {}, options);
    if (error || !request.json.is_object()) {
      return problem(400, "Invalid request", "the body is not a JSON object");
    }
  }
  static constexpr Shape kNothing{"Nothing", {}};
  return check_object(route.body == nullptr ? kNothing : *route.body, request.json.as_object());
}

Wrong check_query_value(const Member& member, const std::string& text) {
  if (member.kind != Kind::integer) return check_text(member, text);
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) value = -1;
  return check_integer(member, value);
}

std::optional<Response> check_query(const Route& route, const Request& request) {
  for (const auto& [name, value] : request.query) {
    const auto known = std::ranges::find(route.query, std::string_view(name), &Member::name);
    if (known == route.query.end()) return wrong(name, "isn't known in this query");
    if (const auto bad = check_query_value(*known, value)) return wrong(name, *bad);
  }
  for (const auto& member : route.query) {
    if (member.presence != Presence::required) continue;
    const auto given = request.query.find(std::string(member.name));
    if (given == request.query.end()) return wrong(member.name, "is required in the query");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Response> refuse_unreadable(const Request& request) {
  for (const auto& [name, value] : request.parameters)
    if (!is_readable(value)) return unreadable("a path");
  for (const auto& [name, value] : request.query)
    if (!is_readable(name) || !is_readable(value)) return unreadable("a query");
  const auto tenant = request.headers.find("postern-tenant");
  if (tenant == request.headers.end()) return std::nullopt;
  if (tenant->second.size() > kMaxTenant)
    return problem(400, "Invalid request", "Postern-Tenant is too long");
  if (!is_readable(tenant->second)) return unreadable("Postern-Tenant");
  return std::nullopt;
}

std::optional<Response> validate(const Route& route, Request& request) {
  if (request.body.size() > route.body_bytes) {
    return problem(413, "Too large",
                   fmt::format("the body is longer than {} octets", route.body_bytes));
  }
  if (auto refused = check_query(route, request)) return refused;
  return check_body(route, request);
}

}  // namespace postern::web
