// Messages of a mailbox: open, changes, fetch, flags, append, copy, move, expunge.
//
// Every function runs inside one transaction of the mailbox's shard; those that write take the
// account's next modseq first. Results name what changed, so that the caller can tell the views
// after the commit. message_read.cpp opens and fetches, message_flags.cpp stores flags,
// message_write.cpp makes and removes. Stands on mailbox_rows.hpp: mailboxes come here by id, not
// by name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "mailbox/types.hpp"
#include "storage/body/body_store.hpp"
#include "storage/sql/transaction.hpp"

namespace postern::mailbox {

struct OpenedMailbox {
  MailboxInfo info;
  std::vector<MessageState> messages;  ///< by UID
};
/// Errc::not_found when it is gone or \NoSelect.
Result<OpenedMailbox> open_mailbox(sql::TenantScope& scope, MailboxId mailbox);

struct Changes {
  MailboxInfo info;
  std::vector<MessageState> changed;  ///< new and changed ones, modseq above the one asked, by UID
  std::vector<std::uint32_t> vanished;  ///< UIDs expunged since, ascending
};
Result<Changes> changes_since(sql::TenantScope& scope, MailboxId mailbox, std::uint64_t modseq);

enum class FetchDepth : std::uint8_t { state, index };
/// Rows of existing messages in the ranges, by UID within each range; at most `limit` (paging is by
/// the last UID given).
std::vector<MessageRow> fetch_messages(sql::TenantScope& scope, MailboxId mailbox,
                                       std::span<const UidRange> ranges, FetchDepth depth,
                                       std::size_t limit);
/// The same for messages already expunged whose body isn't swept yet.
std::vector<MessageRow> fetch_expunged(sql::TenantScope& scope, MailboxId mailbox,
                                       std::span<const UidRange> ranges, FetchDepth depth,
                                       std::size_t limit);

/// What a new message is, apart from where it goes.
struct NewMessage {
  storage::SealedBody body;
  std::string index;  ///< as stored (index_seal.hpp)
  Flags flags;
  Timestamp internal_date;
};

struct Placed {
  AccountId account;
  MailboxId mailbox;
  std::uint32_t uidvalidity = 0;
  std::uint32_t uid = 0;
  std::uint64_t modseq = 0;
  bool operator==(const Placed&) const = default;
};

/// Bytes an account may hold; nullopt: no limit. Errc::too_large ("quota") when a change would pass
/// it.
using QuotaLimit = std::optional<std::uint64_t>;

Result<Placed> append_message(sql::TenantScope& scope, MailboxId mailbox, const NewMessage& message,
                              QuotaLimit quota, Timestamp now);

struct CopiedMessages {
  AccountId account;
  MailboxId source, target;
  std::uint32_t target_uidvalidity = 0;
  std::vector<std::uint32_t> source_uids, target_uids;  ///< pairwise
  std::uint64_t modseq = 0;  ///< of every change made; 0 when nothing matched
};
/// Into a mailbox of the same account; flags, internal date and body are shared (RFC 3501 §6.4.7).
Result<CopiedMessages> copy_messages(sql::TenantScope& scope, MailboxId source,
                                     std::span<const UidRange> ranges, MailboxId target,
                                     QuotaLimit quota, Timestamp now);
/// Copy and expunge as one change (RFC 6851).
Result<CopiedMessages> move_messages(sql::TenantScope& scope, MailboxId source,
                                     std::span<const UidRange> ranges, MailboxId target,
                                     Timestamp now);

enum class StoreMode : std::uint8_t { replace, add, remove };
struct StoredFlags {
  AccountId account;
  std::vector<MessageState>
      changed;  ///< new state; a message whose flags already were so is not here
  std::vector<MessageState> unchanged;  ///< matched, but nothing to do
  std::vector<std::uint32_t> modified;  ///< refused by UNCHANGEDSINCE (RFC 7162 §3.1.3)
  std::uint64_t modseq = 0;             ///< 0 when nothing changed
};
Result<StoredFlags> store_flags(sql::TenantScope& scope, MailboxId mailbox,
                                std::span<const UidRange> ranges, StoreMode mode,
                                const Flags& flags, std::optional<std::uint64_t> unchanged_since);

struct Expunged {
  AccountId account;
  std::vector<std::uint32_t> uids;  ///< ascending
  std::uint64_t modseq = 0;         ///< 0 when there was none
};
/// Messages with \Deleted in the ranges (EXPUNGE: the whole mailbox).
Result<Expunged> expunge_messages(sql::TenantScope& scope, MailboxId mailbox,
                                  std::span<const UidRange> ranges, Timestamp now);

}  // namespace postern::mailbox
