// What a session's login and selected mailbox mean for its state, and how news reaches the client.
#include <fmt/format.h>

#include <iterator>

#include "core/log.hpp"
#include "imap/session.hpp"
#include "imap/wire/encoder.hpp"

namespace postern::imap {

void Session::log_in(std::unique_ptr<Account> account) {
  account_ = std::move(account);
  checked_ = std::chrono::steady_clock::now();
  state_ = State::authenticated;
  reader_.set_limit(options_->limits.command);
  login_failures_ = 0;
}

Task<void> Session::login_failed() {
  ++login_failures_;
  co_await connection_->sleep(options_->timeouts.login_delay * login_failures_);
  if (login_failures_ >= options_->limits.login_failures) end_with("Too many failed logins");
}

Task<Result<void>> Session::start_tls() {
  reader_.reset();
  co_return co_await connection_->start_tls(options_->tls());
}

void Session::select(MailboxView view) {
  view_ = std::move(view);
  state_ = State::selected;
  announced_keywords_ = view_->keywords().size();
  // What changed between the snapshot and the watch is asked for with the next command.
  changed_ = true;
  watch_selected();
}

void Session::watch_selected() {
  watch_ =
      account_->watch(view_->id(), connection_->stream().executor(), [weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
          self->changed_ = true;
          self->connection_->wake();
        }
      });
}

void Session::deselect() {
  watch_.reset();
  view_.reset();
  changed_ = false;
  if (state_ == State::selected) state_ = State::authenticated;
}

Task<void> Session::refresh(Ask ask) {
  if (!view_ || (ask == Ask::if_noticed && !changed_)) co_return;
  changed_ = false;
  const auto changes = co_await account_->changes(view_->id(), view_->modseq());
  if (changes) {
    view_->apply(*changes);
  } else if (changes.error().code == Errc::not_found) {
    // Deleted by someone: its messages are gone, the client may go on until it selects another.
    view_->note_all_expunged();
  } else {
    log::warn("imap_changes_failed", {{"cause", changes.error().message}});
    changed_ = true;  // asked again with the next command
  }
}

void Session::write_flags(std::uint32_t sequence, Numbering numbering) {
  auto to = std::back_inserter(out());
  fmt::format_to(to, "* {} FETCH (", sequence);
  if (numbering == Numbering::uid) fmt::format_to(to, "UID {} ", view_->uid_at(sequence));
  out() += "FLAGS ";
  append_flags(out(), view_->flags_at(sequence),
               view_->recent_at(sequence) ? Recent::yes : Recent::no);
  out() += ")\r\n";
}

void Session::write_updates(ExpungePolicy policy, Numbering numbering) {
  if (!view_ || !view_->has_updates(policy)) return;
  const auto keywords = view_->keywords();
  if (keywords.size() != announced_keywords_) {
    announced_keywords_ = keywords.size();
    out() += "* FLAGS ";
    append_flags(out(), Flags{kAllSystemFlags, keywords}, Recent::no);
    out() += "\r\n";
  }
  const auto updates = view_->take_updates(policy);
  auto to = std::back_inserter(out());
  for (const auto sequence : updates.expunged) fmt::format_to(to, "* {} EXPUNGE\r\n", sequence);
  if (updates.exists) {
    fmt::format_to(to, "* {} EXISTS\r\n* {} RECENT\r\n", *updates.exists, view_->recent());
  }
  for (const auto sequence : updates.flags_changed) write_flags(sequence, numbering);
}

}  // namespace postern::imap
