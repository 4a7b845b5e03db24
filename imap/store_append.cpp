#include "imap/store_append.hpp"

namespace postern::imap {

StoreAppend::StoreAppend(mailbox::MailboxStore& store, mailbox::Place place, MailboxId mailbox,
                         mailbox::Flags flags, Timestamp internal_date, storage::BodySpool spool)
    : store_(&store),
      place_(place),
      mailbox_(mailbox),
      flags_(std::move(flags)),
      internal_date_(internal_date),
      spool_(std::move(spool)) {}

Task<Result<void>> StoreAppend::write(std::string bytes) {
  parser_.feed(bytes);
  co_return co_await spool_.append(bytes);
}

Task<Result<AppendResult>> StoreAppend::commit() {
  auto body = co_await spool_.finish();
  if (!body) co_return std::unexpected(body.error());
  auto tree = parser_.finish();
  auto index = message::make_index(std::move(tree), parser_.root_header());
  const auto placed = co_await store_->append(place_, mailbox_, std::move(flags_), std::move(*body),
                                              std::move(index), internal_date_, std::nullopt);
  if (!placed) co_return std::unexpected(placed.error());
  co_return AppendResult{placed->uidvalidity, placed->uid};
}

}  // namespace postern::imap
