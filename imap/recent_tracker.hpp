// Which messages of a mailbox no session has been told of yet: \Recent (RFC 3501 §2.3.2).
//
// Kept for the process only: what arrived before a restart counts as recent once more, as the RFC
// asks when it isn't known. Bounded; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "core/id.hpp"

namespace postern::imap {

class RecentTracker {
 public:
  /// The first uid that is recent; `claim` makes all before `uid_next` no longer so.
  std::uint32_t first_recent(MailboxId mailbox) {
    const std::scoped_lock lock(mutex_);
    const auto known = next_.find(mailbox);
    return known == next_.end() ? 1 : known->second;
  }

  std::uint32_t claim(MailboxId mailbox, std::uint32_t uid_next) {
    const std::scoped_lock lock(mutex_);
    if (next_.size() >= kMaxMailboxes && !next_.contains(mailbox)) next_.erase(next_.begin());
    auto& next = next_.try_emplace(mailbox, 1).first->second;
    const auto first = next;
    if (uid_next > next) next = uid_next;
    return first;
  }

 private:
  static constexpr std::size_t kMaxMailboxes = 100'000;

  std::mutex mutex_;
  std::unordered_map<MailboxId, std::uint32_t> next_;
};

}  // namespace postern::imap
