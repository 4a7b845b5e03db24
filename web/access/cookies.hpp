// The session's cookies (RFC 6265) and the token against requests that another site made.
//
// The session cookie holds a random token that scripts can't read; the CSRF cookie holds an HMAC of
// it that the console's script copies into the header X-CSRF-Token (double submit, bound to the
// session). Over TLS their names begin with __Host-, so that no other host can set them.
#pragma once

#include <string>
#include <string_view>

#include "web/http/message.hpp"

namespace postern::web {

/// The session token that a request shows; empty: none.
std::string session_token(const Request& request);

/// What X-CSRF-Token has to say in a session.
std::string csrf_token(std::string_view session_token);
/// Whether a changing request was made by who can read the CSRF cookie: header, cookie and session
/// agree. Constant time in the tokens.
bool csrf_holds(const Request& request, std::string_view session_token);

/// Both cookies; until the browser ends.
void set_session_cookies(Response& response, Transport transport, std::string_view session_token);
void clear_session_cookies(Response& response, Transport transport);

}  // namespace postern::web
