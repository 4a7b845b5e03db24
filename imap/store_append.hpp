// A message on its way into the store: sealed, and parsed, piece by piece as it arrives.
#pragma once

#include "imap/backend.hpp"
#include "mailbox/mailbox_store.hpp"
#include "message/mime.hpp"

namespace postern::imap {

class StoreAppend final : public Append {
 public:
  StoreAppend(mailbox::MailboxStore& store, mailbox::Place place, MailboxId mailbox,
              mailbox::Flags flags, Timestamp internal_date, storage::BodySpool spool);
  Task<Result<void>> write(std::string bytes) override;
  Task<Result<AppendResult>> commit() override;

 private:
  mailbox::MailboxStore* store_;
  mailbox::Place place_;
  MailboxId mailbox_;
  mailbox::Flags flags_;
  Timestamp internal_date_;
  storage::BodySpool spool_;
  message::MimeParser parser_;
};

}  // namespace postern::imap
