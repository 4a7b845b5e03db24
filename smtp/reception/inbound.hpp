// Mail from outside (port 25): trace fields, loop check, SPF, DKIM, DMARC, and where it goes.
#pragma once

#include <string>

#include "smtp/backend.hpp"
#include "smtp/reception/environment.hpp"

namespace postern::smtp::reception {

/// The whole message as it came; gives the reply to DATA.
Task<Reply> accept_inbound(const Environment& environment, const SessionInfo& session,
                           const Envelope& envelope, std::string bytes);

}  // namespace postern::smtp::reception
