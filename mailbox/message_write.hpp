// Steps of message_write.cpp that delivery and STORE share. Internal to mailbox/. Each runs after
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

/// One new message. Its object counts the reference, and its account the usage already; the
/// mailbox's counters follow.
Result<Placed> place_message(sql::TenantScope& scope, const MailboxInfo& mailbox, MessageRow row,
                             std::uint64_t modseq);

}  // namespace postern::mailbox
