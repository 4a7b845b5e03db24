// Tells views that a mailbox changed: after a commit, (account, mailbox, modseq) goes to every
// subscriber on the executor it named. Thread-safe.
//
// A subscriber has at most one notice under way: while one waits on its executor, later changes
// only raise its modseq. So a slow subscriber costs nothing, and sees the newest state when it
// looks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/id.hpp"
#include "core/task.hpp"

namespace postern::mailbox {

struct Change {
  AccountId account;
  MailboxId mailbox;
  std::uint64_t modseq = 0;  ///< the newest known when the notice runs
};

class ChangeFeed {
 public:
  using Callback = std::function<void(const Change&)>;

  /// Ends the subscription when it dies. Destroy it on its executor's thread: then no callback runs
  /// after.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&&) noexcept = default;
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription();
    void reset();

   private:
    friend class ChangeFeed;
    struct Entry;
    struct Registry;
    std::shared_ptr<Entry> entry_;
    std::weak_ptr<Registry> registry_;
  };

  ChangeFeed();
  ~ChangeFeed();
  ChangeFeed(const ChangeFeed&) = delete;
  ChangeFeed& operator=(const ChangeFeed&) = delete;

  [[nodiscard]] Subscription subscribe(Executor executor, MailboxId mailbox, Callback callback);
  /// Every mailbox of an account, and changes of its mailbox list (Change::mailbox is nil for
  /// those).
  [[nodiscard]] Subscription subscribe_account(Executor executor, AccountId account,
                                               Callback callback);
  /// From any thread; never blocks on a subscriber.
  void publish(const Change& change);

 private:
  Subscription make_subscription(Executor executor, Callback callback);

  std::shared_ptr<Subscription::Registry> registry_;
};

}  // namespace postern::mailbox
