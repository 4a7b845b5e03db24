#include "mailbox/mailbox_store.hpp"

#include <utility>

#include "mailbox/objects.hpp"

namespace postern::mailbox {

template <class T>
Task<Result<T>> MailboxStore::read(Place place, std::function<Result<T>(sql::TenantScope&)> work) {
  storage::Database::Closure<T> closure = [place, work = std::move(work)](sql::Transaction& tx) {
    sql::TenantScope scope(tx, place.tenant);
    return work(scope);
  };
  co_return co_await store_->mail(place.shard).read<T>(std::move(closure));
}

template <class T>
Task<Result<T>> MailboxStore::write(Place place, Lane lane, storage::Purpose purpose,
                                    std::function<Result<T>(sql::TenantScope&)> work) {
  storage::Database::Closure<T> closure = [place, work = std::move(work)](sql::Transaction& tx) {
    sql::TenantScope scope(tx, place.tenant);
    return work(scope);
  };
  co_return co_await store_->mail(place.shard).write<T>(lane, purpose, std::move(closure));
}

void MailboxStore::tell(AccountId account, MailboxId mailbox, std::uint64_t modseq) {
  if (modseq != 0) feed_->publish({account, mailbox, modseq});
}

using storage::Purpose;

// --- accounts and names ---

Task<Result<void>> MailboxStore::create_account(Place place, AccountId account) {
  const Timestamp now = clock_->now();
  std::function<Result<void>(sql::TenantScope&)> work = [account, now](sql::TenantScope& scope) {
    create_account_mailboxes(scope, account, now);
    return Result<void>{};
  };
  co_return co_await write<void>(place, Lane::transactional, Purpose::outcome, std::move(work));
}

Task<Result<Usage>> MailboxStore::usage(Place place, AccountId account) {
  std::function<Result<Usage>(sql::TenantScope&)> work = [account](sql::TenantScope& scope) {
    return mailbox::usage(scope, account);
  };
  co_return co_await read<Usage>(place, std::move(work));
}

Task<Result<std::vector<MailboxInfo>>> MailboxStore::list(Place place, AccountId account) {
  using T = std::vector<MailboxInfo>;
  std::function<Result<T>(sql::TenantScope&)> work = [account](sql::TenantScope& scope) {
    return Result<T>(list_mailboxes(scope, account));
  };
  co_return co_await read<T>(place, std::move(work));
}

Task<Result<std::vector<std::string>>> MailboxStore::subscriptions(Place place, AccountId account) {
  using T = std::vector<std::string>;
  std::function<Result<T>(sql::TenantScope&)> work = [account](sql::TenantScope& scope) {
    return Result<T>(list_subscriptions(scope, account));
  };
  co_return co_await read<T>(place, std::move(work));
}

Task<Result<MailboxInfo>> MailboxStore::find(Place place, AccountId account, std::string name) {
  std::function<Result<MailboxInfo>(sql::TenantScope&)> work =
      [account, name](sql::TenantScope& scope) { return find_mailbox(scope, account, name); };
  co_return co_await read<MailboxInfo>(place, std::move(work));
}

Task<Result<MailboxInfo>> MailboxStore::create(Place place, AccountId account, std::string name,
                                               SpecialUse use) {
  const Timestamp now = clock_->now();
  std::function<Result<MailboxInfo>(sql::TenantScope&)> work = [account, name, use,
                                                                now](sql::TenantScope& scope) {
    return create_mailbox(scope, account, name, use, now);
  };
  auto made =
      co_await write<MailboxInfo>(place, Lane::transactional, Purpose::outcome, std::move(work));
  if (made) tell(account, MailboxId{}, made->highest_modseq);
  co_return made;
}

Task<Result<void>> MailboxStore::rename(Place place, AccountId account, std::string from,
                                        std::string to) {
  using T = std::vector<MailboxInfo>;
  const Timestamp now = clock_->now();
  std::function<Result<T>(sql::TenantScope&)> work = [account, from, to,
                                                      now](sql::TenantScope& scope) {
    return rename_mailbox(scope, account, from, to, now);
  };
  auto changed = co_await write<T>(place, Lane::transactional, Purpose::outcome, std::move(work));
  if (!changed) co_return std::unexpected(changed.error());
  for (const MailboxInfo& info : *changed) tell(account, info.id, info.highest_modseq);
  tell(account, MailboxId{}, 1);
  co_return Result<void>();
}

Task<Result<void>> MailboxStore::remove(Place place, AccountId account, std::string name) {
  const Timestamp now = clock_->now();
  std::function<Result<MailboxInfo>(sql::TenantScope&)> work = [account, name,
                                                                now](sql::TenantScope& scope) {
    return delete_mailbox(scope, account, name, now);
  };
  auto gone =
      co_await write<MailboxInfo>(place, Lane::transactional, Purpose::outcome, std::move(work));
  if (!gone) co_return std::unexpected(gone.error());
  tell(account, gone->id, gone->highest_modseq + 1);
  tell(account, MailboxId{}, 1);
  co_return Result<void>();
}

Task<Result<void>> MailboxStore::subscribe(Place place, AccountId account, std::string name) {
  std::function<Result<void>(sql::TenantScope&)> work = [account, name](sql::TenantScope& scope) {
    return mailbox::subscribe(scope, account, name);
  };
  co_return co_await write<void>(place, Lane::transactional, Purpose::outcome, std::move(work));
}

Task<Result<void>> MailboxStore::unsubscribe(Place place, AccountId account, std::string name) {
  std::function<Result<void>(sql::TenantScope&)> work = [account, name](sql::TenantScope& scope) {
    return mailbox::unsubscribe(scope, account, name);
  };
  co_return co_await write<void>(place, Lane::transactional, Purpose::outcome, std::move(work));
}

// --- views ---

Task<Result<OpenedMailbox>> MailboxStore::open(Place place, MailboxId mailbox) {
  std::function<Result<OpenedMailbox>(sql::TenantScope&)> work =
      [mailbox](sql::TenantScope& scope) { return open_mailbox(scope, mailbox); };
  co_return co_await read<OpenedMailbox>(place, std::move(work));
}

Task<Result<Changes>> MailboxStore::changes(Place place, MailboxId mailbox,
                                            std::uint64_t since_modseq) {
  std::function<Result<Changes>(sql::TenantScope&)> work = [mailbox,
                                                            since_modseq](sql::TenantScope& scope) {
    return changes_since(scope, mailbox, since_modseq);
  };
  co_return co_await read<Changes>(place, std::move(work));
}

Task<Result<std::vector<MessageRow>>> MailboxStore::fetch(Place place, MailboxId mailbox,
                                                          std::vector<UidRange> ranges,
                                                          FetchDepth depth, std::size_t limit) {
  using T = std::vector<MessageRow>;
  std::function<Result<T>(sql::TenantScope&)> work = [mailbox, ranges = std::move(ranges), depth,
                                                      limit](sql::TenantScope& scope) {
    return Result<T>(fetch_messages(scope, mailbox, ranges, depth, limit));
  };
  co_return co_await read<T>(place, std::move(work));
}

Task<Result<std::vector<MessageRow>>> MailboxStore::fetch_gone(Place place, MailboxId mailbox,
                                                               std::vector<UidRange> ranges,
                                                               FetchDepth depth,
                                                               std::size_t limit) {
  using T = std::vector<MessageRow>;
  std::function<Result<T>(sql::TenantScope&)> work = [mailbox, ranges = std::move(ranges), depth,
                                                      limit](sql::TenantScope& scope) {
    return Result<T>(fetch_expunged(scope, mailbox, ranges, depth, limit));
  };
  co_return co_await read<T>(place, std::move(work));
}

Task<Result<message::Index>> MailboxStore::index(Place place, const MessageRow& row) {
  const ObjectId object = row.object;
  const std::string sealed = row.index;
  auto key = co_await keys_->data_key(place.tenant);
  if (!key) co_return std::unexpected(key.error());
  co_return open_index(**key, object, sealed);
}

Task<Result<std::string>> MailboxStore::read_body(Place place, ObjectId object,
                                                  std::uint64_t offset, std::uint64_t length) {
  auto key = co_await keys_->data_key(place.tenant);
  if (!key) co_return std::unexpected(key.error());
  std::function<Result<storage::SealedRange>(sql::TenantScope&)> work =
      [object, offset, length](sql::TenantScope& scope) {
        return storage::read_body(scope, object, offset, length);
      };
  auto range = co_await read<storage::SealedRange>(place, std::move(work));
  if (!range) co_return std::unexpected(range.error());
  co_return storage::open_range(**key, object, *range, offset, length);
}

// --- changes ---

Task<Result<std::vector<DeliveryOutcome>>> MailboxStore::deliver(
    Place place, Lane lane, std::vector<DeliveryTarget> targets, storage::SealedBody body,
    message::Index index, Timestamp internal_date, Alongside alongside) {
  using T = std::vector<DeliveryOutcome>;
  auto key = co_await keys_->data_key(place.tenant);
  if (!key) co_return std::unexpected(key.error());
  const Timestamp now = clock_->now();
  // Shared, not copied: a closure may be copied and may run again.
  auto delivery = std::make_shared<Delivery>();
  delivery->targets = std::move(targets);
  delivery->body = std::move(body);
  delivery->index = seal_index(**key, delivery->body.object, index);
  delivery->internal_date = internal_date;
  std::function<Result<T>(sql::TenantScope&)> work =
      [delivery, now, alongside = std::move(alongside)](sql::TenantScope& scope) {
        auto outcomes = mailbox::deliver(scope, *delivery, now);
        if (alongside) alongside(scope.transaction(), outcomes);
        return Result<T>(std::move(outcomes));
      };
  auto outcomes = co_await write<T>(place, lane, Purpose::intake, std::move(work));
  if (!outcomes) co_return outcomes;
  for (const DeliveryOutcome& outcome : *outcomes) {
    if (outcome.state != DeliveryState::placed) continue;
    tell(outcome.where.account, outcome.where.mailbox, outcome.where.modseq);
  }
  co_return outcomes;
}

Task<Result<storage::BodySpool>> MailboxStore::body_spool(Place place) {
  auto key = co_await keys_->data_key(place.tenant);
  if (!key) co_return std::unexpected(key.error());
  co_return staging_.spool(std::move(*key));
}

Task<Result<Placed>> MailboxStore::append(Place place, MailboxId mailbox, Flags flags,
                                          storage::SealedBody body, message::Index index,
                                          Timestamp internal_date, QuotaLimit quota) {
  auto key = co_await keys_->data_key(place.tenant);
  if (!key) co_return std::unexpected(key.error());
  auto made = std::make_shared<NewMessage>();
  made->body = std::move(body);
  made->index = seal_index(**key, made->body.object, index);
  made->flags = std::move(flags);
  made->internal_date = internal_date;
  const Timestamp now = clock_->now();
  std::function<Result<Placed>(sql::TenantScope&)> work = [mailbox, made, quota,
                                                           now](sql::TenantScope& scope) {
    return append_message(scope, mailbox, *made, quota, now);
  };
  auto placed =
      co_await write<Placed>(place, Lane::transactional, Purpose::intake, std::move(work));
  if (placed) tell(placed->account, mailbox, placed->modseq);
  co_return placed;
}

Task<Result<CopiedMessages>> MailboxStore::copy(Place place, MailboxId source,
                                                std::vector<UidRange> ranges, MailboxId target,
                                                QuotaLimit quota) {
  const Timestamp now = clock_->now();
  std::function<Result<CopiedMessages>(sql::TenantScope&)> work =
      [source, ranges = std::move(ranges), target, quota, now](sql::TenantScope& scope) {
        return copy_messages(scope, source, ranges, target, quota, now);
      };
  auto copied =
      co_await write<CopiedMessages>(place, Lane::transactional, Purpose::intake, std::move(work));
  if (copied) tell(copied->account, target, copied->modseq);
  co_return copied;
}

Task<Result<CopiedMessages>> MailboxStore::move(Place place, MailboxId source,
                                                std::vector<UidRange> ranges, MailboxId target) {
  const Timestamp now = clock_->now();
  std::function<Result<CopiedMessages>(sql::TenantScope&)> work =
      [source, ranges = std::move(ranges), target, now](sql::TenantScope& scope) {
        return move_messages(scope, source, ranges, target, now);
      };
  auto moved =
      co_await write<CopiedMessages>(place, Lane::transactional, Purpose::outcome, std::move(work));
  if (!moved) co_return moved;
  tell(moved->account, source, moved->modseq);
  tell(moved->account, target, moved->modseq);
  co_return moved;
}

Task<Result<StoredFlags>> MailboxStore::store(Place place, MailboxId mailbox,
                                              std::vector<UidRange> ranges, StoreMode mode,
                                              Flags flags,
                                              std::optional<std::uint64_t> unchanged_since) {
  std::function<Result<StoredFlags>(sql::TenantScope&)> work =
      [mailbox, ranges = std::move(ranges), mode, flags = std::move(flags),
       unchanged_since](sql::TenantScope& scope) {
        return store_flags(scope, mailbox, ranges, mode, flags, unchanged_since);
      };
  auto stored =
      co_await write<StoredFlags>(place, Lane::transactional, Purpose::outcome, std::move(work));
  if (stored) tell(stored->account, mailbox, stored->modseq);
  co_return stored;
}

Task<Result<Expunged>> MailboxStore::expunge(Place place, MailboxId mailbox,
                                             std::vector<UidRange> ranges) {
  const Timestamp now = clock_->now();
  std::function<Result<Expunged>(sql::TenantScope&)> work = [mailbox, ranges = std::move(ranges),
                                                             now](sql::TenantScope& scope) {
    return expunge_messages(scope, mailbox, ranges, now);
  };
  auto gone =
      co_await write<Expunged>(place, Lane::transactional, Purpose::outcome, std::move(work));
  if (gone) tell(gone->account, mailbox, gone->modseq);
  co_return gone;
}

// --- upkeep ---

Task<Result<std::int64_t>> MailboxStore::sweep(Place place, Timestamp older_than, int limit) {
  std::function<Result<std::int64_t>(sql::TenantScope&)> work = [older_than,
                                                                 limit](sql::TenantScope& scope) {
    return Result<std::int64_t>(sweep_dead_objects(scope, older_than, limit));
  };
  co_return co_await write<std::int64_t>(place, Lane::bulk, Purpose::outcome, std::move(work));
}

Task<Result<std::int64_t>> MailboxStore::sweep_deliveries(Place place, Timestamp older_than,
                                                          int limit) {
  std::function<Result<std::int64_t>(sql::TenantScope&)> work = [older_than,
                                                                 limit](sql::TenantScope& scope) {
    return Result<std::int64_t>(sweep_applied_deliveries(scope, older_than, limit));
  };
  co_return co_await write<std::int64_t>(place, Lane::bulk, Purpose::outcome, std::move(work));
}

Task<Result<void>> MailboxStore::erase_account(Place place, AccountId account) {
  const Timestamp now = clock_->now();
  std::function<Result<void>(sql::TenantScope&)> work = [account, now](sql::TenantScope& scope) {
    delete_account_mailboxes(scope, account, now);
    return Result<void>{};
  };
  co_return co_await write<void>(place, Lane::bulk, Purpose::outcome, std::move(work));
}

}  // namespace postern::mailbox
