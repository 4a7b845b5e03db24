// Mail from outside (port 25): trace fields, loop check, SPF, DKIM, DMARC, and where it goes.
#pragma once

#include "smtp/backend.hpp"
#include "smtp/reception/message_spool.hpp"

namespace postern::smtp::reception {

/// Gives the reply to DATA.
Task<Reply> accept_inbound(const Environment& environment, const SessionInfo& session,
                           const Envelope& envelope, ReceivedMessage received);

}  // namespace postern::smtp::reception
