// Rows of `mailboxes` and what hangs on them: the statements that several repositories share.
// Internal to mailbox/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "mailbox/types.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::mailbox {

enum class Selectable : std::uint8_t { no, yes };

/// A new row with a new UIDVALIDITY; the name must be normalised and free.
MailboxId insert_mailbox(sql::TenantScope& scope, AccountId account, std::string_view name,
                         SpecialUse use, Selectable selectable, Timestamp now);
void delete_mailbox_row(sql::TenantScope& scope, MailboxId mailbox);
void insert_subscription(sql::TenantScope& scope, AccountId account, std::string_view name);
/// Mailboxes below `name`, by name.
std::vector<MailboxInfo> list_below(sql::TenantScope& scope, AccountId account,
                                    std::string_view name);

/// Every message and tombstone of a mailbox; counters and quota follow. No tombstones remain: the
/// mailbox (or its UIDVALIDITY) goes with them.
void drop_content(sql::TenantScope& scope, MailboxId mailbox, Timestamp now);

/// What a change adds to a mailbox's counters.
struct CounterChange {
  std::int64_t messages = 0;
  std::int64_t unseen = 0;
  std::int64_t deleted = 0;
  std::int64_t bytes = 0;

  void add_message(const Flags& flags, std::uint64_t size);
  void remove_message(const Flags& flags, std::uint64_t size);
  void change_flags(const Flags& before, const Flags& after);
};
/// Also raises highest_modseq.
void change_counters(sql::TenantScope& scope, MailboxId mailbox, const CounterChange& change,
                     std::uint64_t modseq);

/// The first of `count` consecutive new UIDs; Errc::too_large when the 32 bits are used up.
Result<std::uint32_t> take_uids(sql::TenantScope& scope, MailboxId mailbox, std::uint32_t count);

/// One new UID and the counters of its message in one statement: what every delivery does.
Result<std::uint32_t> take_uid(sql::TenantScope& scope, MailboxId mailbox,
                               const CounterChange& change, std::uint64_t modseq);

void insert_message(sql::TenantScope& scope, MailboxId mailbox, const MessageRow& row);

}  // namespace postern::mailbox
