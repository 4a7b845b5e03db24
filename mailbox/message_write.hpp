// Steps that append, delivery, copy and move share. Internal to mailbox/. Each runs after
// next_modseq().
#pragma once

#include <span>
#include <vector>

#include "mailbox/messages.hpp"

namespace postern::mailbox {

/// Everything in the ranges, without the index.
std::vector<MessageRow> rows_in(sql::TenantScope& scope, MailboxId mailbox,
                                std::span<const UidRange> ranges);

/// Errc::too_large when `bytes` more would pass the limit.
Result<void> check_quota(sql::TenantScope& scope, AccountId account, QuotaLimit quota,
                         std::uint64_t bytes);

/// One new message. Its object counts the reference already; mailbox counters and quota follow.
Result<Placed> place_message(sql::TenantScope& scope, const MailboxInfo& mailbox, MessageRow row,
                             std::uint64_t modseq);

/// Tombstones instead of messages; references are dropped, counters and quota follow.
void remove_messages(sql::TenantScope& scope, const MailboxInfo& mailbox,
                     const std::vector<MessageRow>& rows, std::uint64_t modseq, Timestamp now);

}  // namespace postern::mailbox
