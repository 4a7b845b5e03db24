// The SMTP server's Backend over accounts, mailboxes and the queue: who may log in, who may send to
// whom, and acceptance of messages.
//
// Owner: app; one a process; used from every io thread.
#pragma once

#include <memory>

#include "smtp/backend.hpp"
#include "smtp/reception/environment.hpp"
#include "smtp/reception/outbound_signer.hpp"

namespace postern::smtp::reception {

class Reception final : public Backend {
 public:
  explicit Reception(Environment environment)
      : environment_(std::move(environment)),
        signer_(*environment_.directory, *environment_.clock) {}

  Task<Outcome<Identity>> authenticate(const SessionInfo& session,
                                       const Credentials& credentials) override;
  Task<Outcome<>> check_sender(const SessionInfo& session, const Envelope& envelope) override;
  Task<Outcome<>> check_recipient(const SessionInfo& session, const Envelope& envelope,
                                  const Recipient& recipient) override;
  Task<Outcome<std::unique_ptr<MessageSink>>> begin_message(const SessionInfo& session,
                                                            const Envelope& envelope) override;

 private:
  Environment environment_;
  OutboundSigner signer_;
};

}  // namespace postern::smtp::reception
