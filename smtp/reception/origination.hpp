// Mail that the server itself writes (links to sign in, warnings): built, signed and placed like a
// submission, with no client and no login.
//
// The caller is trusted with the From field: it is signed with the keys of the nearest hosted
// domain above it, whichever tenant's that is, and mailboxes here take the message without
// verifying it. So nothing of a tenant's own choice may stand there. What comes from users
// (subject, text, recipients) may be anything: values can't add a field, and an address must be
// one.
//
// Every message is marked as automatic (RFC 3834 §5) and asks for no reports (RFC 3461 §4.1): what
// became of it is in its timeline, and its text shouldn't travel back. Its size is the caller's to
// bound; the memory budget is that of peers. Deliberately missing: Bcc.
#pragma once

#include <optional>
#include <string>

#include "core/id.hpp"
#include "core/lane.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "message/builder.hpp"
#include "smtp/reception/environment.hpp"
#include "smtp/reception/outbound_signer.hpp"

namespace postern::smtp::reception {

struct Origination {
  TenantId tenant;          ///< whose entry in the queue it is, and under whose key
  std::string return_path;  ///< empty: the null path
  /// One address in From; To and Cc are its recipients, queue::kMaxRecipients at most. Date and
  /// Message-ID are written here.
  message::Outgoing message;
  Lane lane = Lane::transactional;
  std::optional<Timestamp> deadline;  ///< dropped, not delivered late
  std::string stream;                 ///< may be empty
  std::string origin;                 ///< "server": for people who look at the queue
};

/// Its id, once it is on disk: in the mailbox when all its recipients are of one tenant here, else
/// in the queue. Errc::invalid (an address), Errc::too_large (recipients), Errc::timeout (the
/// deadline has passed); Errc::overloaded (a disk, a full mailbox) and Errc::temporary for later.
Task<Result<MessageId>> originate(const Environment& environment, OutboundSigner& signer,
                                  Origination origination);

}  // namespace postern::smtp::reception
