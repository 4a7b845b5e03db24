#include "imap/mailbox_view.hpp"

#include <catch2/catch.hpp>

using namespace postern;
using namespace postern::imap;

namespace {
Message make(std::uint32_t uid, std::uint64_t modseq, std::uint8_t system = 0,
             std::vector<std::string> keywords = {}) {
  return {uid, Flags{system, std::move(keywords)}, modseq};
}

MailboxView make_view(std::vector<Message> messages, std::uint32_t first_recent = 1000) {
  Snapshot snapshot;
  snapshot.uid_next = messages.empty() ? 1 : messages.back().uid + 1;
  snapshot.first_recent_uid = first_recent;
  snapshot.highest_modseq = 10;
  snapshot.messages = std::move(messages);
  return {std::move(snapshot), "INBOX", Access::read_write};
}

using Numbers = std::vector<std::uint32_t>;
}  // namespace

TEST_CASE("view_numbers_messages_by_uid_order") {
  const auto view = make_view({make(3, 1), make(7, 1, kSeen), make(9, 1)}, 9);
  CHECK(view.exists() == 3);
  CHECK(view.uid_at(2) == 7);
  CHECK(view.sequence_of(9) == 3U);
  CHECK_FALSE(view.sequence_of(8));
  CHECK(view.recent() == 1);
  CHECK(view.first_unseen() == 1U);
}

TEST_CASE("view_resolves_sets") {
  const auto view = make_view({make(3, 1), make(7, 1), make(9, 1)});
  const auto resolve = [&](const char* set, Numbering numbering) {
    return view.resolve(SequenceSet::parse(set).value(), numbering);
  };
  CHECK(resolve("1:*", Numbering::sequence) == Numbers{1, 2, 3});
  CHECK(resolve("3,1", Numbering::sequence) == Numbers{1, 3});
  CHECK_FALSE(resolve("4", Numbering::sequence));
  CHECK_FALSE(resolve("2:4", Numbering::sequence));
  CHECK(resolve("4:8", Numbering::uid) == Numbers{2});
  CHECK(resolve("100:*", Numbering::uid) == Numbers{3});  // RFC 3501 §9: always the last message
  CHECK(resolve("50", Numbering::uid) == Numbers{});
  CHECK(resolve("1:4294967295", Numbering::uid) == Numbers{1, 2, 3});
}

TEST_CASE("empty_view_refuses_star_as_sequence_number") {
  const auto view = make_view({});
  CHECK_FALSE(view.resolve(SequenceSet::parse("*").value(), Numbering::sequence));
  CHECK_FALSE(view.resolve(SequenceSet::parse("1:*").value(), Numbering::sequence));
  CHECK(view.resolve(SequenceSet::parse("1:*").value(), Numbering::uid) == Numbers{});
}

TEST_CASE("expunges_wait_until_they_may_be_told_and_renumber_one_by_one") {
  auto view = make_view({make(1, 1), make(2, 1), make(3, 1), make(4, 1), make(5, 1)});
  view.apply({11, 6, {}, {2, 3, 5}});
  CHECK(view.exists() == 5);
  CHECK(view.uid_at(4) == 4);
  CHECK(view.expunged_at(2));
  CHECK_FALSE(view.has_updates(ExpungePolicy::hold));
  CHECK(view.take_updates(ExpungePolicy::hold).expunged.empty());
  const auto updates = view.take_updates(ExpungePolicy::allow);
  // 2 goes; then 3 is number 2; then 5 is number 3.
  CHECK(updates.expunged == Numbers{2, 2, 3});
  CHECK(view.exists() == 2);
  CHECK(view.uid_at(2) == 4);
}

TEST_CASE("arrivals_keep_numbers_until_they_are_announced") {
  auto view = make_view({make(1, 1)}, 2);
  view.apply({12, 4, {make(2, 11), make(3, 12)}, {}});
  CHECK(view.exists() == 1);
  const auto updates = view.take_updates(ExpungePolicy::hold);
  CHECK(updates.exists == 3U);
  CHECK(view.recent() == 2);
  CHECK(view.uid_at(3) == 3);
}

TEST_CASE("message_that_came_and_went_unannounced_is_never_told") {
  auto view = make_view({make(1, 1)});
  view.apply({11, 3, {make(2, 11)}, {}});
  view.apply({12, 3, {}, {2}});
  CHECK_FALSE(view.has_updates(ExpungePolicy::allow));
}

TEST_CASE("expunged_uid_does_not_come_back") {
  auto view = make_view({make(1, 1), make(2, 1)});
  view.apply({11, 3, {}, {2}});
  (void)view.take_updates(ExpungePolicy::allow);
  view.apply({12, 3, {make(2, 10)}, {}});
  CHECK(view.exists() == 1);
  CHECK_FALSE(view.has_updates(ExpungePolicy::allow));
}

TEST_CASE("flag_changes_of_others_are_news_and_own_ones_are_told_once") {
  auto view = make_view({make(1, 1), make(2, 1)});
  view.apply({11, 3, {make(2, 11, kSeen)}, {}});
  CHECK(view.take_updates(ExpungePolicy::hold).flags_changed == Numbers{2});
  view.apply_own(make(1, 12, kFlagged), MailboxView::Tell::yes);
  view.apply({12, 3, {make(1, 12, kFlagged)}, {}});
  CHECK(view.take_updates(ExpungePolicy::hold).flags_changed == Numbers{1});
  view.apply_own(make(1, 13, kDraft), MailboxView::Tell::no);
  view.apply({13, 3, {make(1, 13, kDraft)}, {}});
  CHECK_FALSE(view.has_updates(ExpungePolicy::allow));
  CHECK(view.flags_at(1).system == kDraft);
}

TEST_CASE("own_store_without_effect_is_still_answered") {
  auto view = make_view({make(1, 1, kSeen)});
  view.apply_own(make(1, 1, kSeen), MailboxView::Tell::yes);
  CHECK(view.take_updates(ExpungePolicy::hold).flags_changed == Numbers{1});
}

TEST_CASE("flags_of_an_expunged_message_are_no_news") {
  auto view = make_view({make(1, 1), make(2, 1)});
  view.apply({11, 3, {make(1, 11, kSeen)}, {}});
  view.apply({12, 3, {}, {1}});
  const auto updates = view.take_updates(ExpungePolicy::allow);
  CHECK(updates.expunged == Numbers{1});
  CHECK(updates.flags_changed.empty());
  CHECK_FALSE(view.has_updates(ExpungePolicy::allow));
}

TEST_CASE("keywords_are_kept_per_message") {
  auto view = make_view({make(1, 1, 0, {"a"}), make(2, 1, 0, {"a", "b"}), make(3, 1, 0, {"a"})});
  CHECK(view.flags_at(2).keywords == std::vector<std::string>{"a", "b"});
  CHECK(view.flags_at(3).keywords == std::vector<std::string>{"a"});
  CHECK(view.keywords() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("deleted_mailbox_loses_all_messages") {
  auto view = make_view({make(1, 1), make(2, 1)});
  view.apply({11, 4, {make(3, 11)}, {}});
  view.note_all_expunged();
  const auto updates = view.take_updates(ExpungePolicy::allow);
  CHECK(updates.expunged == Numbers{1, 1});
  CHECK_FALSE(updates.exists);
  CHECK(view.exists() == 0);
}
