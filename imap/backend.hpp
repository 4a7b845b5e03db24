// Everything the IMAP server asks of the floors below, as one asynchronous interface, so that the
// protocol can be tested without a database.
//
// Backend: one a server, used from every io thread. Account: what one login may reach, owned by its
// session, used from that session's thread; calls of one Account never overlap, except that
// Watch callbacks are posted whenever they come. Arguments are values, so that nothing dangles
// across a suspension.
//
// Mailbox names are UTF-8 with '/' between levels; "INBOX" is always spelled so. Uids are 1 to
// 2^32-1, ascending and never used twice under one uidvalidity.
//
// Errors that every call may give: overloaded (a bound was reached; later may work), temporary or
// io (storage unavailable), cancelled (the server stops). Others are named at the call. `not_found`
// for a MailboxId means that the mailbox was deleted meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/id.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "imap/access.hpp"
#include "imap/flags.hpp"
#include "message/index.hpp"

namespace postern::imap {

/// RFC 6154.
enum class SpecialUse : std::uint8_t { none, all, archive, drafts, flagged, junk, sent, trash };

struct MailboxInfo {
  MailboxId id;
  std::string name;
  SpecialUse special_use = SpecialUse::none;
  bool selectable = true;  ///< false: a name that only holds others (\Noselect)
};

struct Message {
  std::uint32_t uid = 0;
  Flags flags;
  std::uint64_t modseq = 0;
};

/// A mailbox as it was at one moment.
struct Snapshot {
  MailboxId id;
  std::uint32_t uid_validity = 1;
  std::uint32_t uid_next = 1;
  std::uint32_t first_recent_uid = 1;  ///< \Recent to this session: uids from here on
  std::uint64_t highest_modseq = 0;
  std::vector<Message> messages;  ///< by ascending uid
};

/// What happened after a modseq.
struct Changes {
  std::uint64_t highest_modseq = 0;
  std::uint32_t uid_next = 1;
  std::vector<Message> messages;        ///< new, or with other flags; by ascending uid
  std::vector<std::uint32_t> expunged;  ///< uids, ascending
};

struct MailboxStatus {
  std::uint32_t messages = 0;
  std::uint32_t recent = 0;
  std::uint32_t unseen = 0;
  std::uint32_t uid_next = 1;
  std::uint32_t uid_validity = 1;
};

/// What FETCH needs beside flags; made once, at delivery.
struct MessageData {
  std::uint32_t uid = 0;
  Timestamp internal_date;
  std::uint64_t size = 0;
  std::shared_ptr<const message::Index> index;  ///< null unless Detail::index was asked
};

enum class Detail : std::uint8_t { dates, index };

struct CopyResult {
  std::uint32_t uid_validity = 0;                             ///< of the target
  std::vector<std::pair<std::uint32_t, std::uint32_t>> uids;  ///< (from, to), from ascending
};

struct AppendResult {
  std::uint32_t uid_validity = 0;
  std::uint32_t uid = 0;
};

/// A message on its way in. Dropped without commit(): nothing happened.
class Append {
 public:
  virtual ~Append() = default;
  virtual Task<Result<void>> write(std::string bytes) = 0;
  /// Durable when it returns.
  virtual Task<Result<AppendResult>> commit() = 0;
};

/// Alive: changes are announced. Its destructor ends it; no callback runs after.
class Watch {
 public:
  virtual ~Watch() = default;
};

enum class Subscription : std::uint8_t { subscribe, unsubscribe };

class Account {
 public:
  virtual ~Account() = default;

  [[nodiscard]] virtual std::string_view login() const = 0;  ///< for logs
  /// Whether the login still stands (not suspended, password not changed). Cheap: asked often.
  virtual Task<Result<bool>> still_valid() = 0;

  /// All mailboxes, in no particular order.
  virtual Task<Result<std::vector<MailboxInfo>>> list() = 0;
  /// Subscribed names; some may name no mailbox.
  virtual Task<Result<std::vector<std::string>>> subscriptions() = 0;
  virtual Task<Result<void>> set_subscription(std::string name, Subscription what) = 0;

  /// Makes missing parents too. exists; invalid (a name the store can't hold); too_large (too
  /// many).
  virtual Task<Result<void>> create(std::string name) = 0;
  /// not_found; denied (INBOX, or a name whose children would be orphaned).
  virtual Task<Result<void>> remove(std::string name) = 0;
  /// With children. INBOX: its messages move, it stays (RFC 3501 §6.3.5). not_found; exists;
  /// denied.
  virtual Task<Result<void>> rename(std::string from, std::string to) = 0;

  /// read_write claims the recent messages. not_found; denied (not selectable).
  virtual Task<Result<Snapshot>> open(std::string name, Access access) = 0;
  /// not_found.
  virtual Task<Result<MailboxStatus>> status(std::string name) = 0;

  virtual Task<Result<Changes>> changes(MailboxId mailbox, std::uint64_t since_modseq) = 0;
  /// `on_change` is posted to `executor` after each commit that changed the mailbox (several
  /// commits may give one call). Never null: that the mailbox is gone is said by changes().
  virtual std::unique_ptr<Watch> watch(MailboxId mailbox, Executor executor,
                                       std::function<void()> on_change) = 0;

  /// In the order asked, at most kFetchBatch uids a call; messages that are gone are left out.
  virtual Task<Result<std::vector<MessageData>>> fetch(MailboxId mailbox,
                                                       std::vector<std::uint32_t> uids,
                                                       Detail detail) = 0;
  /// At most `length` bytes (kReadChunk or less); fewer only at the message's end. not_found.
  virtual Task<Result<std::string>> read_body(MailboxId mailbox, std::uint32_t uid,
                                              std::uint64_t offset, std::uint64_t length) = 0;

  /// The messages as they are after the change, whether or not it changed them; gone ones left out.
  virtual Task<Result<std::vector<Message>>> store_flags(MailboxId mailbox,
                                                         std::vector<std::uint32_t> uids,
                                                         FlagChange how, Flags flags) = 0;
  /// Removes those of `uids` (or, without, of all) that carry \Deleted; gives what was removed.
  virtual Task<Result<std::vector<std::uint32_t>>> expunge(
      MailboxId mailbox, std::optional<std::vector<std::uint32_t>> uids) = 0;
  /// All or nothing; messages that are gone are left out. not_found: no such target; too_large:
  /// quota.
  virtual Task<Result<CopyResult>> copy(MailboxId from, std::vector<std::uint32_t> uids,
                                        std::string to) = 0;
  virtual Task<Result<CopyResult>> move(MailboxId from, std::vector<std::uint32_t> uids,
                                        std::string to) = 0;
  /// Before any byte is read: `size` bytes will follow. not_found: no such target; too_large:
  /// quota.
  virtual Task<Result<std::unique_ptr<Append>>> append(std::string name, Flags flags,
                                                       std::optional<Timestamp> internal_date,
                                                       std::uint64_t size) = 0;
};

inline constexpr std::size_t kFetchBatch = 64;             ///< messages a fetch() call
inline constexpr std::uint64_t kReadChunk = 64ULL * 1024;  ///< bytes a read_body() call

class Backend {
 public:
  virtual ~Backend() = default;
  /// denied: wrong name or password, or an account that may not log in. `password` is the backend's
  /// to wipe. `remote`: the peer's address.
  virtual Task<Result<std::unique_ptr<Account>>> authenticate(std::string login,
                                                              std::string password,
                                                              std::string remote) = 0;
};

}  // namespace postern::imap
