// An account's row in the message store (`mail_accounts`): its modseq clock, UIDVALIDITY source and
// quota counters. What hangs on the account is made and deleted by mailbox_tree.hpp.
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

/// Repeatable: a row that exists stays as it is.
void insert_account(sql::TenantScope& scope, AccountId account);
void delete_account_row(sql::TenantScope& scope, AccountId account);

/// Errc::not_found for an account without row.
Result<Usage> usage(sql::TenantScope& scope, AccountId account);

/// Takes the next modseq: the first statement of every write, since it locks the account's row. In
/// the same statement it adds to the counters.
Result<std::uint64_t> next_modseq(sql::TenantScope& scope, AccountId account,
                                  std::int64_t bytes = 0, std::int64_t messages = 0);

/// Adds to the counters (negative to take away).
void add_usage(sql::TenantScope& scope, AccountId account, std::int64_t bytes,
               std::int64_t messages);

/// Grows by one a call, never repeats within an account (RFC 9051 §2.3.1.1).
std::uint32_t next_uidvalidity(sql::TenantScope& scope, AccountId account, Timestamp now);

}  // namespace postern::mailbox
