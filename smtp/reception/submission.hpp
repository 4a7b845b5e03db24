// Mail from our own users (ports 587 and 465): may they send as that, what is missing is added
// (RFC 6409 §8), and DKIM signatures.
#pragma once

#include "smtp/backend.hpp"
#include "smtp/reception/message_spool.hpp"
#include "smtp/reception/outbound_signer.hpp"

namespace postern::smtp::reception {

/// From a logged-in session; gives the reply to DATA.
Task<Reply> accept_submission(const Environment& environment, OutboundSigner& signer,
                              const SessionInfo& session, const Envelope& envelope,
                              ReceivedMessage received);

}  // namespace postern::smtp::reception
