// What a check of the audit chains found, as JSON.
#pragma once

#include <boost/json/object.hpp>

#include "accounts/audit/verify.hpp"

namespace postern::web::api {

boost::json::object to_json(const accounts::audit::Verification& verification);

}  // namespace postern::web::api
