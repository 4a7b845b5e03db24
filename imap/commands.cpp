#include "imap/commands.hpp"

#include <array>
#include <variant>

#include "core/ascii.hpp"
#include "imap/cmd/handlers.hpp"

namespace postern::imap {

namespace {
// Binds a handler to the value that its parser makes.
template <class Value, Task<Outcome> (*Fn)(Session&, Value)>
Task<Outcome> call(Session& session, Command command) {
  return Fn(session, std::get<Value>(std::move(command)));
}

// APPEND is in imap/session_append.cpp: its message is taken over when the literal is announced
// (Session::decide_literal). A command that comes here whole had a message that was no literal of
// its own.
Parsed parse_append_without_message(Scanner&) { return bad("Expected a message literal"); }
Task<Outcome> handle_append_without_message(Session&, AppendCommand) {
  co_return bad_reply("Expected a message literal");
}

// clang-format off
constexpr std::array kCommands{
    CommandSpec{"CAPABILITY", parse_no_arguments, call<NoArguments, handle_capability>, kAnyState, 0},
    CommandSpec{"NOOP", parse_no_arguments, call<NoArguments, handle_noop>, kAnyState, kAsksForNews},
    CommandSpec{"LOGOUT", parse_no_arguments, call<NoArguments, handle_logout>, kAnyState, kQuiet},
    CommandSpec{"ID", parse_id, call<IdCommand, handle_id>, kAnyState, 0},

    CommandSpec{"STARTTLS", parse_no_arguments, call<NoArguments, handle_starttls>, kInNotAuthenticated, kQuiet},
    CommandSpec{"LOGIN", parse_login, call<LoginCommand, handle_login>, kInNotAuthenticated, kQuiet},
    CommandSpec{"AUTHENTICATE", parse_authenticate, call<AuthenticateCommand, handle_authenticate>, kInNotAuthenticated, kQuiet},

    CommandSpec{"ENABLE", parse_enable, call<EnableCommand, handle_enable>, kLoggedIn, 0},
    CommandSpec{"NAMESPACE", parse_no_arguments, call<NoArguments, handle_namespace>, kLoggedIn, 0},
    CommandSpec{"SELECT", parse_select, call<SelectCommand, handle_select>, kLoggedIn, kQuiet},
    CommandSpec{"EXAMINE", parse_examine, call<SelectCommand, handle_select>, kLoggedIn, kQuiet},
    CommandSpec{"CREATE", parse_mailbox, call<MailboxCommand, handle_create>, kLoggedIn, 0},
    CommandSpec{"DELETE", parse_mailbox, call<MailboxCommand, handle_delete>, kLoggedIn, 0},
    CommandSpec{"RENAME", parse_rename, call<RenameCommand, handle_rename>, kLoggedIn, 0},
    CommandSpec{"SUBSCRIBE", parse_mailbox, call<MailboxCommand, handle_subscribe>, kLoggedIn, 0},
    CommandSpec{"UNSUBSCRIBE", parse_mailbox, call<MailboxCommand, handle_unsubscribe>, kLoggedIn, 0},
    CommandSpec{"LIST", parse_list, call<ListCommand, handle_list>, kLoggedIn, 0},
    CommandSpec{"LSUB", parse_lsub, call<ListCommand, handle_list>, kLoggedIn, 0},
    CommandSpec{"STATUS", parse_status, call<StatusCommand, handle_status>, kLoggedIn, 0},
    CommandSpec{"APPEND", parse_append_without_message, call<AppendCommand, handle_append_without_message>, kLoggedIn, kAsksForNews},
    CommandSpec{"IDLE", parse_no_arguments, call<NoArguments, handle_idle>, kLoggedIn, kAsksForNews},

    CommandSpec{"CHECK", parse_no_arguments, call<NoArguments, handle_check>, kInSelected, kAsksForNews},
    CommandSpec{"CLOSE", parse_no_arguments, call<NoArguments, handle_close>, kInSelected, kQuiet},
    CommandSpec{"UNSELECT", parse_no_arguments, call<NoArguments, handle_unselect>, kInSelected, kQuiet},
    CommandSpec{"EXPUNGE", parse_expunge, call<ExpungeCommand, handle_expunge>, kInSelected, 0},
    CommandSpec{"SEARCH", parse_search, call<SearchCommand, handle_search>, kInSelected, kHoldsExpunges},
    CommandSpec{"FETCH", parse_fetch, call<FetchCommand, handle_fetch>, kInSelected, kHoldsExpunges},
    CommandSpec{"STORE", parse_store, call<StoreCommand, handle_store>, kInSelected, kHoldsExpunges},
    CommandSpec{"COPY", parse_copy, call<CopyCommand, handle_copy>, kInSelected, 0},
    CommandSpec{"MOVE", parse_move, call<CopyCommand, handle_copy>, kInSelected, 0},

    CommandSpec{"UID EXPUNGE", parse_uid_expunge, call<ExpungeCommand, handle_expunge>, kInSelected, kNumbersUids},
    CommandSpec{"UID SEARCH", parse_uid_search, call<SearchCommand, handle_search>, kInSelected, kNumbersUids},
    CommandSpec{"UID FETCH", parse_uid_fetch, call<FetchCommand, handle_fetch>, kInSelected, kNumbersUids},
    CommandSpec{"UID STORE", parse_uid_store, call<StoreCommand, handle_store>, kInSelected, kNumbersUids},
    CommandSpec{"UID COPY", parse_uid_copy, call<CopyCommand, handle_copy>, kInSelected, kNumbersUids},
    CommandSpec{"UID MOVE", parse_uid_move, call<CopyCommand, handle_copy>, kInSelected, kNumbersUids},
};
// clang-format on
}  // namespace

bool CommandSpec::allowed_in(State state) const {
  switch (state) {
    case State::not_authenticated: return (states & kInNotAuthenticated) != 0;
    case State::authenticated: return (states & kInAuthenticated) != 0;
    case State::selected: return (states & kInSelected) != 0;
    case State::logout: return false;
  }
  return false;
}

std::span<const CommandSpec> commands() { return kCommands; }

const CommandSpec* find_command(std::string_view name) {
  for (const auto& spec : kCommands) {
    if (ascii::iequals(spec.name, name)) return &spec;
  }
  return nullptr;
}

}  // namespace postern::imap
