#include "tests/imap/fake_backend.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace postern::imap::test {

namespace {
using Lock = std::lock_guard<std::mutex>;

Task<void> suspend() {
  const auto executor = co_await asio::this_coro::executor;
  co_await asio::post(executor, asio::use_awaitable);
}

std::uint64_t next_modseq(FakeMailbox& mailbox) { return ++mailbox.modseq; }

class WatchHandle final : public Watch {
 public:
  explicit WatchHandle(std::shared_ptr<FakeWatch> watch) : watch_(std::move(watch)) {}

 private:
  std::shared_ptr<FakeWatch> watch_;
};

void bury(FakeMailbox& mailbox, std::uint32_t uid, std::uint64_t modseq) {
  auto node = mailbox.messages.extract(uid);
  node.mapped().modseq = modseq;
  mailbox.expunged.insert(std::move(node));
}

std::unexpected<Error> missing() { return fail(Errc::not_found, "no such mailbox"); }

class FakeAppend final : public Append {
 public:
  FakeAppend(FakeBackend& backend, std::string name, NewFakeMessage message)
      : backend_(backend), name_(std::move(name)), message_(std::move(message)) {}
  ~FakeAppend() override {
    if (!committed_) ++backend_.appends_dropped;
  }
  FakeAppend(const FakeAppend&) = delete;
  FakeAppend& operator=(const FakeAppend&) = delete;

  Task<Result<void>> write(std::string bytes) override {
    co_await suspend();
    message_.bytes += bytes;
    co_return Result<void>{};
  }

  Task<Result<AppendResult>> commit() override {
    co_await suspend();
    if (backend_.append_error) co_return fail(*backend_.append_error, "set by the test");
    const Lock lock(backend_.mail().mutex);
    auto& mailbox = backend_.mail().mailboxes.at(name_);
    committed_ = true;
    const auto uid = add_message(mailbox, std::move(message_));
    co_return AppendResult{mailbox.uid_validity, uid};
  }

 private:
  FakeBackend& backend_;
  std::string name_;
  NewFakeMessage message_;
  bool committed_ = false;
};

class FakeAccount final : public Account {
 public:
  FakeAccount(FakeBackend& backend, std::shared_ptr<FakeMail> mail)
      : backend_(backend), mail_(std::move(mail)) {}

  [[nodiscard]] std::string_view login() const override { return "mrc"; }
  Task<Result<bool>> still_valid() override { co_return mail_->valid; }

  Task<Result<std::vector<MailboxInfo>>> list() override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    std::vector<MailboxInfo> out;
    for (const auto& [name, mailbox] : mail_->mailboxes) {
      out.push_back({mailbox.id, name, mailbox.special_use, mailbox.selectable});
    }
    co_return out;
  }

  Task<Result<std::vector<std::string>>> subscriptions() override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    co_return std::vector<std::string>(mail_->subscribed.begin(), mail_->subscribed.end());
  }

  Task<Result<void>> set_subscription(std::string name, Subscription what) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    if (what == Subscription::subscribe) {
      mail_->subscribed.insert(name);
    } else {
      mail_->subscribed.erase(name);
    }
    co_return Result<void>{};
  }

  Task<Result<void>> create(std::string name) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    const auto known = mail_->mailboxes.find(name);
    if (known != mail_->mailboxes.end() && known->second.selectable) {
      co_return fail(Errc::exists, "exists");
    }
    for (auto at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1)) {
      const auto above = name.substr(0, at);
      if (!mail_->mailboxes.contains(above)) make(above, false);
    }
    make(name, true);
    co_return Result<void>{};
  }

  Task<Result<void>> remove(std::string name) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    const auto known = mail_->mailboxes.find(name);
    if (known == mail_->mailboxes.end()) co_return missing();
    notify(known->second);
    if (!has_children(name)) {
      mail_->mailboxes.erase(known);
    } else if (!known->second.selectable) {
      co_return fail(Errc::denied, "has children");
    } else {
      known->second = FakeMailbox{};
      known->second.id = MailboxId::make();
      known->second.selectable = false;
    }
    co_return Result<void>{};
  }

  Task<Result<void>> rename(std::string from, std::string to) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    if (!mail_->mailboxes.contains(from)) co_return missing();
    if (mail_->mailboxes.contains(to)) co_return fail(Errc::exists, "exists");
    if (from == "INBOX") {
      make(to, true);
      auto& inbox = mail_->mailboxes.at(from);
      const auto modseq = next_modseq(inbox);
      while (!inbox.messages.empty()) {
        const auto& first = *inbox.messages.begin();
        add_message(mail_->mailboxes.at(to),
                    {first.second.bytes, first.second.flags, first.second.internal_date});
        bury(inbox, first.first, modseq);
      }
      notify(inbox);
      co_return Result<void>{};
    }
    std::map<std::string, FakeMailbox> moved;
    for (auto& [name, mailbox] : mail_->mailboxes) {
      const bool below = name == from || name.starts_with(from + "/");
      moved.emplace(below ? to + name.substr(from.size()) : name, std::move(mailbox));
    }
    mail_->mailboxes = std::move(moved);
    co_return Result<void>{};
  }

  Task<Result<Snapshot>> open(std::string name, Access access) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    const auto known = mail_->mailboxes.find(name);
    if (known == mail_->mailboxes.end() || !known->second.selectable) co_return missing();
    auto& mailbox = known->second;
    Snapshot out{mailbox.id,       mailbox.uid_validity,
                 mailbox.uid_next, mailbox.claimed_uid + 1,
                 mailbox.modseq,   {}};
    for (const auto& [uid, message] : mailbox.messages) {
      out.messages.push_back({uid, message.flags, message.modseq});
    }
    if (access == Access::read_write) mailbox.claimed_uid = mailbox.uid_next - 1;
    co_return out;
  }

  Task<Result<MailboxStatus>> status(std::string name) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    const auto known = mail_->mailboxes.find(name);
    if (known == mail_->mailboxes.end() || !known->second.selectable) co_return missing();
    const auto& mailbox = known->second;
    MailboxStatus out;
    out.uid_next = mailbox.uid_next;
    out.uid_validity = mailbox.uid_validity;
    for (const auto& [uid, message] : mailbox.messages) {
      ++out.messages;
      if (uid > mailbox.claimed_uid) ++out.recent;
      if (!message.flags.has(kSeen)) ++out.unseen;
    }
    co_return out;
  }

  Task<Result<Changes>> changes(MailboxId id, std::uint64_t since) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    const auto* mailbox = mail_->find(id);
    if (mailbox == nullptr) co_return missing();
    Changes out{mailbox->modseq, mailbox->uid_next, {}, {}};
    for (const auto& [uid, message] : mailbox->messages) {
      if (message.modseq > since) out.messages.push_back({uid, message.flags, message.modseq});
    }
    for (const auto& [uid, message] : mailbox->expunged) {
      if (message.modseq > since) out.expunged.push_back(uid);
    }
    co_return out;
  }

  std::unique_ptr<Watch> watch(MailboxId id, Executor executor,
                               std::function<void()> on_change) override {
    const Lock lock(mail_->mutex);
    auto* mailbox = mail_->find(id);
    auto entry = std::make_shared<FakeWatch>(std::move(executor), std::move(on_change));
    if (mailbox != nullptr) mailbox->watches.push_back(entry);
    return std::make_unique<WatchHandle>(std::move(entry));
  }

  Task<Result<std::vector<MessageData>>> fetch(MailboxId id, std::vector<std::uint32_t> uids,
                                               Detail detail) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    const auto* mailbox = mail_->find(id);
    if (mailbox == nullptr) co_return missing();
    std::vector<MessageData> out;
    for (const auto uid : uids) {
      const auto* message = find_message(*mailbox, uid);
      if (message == nullptr) continue;
      out.push_back({uid, message->internal_date, message->bytes.size(),
                     detail == Detail::index ? message->index : nullptr});
    }
    co_return out;
  }

  Task<Result<std::string>> read_body(MailboxId id, std::uint32_t uid, std::uint64_t offset,
                                      std::uint64_t length) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    const auto* mailbox = mail_->find(id);
    const auto* message = mailbox == nullptr ? nullptr : find_message(*mailbox, uid);
    if (message == nullptr) co_return missing();
    if (backend_.body_end && offset >= *backend_.body_end) co_return fail(Errc::corrupt, "damaged");
    if (offset >= message->bytes.size()) co_return std::string();
    co_return message->bytes.substr(static_cast<std::size_t>(offset),
                                    static_cast<std::size_t>(std::min(length, kReadChunk)));
  }

  Task<Result<std::vector<Message>>> store_flags(MailboxId id, std::vector<std::uint32_t> uids,
                                                 FlagChange how, Flags flags) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    auto* mailbox = mail_->find(id);
    if (mailbox == nullptr) co_return missing();
    const auto modseq = next_modseq(*mailbox);
    std::vector<Message> out;
    for (const auto uid : uids) {
      const auto known = mailbox->messages.find(uid);
      if (known == mailbox->messages.end()) continue;
      auto& message = known->second;
      auto after = apply_flags(message.flags, how, flags);
      if (!(after == message.flags)) message.modseq = modseq;
      message.flags = std::move(after);
      out.push_back({uid, message.flags, message.modseq});
    }
    notify(*mailbox);
    co_return out;
  }

  Task<Result<std::vector<std::uint32_t>>> expunge(
      MailboxId id, std::optional<std::vector<std::uint32_t>> uids) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    auto* mailbox = mail_->find(id);
    if (mailbox == nullptr) co_return missing();
    const auto modseq = next_modseq(*mailbox);
    std::vector<std::uint32_t> out;
    for (const auto& [uid, message] : mailbox->messages) {
      if (!message.flags.has(kDeleted)) continue;
      if (uids && std::ranges::find(*uids, uid) == uids->end()) continue;
      out.push_back(uid);
    }
    for (const auto uid : out) bury(*mailbox, uid, modseq);
    notify(*mailbox);
    co_return out;
  }

  Task<Result<CopyResult>> copy(MailboxId from, std::vector<std::uint32_t> uids,
                                std::string to) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    co_return transfer(from, uids, to, false);
  }

  Task<Result<CopyResult>> move(MailboxId from, std::vector<std::uint32_t> uids,
                                std::string to) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    co_return transfer(from, uids, to, true);
  }

  Task<Result<std::unique_ptr<Append>>> append(std::string name, Flags flags,
                                               std::optional<Timestamp> internal_date,
                                               std::uint64_t) override {
    co_await suspend();
    const Lock lock(mail_->mutex);
    const auto known = mail_->mailboxes.find(name);
    if (known == mail_->mailboxes.end() || !known->second.selectable) co_return missing();
    NewFakeMessage message{{}, std::move(flags), internal_date.value_or(Timestamp{})};
    std::unique_ptr<Append> out =
        std::make_unique<FakeAppend>(backend_, std::move(name), std::move(message));
    co_return out;
  }

 private:
  // Expunged messages can still be read until they are forgotten, as the real store promises.
  static const FakeMessage* find_message(const FakeMailbox& mailbox, std::uint32_t uid) {
    for (const auto* messages : {&mailbox.messages, &mailbox.expunged}) {
      const auto known = messages->find(uid);
      if (known != messages->end()) return &known->second;
    }
    return nullptr;
  }

  void make(const std::string& name, bool selectable) {
    auto& mailbox = mail_->mailboxes[name];
    mailbox.id = MailboxId::make();
    mailbox.uid_validity = 100 + static_cast<std::uint32_t>(mail_->mailboxes.size());
    mailbox.selectable = selectable;
  }

  [[nodiscard]] bool has_children(const std::string& name) const {
    const auto next = mail_->mailboxes.lower_bound(name + "/");
    return next != mail_->mailboxes.end() && next->first.starts_with(name + "/");
  }

  Result<CopyResult> transfer(MailboxId from, const std::vector<std::uint32_t>& uids,
                              const std::string& to, bool bury_source) {
    if (backend_.copy_error) return fail(*backend_.copy_error, "set by the test");
    auto* source = mail_->find(from);
    const auto target = mail_->mailboxes.find(to);
    if (source == nullptr || target == mail_->mailboxes.end() || !target->second.selectable) {
      return missing();
    }
    CopyResult out{target->second.uid_validity, {}};
    const auto modseq = next_modseq(*source);
    for (const auto uid : uids) {
      const auto known = source->messages.find(uid);
      if (known == source->messages.end()) continue;
      const auto& message = known->second;
      out.uids.emplace_back(
          uid, add_message(target->second, {message.bytes, message.flags, message.internal_date}));
      if (bury_source) bury(*source, uid, modseq);
    }
    notify(*source);
    return out;
  }

  FakeBackend& backend_;
  std::shared_ptr<FakeMail> mail_;
};
}  // namespace

void notify(FakeMailbox& mailbox) {
  for (const auto& weak : mailbox.watches) {
    const auto watch = weak.lock();
    if (!watch) continue;
    asio::post(watch->executor, [weak] {
      if (const auto still = weak.lock()) still->on_change();
    });
  }
}

std::uint32_t add_message(FakeMailbox& mailbox, NewFakeMessage message) {
  const auto uid = mailbox.uid_next++;
  FakeMessage stored{std::move(message.flags), next_modseq(mailbox), message.internal_date,
                     std::move(message.bytes), nullptr};
  stored.index = std::make_shared<const message::Index>(message::make_index(stored.bytes));
  mailbox.messages.emplace(uid, std::move(stored));
  notify(mailbox);
  return uid;
}

FakeMail::FakeMail() {
  const auto make = [this](const std::string& name, SpecialUse use) {
    auto& mailbox = mailboxes[name];
    mailbox.id = MailboxId::make();
    mailbox.special_use = use;
    mailbox.uid_validity = static_cast<std::uint32_t>(mailboxes.size());
    subscribed.insert(name);
  };
  make("INBOX", SpecialUse::none);
  make("Drafts", SpecialUse::drafts);
  make("Sent", SpecialUse::sent);
  make("Trash", SpecialUse::trash);
}

FakeMailbox* FakeMail::find(MailboxId id) {
  for (auto& [name, mailbox] : mailboxes) {
    if (mailbox.id == id) return &mailbox;
  }
  return nullptr;
}

FakeBackend::FakeBackend() = default;

Task<Result<std::unique_ptr<Account>>> FakeBackend::authenticate(std::string login,
                                                                 std::string password,
                                                                 std::string) {
  co_await suspend();
  if (login_error) co_return fail(*login_error, "set by the test");
  if (login != "mrc" || password != "secret") co_return fail(Errc::denied, "wrong");
  std::unique_ptr<Account> out = std::make_unique<FakeAccount>(*this, mail_);
  co_return out;
}

std::uint32_t FakeBackend::deliver(const std::string& mailbox, NewFakeMessage message) {
  const Lock lock(mail_->mutex);
  return add_message(mail_->mailboxes.at(mailbox), std::move(message));
}

void FakeBackend::set_flags(const std::string& name, std::uint32_t uid, Flags flags) {
  const Lock lock(mail_->mutex);
  auto& mailbox = mail_->mailboxes.at(name);
  auto& message = mailbox.messages.at(uid);
  message.flags = std::move(flags);
  message.modseq = next_modseq(mailbox);
  notify(mailbox);
}

void FakeBackend::expunge(const std::string& name, std::vector<std::uint32_t> uids) {
  const Lock lock(mail_->mutex);
  auto& mailbox = mail_->mailboxes.at(name);
  const auto modseq = next_modseq(mailbox);
  for (const auto uid : uids) bury(mailbox, uid, modseq);
  notify(mailbox);
}

void FakeBackend::forget_expunged(const std::string& name) {
  const Lock lock(mail_->mutex);
  for (auto& [uid, message] : mail_->mailboxes.at(name).expunged) {
    message.bytes.clear();
    message.index = nullptr;
  }
}

}  // namespace postern::imap::test
