// Headers that tell a browser to trust an answer as little as possible.
#pragma once

#include "web/http/message.hpp"

namespace postern::web {

/// HSTS (RFC 6797, over TLS only), Content-Security-Policy (nothing at all, unless the answer
/// brought its own), nosniff, no frames, no referrer, no caching (unless the answer says).
void add_security_headers(Response& response, Transport transport);

}  // namespace postern::web
