#include "app/server/removed_accounts.hpp"

#include "accounts/account.hpp"
#include "core/log.hpp"
#include "storage/outbox.hpp"

namespace postern::server {

namespace {

using storage::outbox::Entry;

constexpr std::size_t kClaim = 20;

Task<Result<std::vector<Entry>>> claim(storage::Database& control, Timestamp now) {
  co_return co_await control.write<std::vector<Entry>>(
      Lane::bulk, storage::Purpose::outcome,
      [now](sql::Transaction& tx) -> Result<std::vector<Entry>> {
        return storage::outbox::claim_due(tx, accounts::kAccountRemoved, now, kClaim);
      });
}

Task<void> complete(storage::Database& control, storage::outbox::Place entry) {
  auto done = co_await control.write<void>(Lane::bulk, storage::Purpose::outcome,
                                           [entry](sql::Transaction& tx) -> Result<void> {
                                             storage::outbox::complete(tx, entry);
                                             return {};
                                           });
  if (!done) log::warn("account_erase_not_noted", {{"error", done.error().message}});
}

Task<bool> erase(mailbox::MailboxStore& mailboxes, const Entry& entry) {
  const auto removed = accounts::parse_removed_account(entry.payload);
  if (!removed) {
    log::error("account_erase_failed", {{"error", removed.error().message}});
    co_return false;
  }
  const auto erased =
      co_await mailboxes.erase_account({removed->tenant, removed->shard}, removed->account);
  if (!erased) log::warn("account_erase_failed", {{"error", erased.error().message}});
  co_return erased.has_value();
}

}  // namespace

Task<void> erase_removed_accounts(storage::Database& control, mailbox::MailboxStore& mailboxes,
                                  Clock& clock) {
  for (;;) {
    const auto entries = co_await claim(control, clock.now());
    if (!entries || entries->empty()) co_return;
    for (const auto& entry : *entries) {
      const bool erased = co_await erase(mailboxes, entry);
      if (erased) co_await complete(control, entry.place);
    }
  }
}

}  // namespace postern::server
