// Rows of `mailboxes`: look-ups, names, UIDs and counters, and what fills or empties a mailbox.
// Internal to mailbox/. Stands on account_rows.hpp and objects.hpp; what a name may be and what
// clients are allowed to do is above, in mailbox_tree.hpp and messages.hpp.
//
// No look-up here says whether a mailbox is subscribed: that is the tree's.
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

/// The counters as of this snapshot (STATUS, SELECT); Errc::not_found.
Result<MailboxInfo> get_mailbox(sql::TenantScope& scope, MailboxId mailbox);
/// `name` must be normalised; Errc::not_found.
Result<MailboxInfo> find_by_name(sql::TenantScope& scope, AccountId account, std::string_view name);
/// The mailbox of a special use, e.g. Junk (none is INBOX); Errc::not_found.
Result<MailboxInfo> find_special(sql::TenantScope& scope, AccountId account, SpecialUse use);
/// Names in [low, high), byte order.
std::vector<MailboxInfo> list_range(sql::TenantScope& scope, AccountId account,
                                    std::string_view low, std::string_view high);
/// Mailboxes below `name`, by name.
std::vector<MailboxInfo> list_below(sql::TenantScope& scope, AccountId account,
                                    std::string_view name);
std::int64_t count_mailboxes(sql::TenantScope& scope, AccountId account);

/// A new row with a new UIDVALIDITY; the name must be normalised and free.
MailboxId insert_mailbox(sql::TenantScope& scope, AccountId account, std::string_view name,
                         SpecialUse use, Selectable selectable, Timestamp now);
void set_name(sql::TenantScope& scope, MailboxId mailbox, std::string_view name,
              std::uint64_t modseq);
/// Makes a \NoSelect name a mailbox, with a UIDVALIDITY that no client knows, or the reverse.
void set_selectable(sql::TenantScope& scope, const MailboxInfo& info, Selectable selectable,
                    SpecialUse use, Timestamp now);
void delete_mailbox_row(sql::TenantScope& scope, MailboxId mailbox);

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

/// One new UID, and the counters of its message with it: what every delivery does. `mailbox` was
/// read in this transaction. Errc::too_large.
Result<std::uint32_t> take_uid(sql::TenantScope& scope, const MailboxInfo& mailbox,
                               const CounterChange& change, std::uint64_t modseq);

void insert_message(sql::TenantScope& scope, MailboxId mailbox, const MessageRow& row);

}  // namespace postern::mailbox
