#include "mailbox/change_feed.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace postern::mailbox {

struct ChangeFeed::Subscription::Entry {
  Executor executor;
  Callback callback;
  MailboxId mailbox;  ///< nil for a subscription to an account
  AccountId account;

  std::mutex mutex;
  bool posted = false;  ///< a notice waits on the executor
  bool ended = false;
  std::vector<Change> waiting;  ///< one a mailbox, newest modseq

  /// Adds a change; true when the caller must post a notice.
  bool add(const Change& change) {
    const std::lock_guard lock(mutex);
    if (ended) return false;
    const auto same = std::ranges::find(waiting, change.mailbox, &Change::mailbox);
    if (same == waiting.end()) {
      waiting.push_back(change);
    } else {
      same->modseq = std::max(same->modseq, change.modseq);
    }
    return !std::exchange(posted, true);
  }

  void run() {
    std::vector<Change> changes;
    {
      const std::lock_guard lock(mutex);
      posted = false;
      changes.swap(waiting);
    }
    for (const Change& change : changes) {
      {
        // A callback may end its own subscription.
        const std::lock_guard lock(mutex);
        if (ended) return;
      }
      callback(change);
    }
  }
};

struct ChangeFeed::Subscription::Registry {
  using Entries = std::vector<std::shared_ptr<Entry>>;
  std::mutex mutex;
  std::unordered_map<MailboxId, Entries> by_mailbox;
  std::unordered_map<AccountId, Entries> by_account;

  template <class Map, class Key>
  static void erase(Map& map, const Key& key, const std::shared_ptr<Entry>& entry) {
    const auto found = map.find(key);
    if (found == map.end()) return;
    std::erase(found->second, entry);
    if (found->second.empty()) map.erase(found);
  }
};

ChangeFeed::Subscription& ChangeFeed::Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    reset();
    entry_ = std::move(other.entry_);
    registry_ = std::move(other.registry_);
  }
  return *this;
}

ChangeFeed::Subscription::~Subscription() { reset(); }

void ChangeFeed::Subscription::reset() {
  const auto entry = std::exchange(entry_, nullptr);
  if (!entry) return;
  {
    const std::lock_guard lock(entry->mutex);
    entry->ended = true;
  }
  if (const auto registry = registry_.lock()) {
    const std::lock_guard lock(registry->mutex);
    Registry::erase(registry->by_mailbox, entry->mailbox, entry);
    Registry::erase(registry->by_account, entry->account, entry);
  }
}

ChangeFeed::ChangeFeed() : registry_(std::make_shared<Subscription::Registry>()) {}
ChangeFeed::~ChangeFeed() = default;

ChangeFeed::Subscription ChangeFeed::make_subscription(Executor executor, Callback callback) {
  Subscription out;
  out.entry_ = std::make_shared<Subscription::Entry>();
  out.entry_->executor = std::move(executor);
  out.entry_->callback = std::move(callback);
  out.registry_ = registry_;
  return out;
}

ChangeFeed::Subscription ChangeFeed::subscribe(Executor executor, MailboxId mailbox,
                                               Callback callback) {
  auto out = make_subscription(std::move(executor), std::move(callback));
  out.entry_->mailbox = mailbox;
  const std::lock_guard lock(registry_->mutex);
  registry_->by_mailbox[mailbox].push_back(out.entry_);
  return out;
}

ChangeFeed::Subscription ChangeFeed::subscribe_account(Executor executor, AccountId account,
                                                       Callback callback) {
  auto out = make_subscription(std::move(executor), std::move(callback));
  out.entry_->account = account;
  const std::lock_guard lock(registry_->mutex);
  registry_->by_account[account].push_back(out.entry_);
  return out;
}

void ChangeFeed::publish(const Change& change) {
  Subscription::Registry::Entries entries;
  {
    const std::lock_guard lock(registry_->mutex);
    if (const auto found = registry_->by_mailbox.find(change.mailbox);
        found != registry_->by_mailbox.end()) {
      entries = found->second;
    }
    if (const auto found = registry_->by_account.find(change.account);
        found != registry_->by_account.end()) {
      entries.insert(entries.end(), found->second.begin(), found->second.end());
    }
  }
  for (const auto& entry : entries) {
    if (entry->add(change)) asio::post(entry->executor, [entry] { entry->run(); });
  }
}

}  // namespace postern::mailbox
