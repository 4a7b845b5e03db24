// The message store as smtp and imap use it: asynchronous, by tenant and shard, keys included.
//
// Owner: one object for the process (app/ makes it); thread-safe. Each method is one read or one
// write of the shard's database; after a write's commit the change feed is told. Indexes are
// sealed, and what is read is opened, on the caller's io thread (tens of microseconds a message);
// bodies come sealed: large ones while they arrive, by storage::BodySpool on the worker threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/lane.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/time.hpp"
#include "mailbox/account_rows.hpp"
#include "mailbox/change_feed.hpp"
#include "mailbox/delivery.hpp"
#include "mailbox/index_seal.hpp"
#include "mailbox/mailbox_tree.hpp"
#include "mailbox/messages.hpp"
#include "storage/body/body_spool.hpp"
#include "storage/store.hpp"

namespace postern::mailbox {

/// Where a tenant's mail lives.
struct Place {
  TenantId tenant;
  std::size_t shard = 0;
};

/// Gives a tenant's unwrapped data key; accounts/ knows the wrapped ones (implemented above).
class TenantKeys {
 public:
  virtual ~TenantKeys() = default;
  virtual Task<Result<std::shared_ptr<const storage::DataKey>>> data_key(TenantId tenant) = 0;
};

class MailboxStore {
 public:
  MailboxStore(storage::Store& store, storage::Staging staging, TenantKeys& keys, ChangeFeed& feed,
               Clock& clock)
      : store_(&store), staging_(std::move(staging)), keys_(&keys), feed_(&feed), clock_(&clock) {}

  [[nodiscard]] ChangeFeed& feed() { return *feed_; }

  // Accounts and names.
  Task<Result<void>> create_account(Place place, AccountId account);
  Task<Result<Usage>> usage(Place place, AccountId account);
  Task<Result<std::vector<MailboxInfo>>> list(Place place, AccountId account);
  Task<Result<std::vector<std::string>>> subscriptions(Place place, AccountId account);
  Task<Result<MailboxInfo>> find(Place place, AccountId account, std::string name);
  Task<Result<MailboxInfo>> create(Place place, AccountId account, std::string name,
                                   SpecialUse use);
  Task<Result<void>> rename(Place place, AccountId account, std::string from, std::string to);
  Task<Result<void>> remove(Place place, AccountId account, std::string name);
  Task<Result<void>> subscribe(Place place, AccountId account, std::string name);
  Task<Result<void>> unsubscribe(Place place, AccountId account, std::string name);

  // Views.
  Task<Result<OpenedMailbox>> open(Place place, MailboxId mailbox);
  Task<Result<Changes>> changes(Place place, MailboxId mailbox, std::uint64_t since_modseq);
  Task<Result<std::vector<MessageRow>>> fetch(Place place, MailboxId mailbox,
                                              std::vector<UidRange> ranges, FetchDepth depth,
                                              std::size_t limit);
  Task<Result<std::vector<MessageRow>>> fetch_gone(Place place, MailboxId mailbox,
                                                   std::vector<UidRange> ranges, FetchDepth depth,
                                                   std::size_t limit);
  /// Opens the stored index of a row that was fetched with FetchDepth::index.
  Task<Result<message::Index>> index(Place place, const MessageRow& row);
  /// Plain bytes of [offset, offset + length) of a body, clipped to its size.
  Task<Result<std::string>> read_body(Place place, ObjectId object, std::uint64_t offset,
                                      std::uint64_t length);

  // Changes. Bodies come sealed under the tenant's key, with their parsed index in plain.
  Task<Result<std::vector<DeliveryOutcome>>> deliver(Place place, Lane lane,
                                                     std::vector<DeliveryTarget> targets,
                                                     storage::SealedBody body, message::Index index,
                                                     Timestamp internal_date,
                                                     Alongside alongside = {});
  /// For a body that arrives in pieces: seals it meanwhile, stages it when it is large.
  Task<Result<storage::BodySpool>> body_spool(Place place);
  /// What came through a body_spool().
  Task<Result<Placed>> append(Place place, MailboxId mailbox, Flags flags, storage::SealedBody body,
                              message::Index index, Timestamp internal_date, QuotaLimit quota);
  Task<Result<CopiedMessages>> copy(Place place, MailboxId source, std::vector<UidRange> ranges,
                                    MailboxId target, QuotaLimit quota);
  Task<Result<CopiedMessages>> move(Place place, MailboxId source, std::vector<UidRange> ranges,
                                    MailboxId target);
  Task<Result<StoredFlags>> store(Place place, MailboxId mailbox, std::vector<UidRange> ranges,
                                  StoreMode mode, Flags flags,
                                  std::optional<std::uint64_t> unchanged_since);
  Task<Result<Expunged>> expunge(Place place, MailboxId mailbox, std::vector<UidRange> ranges);

  // Upkeep.
  /// Erases bodies that nothing refers to since before a time; says how many.
  Task<Result<std::int64_t>> sweep(Place place, Timestamp older_than, int limit);
  /// Forgets delivery ids applied before a time; says how many.
  Task<Result<std::int64_t>> sweep_deliveries(Place place, Timestamp older_than, int limit);
  /// Every folder and message of an account; repeatable.
  Task<Result<void>> erase_account(Place place, AccountId account);

 private:
  template <class T>
  Task<Result<T>> read(Place place, std::function<Result<T>(sql::TenantScope&)> work);
  template <class T>
  Task<Result<T>> write(Place place, Lane lane, storage::Purpose purpose,
                        std::function<Result<T>(sql::TenantScope&)> work);
  void tell(AccountId account, MailboxId mailbox, std::uint64_t modseq);

  storage::Store* store_;
  storage::Staging staging_;
  TenantKeys* keys_;
  ChangeFeed* feed_;
  Clock* clock_;
};

}  // namespace postern::mailbox
