// The audit chains' ends as `GET /v1/audit/heads` answers them: written by the server, read by
// `postern witness`, for which the server is a stranger that may lie and may send anything.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "accounts/audit/witness.hpp"
#include "core/result.hpp"

namespace postern::web::api {

boost::json::object to_json(const accounts::audit::Heads& heads);

/// Strict: the members of that answer and no others, each chain once. Errc::corrupt, and
/// Errc::too_large above kMaxStatement octets.
Result<accounts::audit::Heads> parse_heads(std::string_view text);

}  // namespace postern::web::api
