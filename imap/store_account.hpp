// One login's mail, over mailbox::MailboxStore. Owner: its session. See backend.hpp for the
// contract.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "accounts/authenticator.hpp"
#include "imap/backend.hpp"
#include "imap/recent_tracker.hpp"
#include "mailbox/mailbox_store.hpp"

namespace postern::imap {

class StoreAccount final : public Account {
 public:
  StoreAccount(accounts::Authenticator& authenticator, mailbox::MailboxStore& store,
               std::shared_ptr<RecentTracker> recent, accounts::Login login);

  /// The first login makes the account's mailboxes.
  Task<Result<void>> prepare();

  [[nodiscard]] std::string_view login() const override { return login_.address; }
  Task<Result<bool>> still_valid() override;

  Task<Result<std::vector<MailboxInfo>>> list() override;
  Task<Result<std::vector<std::string>>> subscriptions() override;
  Task<Result<void>> set_subscription(std::string name, Subscription what) override;
  Task<Result<void>> create(std::string name) override;
  Task<Result<void>> remove(std::string name) override;
  Task<Result<void>> rename(std::string from, std::string to) override;

  Task<Result<Snapshot>> open(std::string name, Access access) override;
  Task<Result<MailboxStatus>> status(std::string name) override;
  Task<Result<Changes>> changes(MailboxId mailbox, std::uint64_t since_modseq) override;
  std::unique_ptr<Watch> watch(MailboxId mailbox, Executor executor,
                               std::function<void()> on_change) override;

  Task<Result<std::vector<MessageData>>> fetch(MailboxId mailbox, std::vector<std::uint32_t> uids,
                                               Detail detail) override;
  Task<Result<std::string>> read_body(MailboxId mailbox, std::uint32_t uid, std::uint64_t offset,
                                      std::uint64_t length) override;

  Task<Result<std::vector<Message>>> store_flags(MailboxId mailbox, std::vector<std::uint32_t> uids,
                                                 FlagChange how, Flags flags) override;
  Task<Result<std::vector<std::uint32_t>>> expunge(
      MailboxId mailbox, std::optional<std::vector<std::uint32_t>> uids) override;
  Task<Result<CopyResult>> copy(MailboxId from, std::vector<std::uint32_t> uids,
                                std::string to) override;
  Task<Result<CopyResult>> move(MailboxId from, std::vector<std::uint32_t> uids,
                                std::string to) override;
  Task<Result<std::unique_ptr<Append>>> append(std::string name, Flags flags,
                                               std::optional<Timestamp> internal_date,
                                               std::uint64_t size) override;

 private:
  /// A mailbox that can hold messages.
  Task<Result<mailbox::MailboxInfo>> find(std::string name);
  /// Rows in the order of `uids`; expunged messages too, while their bodies are there.
  Task<Result<std::vector<mailbox::MessageRow>>> rows(MailboxId mailbox,
                                                      std::vector<std::uint32_t> uids,
                                                      mailbox::FetchDepth depth);
  Task<Result<ObjectId>> object_of(MailboxId mailbox, std::uint32_t uid);

  accounts::Authenticator* authenticator_;
  mailbox::MailboxStore* store_;
  std::shared_ptr<RecentTracker> recent_;
  accounts::Login login_;
  mailbox::Place place_;

  // Bodies of the messages fetched last, so that reading one doesn't look its row up again.
  MailboxId objects_of_;
  std::unordered_map<std::uint32_t, ObjectId> objects_;
};

}  // namespace postern::imap
