// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE: each one call to the backend.
#include "imap/cmd/handlers.hpp"
#include "imap/wire/mailbox_name.hpp"

namespace postern::imap {

namespace {
Reply finish(const Result<void>& done, std::string text) {
  return done ? ok(std::move(text)) : reply_for(done.error());
}

Reply bad_name() { return no("This can't be a mailbox name", "CANNOT"); }
}  // namespace

Task<Outcome> handle_create(Session& session, MailboxCommand command) {
  // RFC 3501 §6.3.3: a separator at the end says that names below will follow.
  if (command.name.ends_with(kSeparator)) command.name.pop_back();
  if (!is_creatable_name(command.name)) co_return bad_name();
  const auto done = co_await session.account().create(std::move(command.name));
  co_return finish(done, "CREATE completed");
}

Task<Outcome> handle_delete(Session& session, MailboxCommand command) {
  if (command.name == "INBOX") co_return no("INBOX can't be deleted", "CANNOT");
  const auto done = co_await session.account().remove(std::move(command.name));
  co_return finish(done, "DELETE completed");
}

Task<Outcome> handle_rename(Session& session, RenameCommand command) {
  if (command.to == "INBOX") co_return no("INBOX exists already", "ALREADYEXISTS");
  if (command.to.ends_with(kSeparator)) command.to.pop_back();
  if (!is_creatable_name(command.to)) co_return bad_name();
  if (command.to.starts_with(command.from + kSeparator) && command.from != "INBOX") {
    co_return no("A mailbox can't move below itself", "CANNOT");
  }
  const auto done =
      co_await session.account().rename(std::move(command.from), std::move(command.to));
  co_return finish(done, "RENAME completed");
}

Task<Outcome> handle_subscribe(Session& session, MailboxCommand command) {
  if (command.name.ends_with(kSeparator)) command.name.pop_back();
  if (!is_creatable_name(command.name)) co_return bad_name();
  const auto done =
      co_await session.account().set_subscription(std::move(command.name), Subscription::subscribe);
  co_return finish(done, "SUBSCRIBE completed");
}

Task<Outcome> handle_unsubscribe(Session& session, MailboxCommand command) {
  const auto done = co_await session.account().set_subscription(std::move(command.name),
                                                                Subscription::unsubscribe);
  co_return finish(done, "UNSUBSCRIBE completed");
}

}  // namespace postern::imap
