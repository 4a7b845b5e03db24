// What handlers share: whose tables a request is about, pages of lists, and answers in their usual
// forms.
#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <string_view>

#include "accounts/access/reach.hpp"
#include "web/api/timestamp.hpp"
#include "web/http/message.hpp"

namespace postern::web::api {

/// The largest list that is given at once. `?cursor=` takes what the page before said.
inline constexpr std::size_t kPage = 1000;

/// Whose tables a request is about, which is what its record in the trail is about too. `tenant`:
/// as the request names it.
using Tables = Result<sql::TenantScope> (*)(accounts::Reach& reach, const std::string& tenant);
/// Those of the tenant that is named, or else of the caller's own.
Result<sql::TenantScope> of_tenant(accounts::Reach& reach, const std::string& tenant);
/// Those of the platform's trail, the nil tenant's.
Result<sql::TenantScope> of_platform_trail(accounts::Reach& reach, const std::string& tenant);

/// A name in a path or body that isn't one: 400, naming the member.
Response bad_member(std::string_view member, const Error& error);

/// {"items": [...]}, and "cursor" when there may be more: `last` names the last row read.
Response list_response(boost::json::array items, std::size_t rows, std::string_view last);

}  // namespace postern::web::api
