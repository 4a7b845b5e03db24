// An account's row in the message store: its modseq clock, UIDVALIDITY source and quota counters.
#pragma once

#include <cstdint>
#include <vector>

#include "core/id.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::mailbox {

struct Usage {
  std::uint64_t bytes = 0;
  std::uint64_t messages = 0;
  bool operator==(const Usage&) const = default;
};

/// The account's row with INBOX, Drafts, Sent, Junk, Trash and Archive, all subscribed. Repeatable:
/// what exists stays.
void create_account_mailboxes(sql::TenantScope& scope, AccountId account, Timestamp now);

/// Every mailbox and message of the account; bodies become dead objects.
void delete_account_mailboxes(sql::TenantScope& scope, AccountId account, Timestamp now);

/// Errc::not_found for an account without row.
Result<Usage> usage(sql::TenantScope& scope, AccountId account);

/// Takes the next modseq: the first statement of every write, since it locks the account's row.
Result<std::uint64_t> next_modseq(sql::TenantScope& scope, AccountId account);

/// Adds to the counters (negative to take away).
void add_usage(sql::TenantScope& scope, AccountId account, std::int64_t bytes,
               std::int64_t messages);

/// Grows by one a call, never repeats within an account (RFC 9051 §2.3.1.1).
std::uint32_t next_uidvalidity(sql::TenantScope& scope, AccountId account, Timestamp now);

}  // namespace postern::mailbox
