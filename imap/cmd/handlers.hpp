// The handlers of the dispatch table: one command, or one family, a file (APPEND has its own way:
// imap/session_append.cpp). They are called with the session in an allowed state and a whole,
// parsed command; they write untagged responses and give the tagged one.
#pragma once

#include "imap/session.hpp"

namespace postern::imap {

Task<Outcome> handle_capability(Session& session, NoArguments command);
Task<Outcome> handle_noop(Session& session, NoArguments command);
Task<Outcome> handle_logout(Session& session, NoArguments command);
Task<Outcome> handle_id(Session& session, IdCommand command);
Task<Outcome> handle_starttls(Session& session, NoArguments command);
Task<Outcome> handle_login(Session& session, LoginCommand command);
Task<Outcome> handle_authenticate(Session& session, AuthenticateCommand command);
Task<Outcome> handle_enable(Session& session, EnableCommand command);
Task<Outcome> handle_namespace(Session& session, NoArguments command);
Task<Outcome> handle_select(Session& session, SelectCommand command);
Task<Outcome> handle_create(Session& session, MailboxCommand command);
Task<Outcome> handle_delete(Session& session, MailboxCommand command);
Task<Outcome> handle_rename(Session& session, RenameCommand command);
Task<Outcome> handle_subscribe(Session& session, MailboxCommand command);
Task<Outcome> handle_unsubscribe(Session& session, MailboxCommand command);
Task<Outcome> handle_list(Session& session, ListCommand command);
Task<Outcome> handle_status(Session& session, StatusCommand command);
Task<Outcome> handle_idle(Session& session, NoArguments command);
Task<Outcome> handle_check(Session& session, NoArguments command);
Task<Outcome> handle_close(Session& session, NoArguments command);
Task<Outcome> handle_unselect(Session& session, NoArguments command);
Task<Outcome> handle_expunge(Session& session, ExpungeCommand command);
Task<Outcome> handle_search(Session& session, SearchCommand command);
Task<Outcome> handle_fetch(Session& session, FetchCommand command);
Task<Outcome> handle_store(Session& session, StoreCommand command);
Task<Outcome> handle_copy(Session& session, CopyCommand command);

/// Shared by LOGIN and AUTHENTICATE: asks the backend, wipes the password, changes state, answers.
Task<Outcome> check_credentials(Session& session, std::string login, std::string password);

}  // namespace postern::imap
