#include "imap/store_account.hpp"

#include <algorithm>
#include <limits>

#include "imap/store_append.hpp"
#include "imap/store_values.hpp"

namespace postern::imap {

namespace {
class StoreWatch final : public Watch {
 public:
  explicit StoreWatch(mailbox::ChangeFeed::Subscription subscription)
      : subscription_(std::move(subscription)) {}

 private:
  mailbox::ChangeFeed::Subscription subscription_;
};

CopyResult to_imap(const mailbox::CopiedMessages& copied) {
  CopyResult out{copied.target_uidvalidity, {}};
  for (std::size_t i = 0; i < copied.source_uids.size(); ++i) {
    out.uids.emplace_back(copied.source_uids[i], copied.target_uids[i]);
  }
  return out;
}

constexpr mailbox::UidRange kAllUids{1, std::numeric_limits<std::uint32_t>::max()};
}  // namespace

StoreAccount::StoreAccount(accounts::Authenticator& authenticator, mailbox::MailboxStore& store,
                           std::shared_ptr<RecentTracker> recent, accounts::Login login)
    : authenticator_(&authenticator),
      store_(&store),
      recent_(std::move(recent)),
      login_(std::move(login)),
      place_{login_.identity.tenant, login_.shard} {}

Task<Result<void>> StoreAccount::prepare() {
  const auto usage = co_await store_->usage(place_, login_.identity.account);
  if (usage) co_return Result<void>{};
  if (usage.error().code != Errc::not_found) co_return std::unexpected(usage.error());
  co_return co_await store_->create_account(place_, login_.identity.account);
}

Task<Result<bool>> StoreAccount::still_valid() {
  co_return co_await authenticator_->still_valid(login_);
}

Task<Result<std::vector<MailboxInfo>>> StoreAccount::list() {
  const auto found = co_await store_->list(place_, login_.identity.account);
  if (!found) co_return std::unexpected(found.error());
  std::vector<MailboxInfo> out;
  for (const auto& one : *found) {
    out.push_back({one.id, one.name, imap::to_imap(one.special_use), one.selectable});
  }
  co_return out;
}

Task<Result<std::vector<std::string>>> StoreAccount::subscriptions() {
  co_return co_await store_->subscriptions(place_, login_.identity.account);
}

Task<Result<void>> StoreAccount::set_subscription(std::string name, Subscription what) {
  const auto account = login_.identity.account;
  if (what == Subscription::subscribe) {
    co_return co_await store_->subscribe(place_, account, std::move(name));
  }
  co_return co_await store_->unsubscribe(place_, account, std::move(name));
}

Task<Result<void>> StoreAccount::create(std::string name) {
  const auto made = co_await store_->create(place_, login_.identity.account, std::move(name),
                                            mailbox::SpecialUse::none);
  if (!made) co_return std::unexpected(made.error());
  co_return Result<void>{};
}

Task<Result<void>> StoreAccount::remove(std::string name) {
  co_return co_await store_->remove(place_, login_.identity.account, std::move(name));
}

Task<Result<void>> StoreAccount::rename(std::string from, std::string to) {
  co_return co_await store_->rename(place_, login_.identity.account, std::move(from),
                                    std::move(to));
}

Task<Result<mailbox::MailboxInfo>> StoreAccount::find(std::string name) {
  auto info = co_await store_->find(place_, login_.identity.account, std::move(name));
  if (info && !info->selectable) co_return fail(Errc::not_found, "a level of hierarchy only");
  co_return info;
}

Task<Result<Snapshot>> StoreAccount::open(std::string name, Access access) {
  const auto info = co_await find(std::move(name));
  if (!info) co_return std::unexpected(info.error());
  const auto opened = co_await store_->open(place_, info->id);
  if (!opened) co_return std::unexpected(opened.error());
  Snapshot out;
  out.id = opened->info.id;
  out.uid_validity = opened->info.uidvalidity;
  out.uid_next = opened->info.uidnext;
  out.highest_modseq = opened->info.highest_modseq;
  out.first_recent_uid = access == Access::read_write ? recent_->claim(out.id, out.uid_next)
                                                      : recent_->first_recent(out.id);
  out.messages.reserve(opened->messages.size());
  for (const auto& state : opened->messages) out.messages.push_back(imap::to_imap(state));
  co_return out;
}

Task<Result<MailboxStatus>> StoreAccount::status(std::string name) {
  const auto info = co_await find(std::move(name));
  if (!info) co_return std::unexpected(info.error());
  MailboxStatus out;
  out.messages = info->messages;
  out.unseen = info->unseen;
  out.uid_next = info->uidnext;
  out.uid_validity = info->uidvalidity;
  // Of the uids not claimed yet some may be expunged already: an upper bound, as good as \Recent
  // gets.
  const auto first = recent_->first_recent(info->id);
  out.recent = std::min(info->messages, info->uidnext - std::min(first, info->uidnext));
  co_return out;
}

Task<Result<Changes>> StoreAccount::changes(MailboxId mailbox, std::uint64_t since_modseq) {
  const auto found = co_await store_->changes(place_, mailbox, since_modseq);
  if (!found) co_return std::unexpected(found.error());
  Changes out;
  out.highest_modseq = found->info.highest_modseq;
  out.uid_next = found->info.uidnext;
  out.expunged = found->vanished;
  for (const auto& state : found->changed) out.messages.push_back(imap::to_imap(state));
  co_return out;
}

std::unique_ptr<Watch> StoreAccount::watch(MailboxId mailbox, Executor executor,
                                           std::function<void()> on_change) {
  return std::make_unique<StoreWatch>(store_->feed().subscribe(
      std::move(executor), mailbox,
      [notify = std::move(on_change)](const mailbox::Change&) { notify(); }));
}

Task<Result<std::vector<mailbox::MessageRow>>> StoreAccount::rows(MailboxId mailbox,
                                                                  std::vector<std::uint32_t> uids,
                                                                  mailbox::FetchDepth depth) {
  const auto count = uids.size();
  auto found = co_await store_->fetch(place_, mailbox, to_ranges(uids), depth, count);
  if (!found || found->size() == count) co_return found;
  std::erase_if(uids, [&](std::uint32_t uid) {
    return std::ranges::any_of(*found, [uid](const auto& row) { return row.state.uid == uid; });
  });
  auto gone = co_await store_->fetch_gone(place_, mailbox, to_ranges(uids), depth, uids.size());
  if (!gone) co_return gone;
  found->insert(found->end(), std::make_move_iterator(gone->begin()),
                std::make_move_iterator(gone->end()));
  std::ranges::sort(*found, {}, [](const auto& row) { return row.state.uid; });
  co_return found;
}

Task<Result<std::vector<MessageData>>> StoreAccount::fetch(MailboxId mailbox,
                                                           std::vector<std::uint32_t> uids,
                                                           Detail detail) {
  const bool index = detail == Detail::index;
  const auto found = co_await rows(mailbox, std::move(uids),
                                   index ? mailbox::FetchDepth::index : mailbox::FetchDepth::state);
  if (!found) co_return std::unexpected(found.error());
  objects_of_ = mailbox;
  objects_.clear();
  std::vector<MessageData> out;
  for (const auto& row : *found) {
    MessageData data{row.state.uid, row.internal_date, row.size, nullptr};
    if (index) {
      auto opened = co_await store_->index(place_, row);
      if (!opened) co_return std::unexpected(opened.error());
      data.index = std::make_shared<const message::Index>(std::move(*opened));
    }
    objects_.emplace(row.state.uid, row.object);
    out.push_back(std::move(data));
  }
  co_return out;
}

Task<Result<ObjectId>> StoreAccount::object_of(MailboxId mailbox, std::uint32_t uid) {
  if (objects_of_ == mailbox) {
    const auto known = objects_.find(uid);
    if (known != objects_.end()) co_return known->second;
  }
  std::vector<std::uint32_t> one{uid};
  const auto found = co_await rows(mailbox, std::move(one), mailbox::FetchDepth::state);
  if (!found) co_return std::unexpected(found.error());
  if (found->empty()) co_return fail(Errc::not_found, "no such message");
  co_return found->front().object;
}

Task<Result<std::string>> StoreAccount::read_body(MailboxId mailbox, std::uint32_t uid,
                                                  std::uint64_t offset, std::uint64_t length) {
  const auto object = co_await object_of(mailbox, uid);
  if (!object) co_return std::unexpected(object.error());
  co_return co_await store_->read_body(place_, *object, offset, std::min(length, kReadChunk));
}

Task<Result<std::vector<Message>>> StoreAccount::store_flags(MailboxId mailbox,
                                                             std::vector<std::uint32_t> uids,
                                                             FlagChange how, Flags flags) {
  const auto stored = co_await store_->store(place_, mailbox, to_ranges(uids), to_store(how),
                                             to_store(flags), std::nullopt);
  if (!stored) co_return std::unexpected(stored.error());
  std::vector<Message> out;
  for (const auto* list : {&stored->changed, &stored->unchanged}) {
    for (const auto& state : *list) out.push_back(imap::to_imap(state));
  }
  std::ranges::sort(out, {}, &Message::uid);
  co_return out;
}

Task<Result<std::vector<std::uint32_t>>> StoreAccount::expunge(
    MailboxId mailbox, std::optional<std::vector<std::uint32_t>> uids) {
  std::vector<mailbox::UidRange> ranges{kAllUids};
  if (uids) ranges = to_ranges(*uids);
  auto gone = co_await store_->expunge(place_, mailbox, std::move(ranges));
  if (!gone) co_return std::unexpected(gone.error());
  co_return std::move(gone->uids);
}

Task<Result<CopyResult>> StoreAccount::copy(MailboxId from, std::vector<std::uint32_t> uids,
                                            std::string to) {
  const auto target = co_await find(std::move(to));
  if (!target) co_return std::unexpected(target.error());
  const auto done = co_await store_->copy(place_, from, to_ranges(uids), target->id, std::nullopt);
  if (!done) co_return std::unexpected(done.error());
  co_return to_imap(*done);
}

Task<Result<CopyResult>> StoreAccount::move(MailboxId from, std::vector<std::uint32_t> uids,
                                            std::string to) {
  const auto target = co_await find(std::move(to));
  if (!target) co_return std::unexpected(target.error());
  const auto done = co_await store_->move(place_, from, to_ranges(uids), target->id);
  if (!done) co_return std::unexpected(done.error());
  co_return to_imap(*done);
}

Task<Result<std::unique_ptr<Append>>> StoreAccount::append(std::string name, Flags flags,
                                                           std::optional<Timestamp> internal_date,
                                                           std::uint64_t) {
  const auto target = co_await find(std::move(name));
  if (!target) co_return std::unexpected(target.error());
  auto spool = co_await store_->body_spool(place_);
  if (!spool) co_return std::unexpected(spool.error());
  std::unique_ptr<Append> out = std::make_unique<StoreAppend>(
      *store_, place_, target->id, to_store(flags), internal_date.value_or(system_clock().now()),
      std::move(*spool));
  co_return out;
}

}  // namespace postern::imap
