// Erases the mail of accounts that were removed: control.db's outbox says which, their folders are
// in the tenant's shard. An entry is completed after its mail is gone; a crash between repeats it,
// which changes nothing.
#pragma once

#include "core/task.hpp"
#include "core/time.hpp"
#include "mailbox/mailbox_store.hpp"
#include "storage/database.hpp"

namespace postern::server {

/// All that are due now. Failures are logged and come back after the entry's lease.
Task<void> erase_removed_accounts(storage::Database& control, mailbox::MailboxStore& mailboxes,
                                  Clock& clock);

}  // namespace postern::server
