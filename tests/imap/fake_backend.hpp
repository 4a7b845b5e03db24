// An imap::Backend that keeps everything in memory: users, mailboxes, messages, tombstones,
// watches. Safe from any thread; every call suspends once, as a real one does. Faults can be set.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "imap/backend.hpp"

namespace postern::imap::test {

struct FakeMessage {
  Flags flags;
  std::uint64_t modseq = 0;
  Timestamp internal_date;
  std::string bytes;
  std::shared_ptr<const message::Index> index;
};

struct FakeWatch {
  Executor executor;
  std::function<void()> on_change;
};

struct FakeMailbox {
  MailboxId id;
  std::uint32_t uid_validity = 1;
  std::uint32_t uid_next = 1;
  std::uint32_t claimed_uid = 0;  ///< messages up to here were recent to some session before
  std::uint64_t modseq = 1;
  SpecialUse special_use = SpecialUse::none;
  bool selectable = true;
  std::map<std::uint32_t, FakeMessage> messages;
  std::map<std::uint32_t, FakeMessage> expunged;  ///< with the modseq of their expunge
  std::vector<std::weak_ptr<FakeWatch>> watches;
};

/// One user's mail.
struct FakeMail {
  std::mutex mutex;
  std::map<std::string, FakeMailbox> mailboxes;
  std::set<std::string> subscribed;
  bool valid = true;

  FakeMail();
  FakeMailbox& at(MailboxId id);
  FakeMailbox* find(MailboxId id);
};

struct NewFakeMessage {
  std::string bytes;
  Flags flags = {};
  Timestamp internal_date = {};
};

class FakeBackend : public Backend {
 public:
  /// "mrc" with the password "secret".
  FakeBackend();
  Task<Result<std::unique_ptr<Account>>> authenticate(std::string login, std::string password,
                                                      std::string remote) override;

  // What the world does, from the test's thread.
  std::uint32_t deliver(const std::string& mailbox, NewFakeMessage message);
  void set_flags(const std::string& mailbox, std::uint32_t uid, Flags flags);
  void expunge(const std::string& mailbox, std::vector<std::uint32_t> uids);
  /// As if the sweeper had removed expunged bodies.
  void forget_expunged(const std::string& mailbox);
  FakeMail& mail() { return *mail_; }

  // Faults.
  std::optional<Errc> login_error;
  std::optional<Errc> append_error;  ///< at commit
  std::optional<Errc> copy_error;
  std::optional<std::uint64_t> body_end;  ///< reads fail from this offset on
  std::size_t appends_dropped = 0;        ///< Append objects destroyed without commit

 private:
  std::shared_ptr<FakeMail> mail_ = std::make_shared<FakeMail>();
};

/// Posts every watcher's callback; the mail's mutex is held.
void notify(FakeMailbox& mailbox);
std::uint32_t add_message(FakeMailbox& mailbox, NewFakeMessage message);

}  // namespace postern::imap::test
