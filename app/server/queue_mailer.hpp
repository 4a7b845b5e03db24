// accounts' own emails by way of the queue, in the name of the platform's tenant.
//
// Owner: app; one a process; used from every io thread; what it is given outlives it. The log says
// that a mail left, never to whom or what it says. Deliberately missing: tracking of any kind.
#pragma once

#include <string_view>
#include <utility>

#include "accounts/mailer.hpp"
#include "accounts/platform_tenant.hpp"
#include "message/builder.hpp"
#include "smtp/reception/environment.hpp"
#include "smtp/reception/outbound_signer.hpp"

namespace postern::server {

/// `mail_from` of the settings: "no-reply@example.com" or "Example <no-reply@example.com>".
/// Errc::invalid.
Result<message::Mailbox> parse_mail_from(std::string_view text);

class QueueMailer final : public accounts::Mailer {
 public:
  QueueMailer(smtp::reception::Environment environment, accounts::PlatformTenant& tenant,
              message::Mailbox from)
      : environment_(std::move(environment)),
        signer_(*environment_.directory, *environment_.clock),
        tenant_(&tenant),
        from_(std::move(from)) {}

  /// The errors of originate() and of PlatformTenant.
  Task<Result<void>> send(accounts::Mail mail) override;

 private:
  Task<Result<MessageId>> place(accounts::Mail mail);

  smtp::reception::Environment environment_;
  smtp::reception::OutboundSigner signer_;
  accounts::PlatformTenant* tenant_;
  message::Mailbox from_;
};

}  // namespace postern::server
