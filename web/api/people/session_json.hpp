// A session as it answers for itself: whose it is, how far the sign-in came, what may be done.
#pragma once

#include "accounts/people/web_session.hpp"
#include "core/task.hpp"
#include "web/api/call.hpp"

namespace postern::web {

/// `token`: the session's own, which the CSRF token is made from.
Task<Response> session_response(Call& call, accounts::WebSession session, std::string token,
                                unsigned status);

}  // namespace postern::web
