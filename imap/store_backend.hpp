// The IMAP server's Backend over accounts and the message store.
//
// Owner: app; one a process; the authenticator and the store outlive it.
#pragma once

#include <memory>
#include <string>

#include "accounts/authenticator.hpp"
#include "imap/backend.hpp"
#include "imap/recent_tracker.hpp"
#include "mailbox/mailbox_store.hpp"

namespace postern::imap {

class StoreBackend final : public Backend {
 public:
  StoreBackend(accounts::Authenticator& authenticator, mailbox::MailboxStore& store);
  Task<Result<std::unique_ptr<Account>>> authenticate(std::string login, std::string password,
                                                      std::string remote) override;

 private:
  accounts::Authenticator* authenticator_;
  mailbox::MailboxStore* store_;
  std::shared_ptr<RecentTracker> recent_;
};

}  // namespace postern::imap
