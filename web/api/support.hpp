// What handlers share: members of a JSON body with errors that name the field, times as text, and
// tenants by name or id.
#pragma once

#include <boost/json/array.hpp>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "accounts/tenants.hpp"
#include "web/http/message.hpp"
#include "web/services.hpp"

namespace postern::web::api {

template <class T>
using Parsed = std::expected<T, Response>;

/// A required member: a non-empty string of at most `limit` bytes.
Parsed<std::string> string_member(const Request& request, std::string_view name,
                                  std::size_t limit = 512);
/// Empty when absent.
Parsed<std::string> optional_string_member(const Request& request, std::string_view name,
                                           std::size_t limit = 512);
/// A required query parameter.
Parsed<std::string> query_value(const Request& request, std::string_view name);

/// "2026-01-31T12:00:00.000000Z" (RFC 3339).
std::string timestamp_text(Timestamp time);

/// By name, or by id in text form.
Result<accounts::Tenant> find_tenant_by_text(sql::Transaction& tx, const std::string& name_or_id);

/// The largest list that is given at once. `?cursor=` takes what the page before said.
inline constexpr std::size_t kPage = 1000;

/// {"items": [...]}, and "cursor" when there may be more: `last` names the last row read.
Response list_response(boost::json::array items, std::size_t rows, std::string_view last);

}  // namespace postern::web::api
