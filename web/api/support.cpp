#include "web/api/support.hpp"

#include <fmt/chrono.h>

namespace postern::web::api {

namespace {

Parsed<std::string> member(const Request& request, std::string_view name, std::size_t limit) {
  const auto* value = request.json.as_object().if_contains({name.data(), name.size()});
  if (value == nullptr) return std::string();
  if (!value->is_string()) {
    return std::unexpected(
        problem(400, "Invalid request", fmt::format("\"{}\" must be a string", name), name));
  }
  const auto& text = value->as_string();
  if (text.size() > limit) {
    return std::unexpected(problem(
        400, "Invalid request", fmt::format("\"{}\" is longer than {} bytes", name, limit), name));
  }
  return std::string(text.data(), text.size());
}

}  // namespace

Parsed<std::string> optional_string_member(const Request& request, std::string_view name,
                                           std::size_t limit) {
  return member(request, name, limit);
}

Parsed<std::string> string_member(const Request& request, std::string_view name,
                                  std::size_t limit) {
  auto value = member(request, name, limit);
  if (value && value->empty()) {
    return std::unexpected(
        problem(400, "Invalid request", fmt::format("\"{}\" is required", name), name));
  }
  return value;
}

Parsed<std::string> query_value(const Request& request, std::string_view name) {
  const auto found = request.query.find(std::string(name));
  if (found == request.query.end() || found->second.empty()) {
    return std::unexpected(
        problem(400, "Invalid request", fmt::format("the query needs \"{}\"", name), name));
  }
  return found->second;
}

std::string timestamp_text(Timestamp time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (time - seconds).count());
}

Result<accounts::Tenant> find_tenant_by_text(sql::Transaction& tx, const std::string& name_or_id) {
  if (const auto id = parse_uuid(name_or_id)) {
    auto by_id = accounts::find_tenant(tx, TenantId{*id});
    if (by_id) return by_id;
  }
  return accounts::find_tenant(tx, name_or_id);
}

Response list_response(boost::json::array items, std::size_t rows, std::string_view last) {
  boost::json::object document{{"items", std::move(items)}};
  if (rows == kPage) document["cursor"] = last;
  return json_response(document);
}

}  // namespace postern::web::api
