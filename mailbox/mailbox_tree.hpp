// Mailboxes by name: list, create, rename, delete, subscribe. Standards: RFC 3501 §6.3.3-6.3.9, RFC
// 9051, RFC 6154.
//
// Names are UTF-8 as the client gave them (no Unicode normalisation), levels separated by '/'.
// "INBOX" matches in any case, also as the first level of a longer name.
//
// Stands on mailbox_rows.hpp, and on messages.hpp (renaming INBOX moves its messages); neither of
// them knows of names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "mailbox/types.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::mailbox {

/// The account's row with INBOX, Drafts, Sent, Junk, Trash and Archive, all subscribed. Repeatable:
/// what exists stays.
void create_account_mailboxes(sql::TenantScope& scope, AccountId account, Timestamp now);

/// Every mailbox and message of the account; bodies become dead objects.
void delete_account_mailboxes(sql::TenantScope& scope, AccountId account, Timestamp now);

/// Errc::invalid: empty level, control characters, '%' or '*', bad UTF-8; Errc::too_large: the
/// limits of types.hpp. A final separator is removed (RFC 3501 §6.3.3).
Result<std::string> normalise_mailbox_name(std::string_view name);

/// All mailboxes by name order.
std::vector<MailboxInfo> list_mailboxes(sql::TenantScope& scope, AccountId account);
/// Subscribed names, whether or not the mailbox exists (RFC 3501 §6.3.9).
std::vector<std::string> list_subscriptions(sql::TenantScope& scope, AccountId account);

Result<MailboxInfo> find_mailbox(sql::TenantScope& scope, AccountId account, std::string_view name);

/// With the levels above it. Errc::exists, Errc::invalid, Errc::too_large. A \NoSelect name becomes
/// a mailbox.
Result<MailboxInfo> create_mailbox(sql::TenantScope& scope, AccountId account,
                                   std::string_view name, SpecialUse use, Timestamp now);

/// Levels below move along; levels above the new name are made. INBOX: its messages move to the new
/// mailbox, INBOX stays, empty, its children too (RFC 3501 §6.3.5). Errc::not_found, exists,
/// invalid (below itself). Returns every mailbox whose name or content changed.
Result<std::vector<MailboxInfo>> rename_mailbox(sql::TenantScope& scope, AccountId account,
                                                std::string_view from, std::string_view to,
                                                Timestamp now);

/// Messages go with it. With levels below it the name stays as \NoSelect; Errc::denied for INBOX
/// and for a
/// \NoSelect name that still has levels below. Subscriptions stay. Returns the mailbox as it was.
Result<MailboxInfo> delete_mailbox(sql::TenantScope& scope, AccountId account,
                                   std::string_view name, Timestamp now);

/// The mailbox need not exist. Errc::invalid for a bad name.
Result<void> subscribe(sql::TenantScope& scope, AccountId account, std::string_view name);
Result<void> unsubscribe(sql::TenantScope& scope, AccountId account, std::string_view name);

}  // namespace postern::mailbox
