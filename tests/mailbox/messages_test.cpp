#include "support.hpp"

using namespace postern;
using namespace postern::mailbox;
using test::code_of;
using test::must;

namespace {

const std::string kText = "Subject: hello\r\nFrom: a@b.example\r\n\r\nbody\r\n";
const std::vector<UidRange> kAll{UidRange{}};

std::vector<MessageRow> fetch(test::MailDatabase& db, std::string_view name,
                              FetchDepth depth = FetchDepth::state,
                              std::vector<UidRange> ranges = kAll, std::size_t limit = 1'000) {
  const auto id = db.find(name).id;
  return db.in([&](sql::TenantScope& s) { return fetch_messages(s, id, ranges, depth, limit); });
}
Changes changes(test::MailDatabase& db, std::string_view name, std::uint64_t since) {
  const auto id = db.find(name).id;
  return must(db.in([&](sql::TenantScope& s) { return changes_since(s, id, since); }));
}
StoredFlags store(test::MailDatabase& db, std::string_view name, std::vector<UidRange> ranges,
                  StoreMode mode, Flags flags, std::optional<std::uint64_t> unchanged = {}) {
  const auto id = db.find(name).id;
  return must(db.in(
      [&](sql::TenantScope& s) { return store_flags(s, id, ranges, mode, flags, unchanged); }));
}
Expunged expunge(test::MailDatabase& db, std::string_view name,
                 std::vector<UidRange> ranges = kAll) {
  const auto id = db.find(name).id;
  return must(db.in([&](sql::TenantScope& s) { return expunge_messages(s, id, ranges, db.now); }));
}
CopiedMessages copy(test::MailDatabase& db, std::string_view from, std::vector<UidRange> ranges,
                    std::string_view to) {
  const auto source = db.find(from).id;
  const auto target = db.find(to).id;
  return must(db.in(
      [&](sql::TenantScope& s) { return copy_messages(s, source, ranges, target, {}, db.now); }));
}
CopiedMessages move(test::MailDatabase& db, std::string_view from, std::vector<UidRange> ranges,
                    std::string_view to) {
  const auto source = db.find(from).id;
  const auto target = db.find(to).id;
  return must(
      db.in([&](sql::TenantScope& s) { return move_messages(s, source, ranges, target, db.now); }));
}
std::string body(test::MailDatabase& db, ObjectId object) {
  const auto range =
      must(db.in([&](sql::TenantScope& s) { return storage::read_body(s, object, 0, 1'000'000); }));
  return must(storage::open_range(db.key, object, range, 0, 1'000'000));
}
std::int64_t sweep(test::MailDatabase& db, Timestamp older) {
  return db.in([&](sql::TenantScope& s) { return sweep_dead_objects(s, older, 100); });
}

}  // namespace

TEST_CASE("append_gives_uids_and_counts") {
  test::MailDatabase db;
  const auto one = db.append("INBOX", kText);
  const auto two = db.append("INBOX", kText, {kSeen | kDeleted, {"$Forwarded", "work"}});
  CHECK(one.uid == 1);
  CHECK(two.uid == 2);
  CHECK(two.modseq > one.modseq);
  const auto opened = db.open("INBOX");
  CHECK(opened.info.uidnext == 3);
  CHECK(opened.info.messages == 2);
  CHECK(opened.info.unseen == 1);
  CHECK(opened.info.deleted == 1);
  CHECK(opened.info.bytes == 2 * kText.size());
  CHECK(opened.info.highest_modseq == two.modseq);
  CHECK(opened.info.uidvalidity == one.uidvalidity);
  REQUIRE(opened.messages.size() == 2);
  CHECK(opened.messages[1] ==
        MessageState{2, two.modseq, {kSeen | kDeleted, {"$Forwarded", "work"}}});
  CHECK(db.usage() == Usage{2 * kText.size(), 2});
}

TEST_CASE("fetch_gives_index_and_body") {
  test::MailDatabase db;
  db.append("INBOX", kText);
  const auto rows = fetch(db, "INBOX", FetchDepth::index);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].size == kText.size());
  CHECK(rows[0].internal_date == db.now);
  CHECK(rows[0].saved_date == db.now);
  CHECK(rows[0].index.find("hello") == std::string::npos);  // sealed at rest
  const auto index = must(open_index(db.key, rows[0].object, rows[0].index));
  CHECK(index.envelope().subject == "hello");
  CHECK(body(db, rows[0].object) == kText);
  CHECK(code_of(open_index(db.key, ObjectId::make(), rows[0].index)) == Errc::corrupt);
  CHECK(code_of(open_index(storage::DataKey(TenantId::make(), std::string(32, 'k')), rows[0].object,
                           rows[0].index)) == Errc::corrupt);
  CHECK(code_of(open_index(db.key, rows[0].object, "short")) == Errc::corrupt);
}

TEST_CASE("fetch_pages_by_limit_and_ranges") {
  test::MailDatabase db;
  for (int i = 0; i < 5; ++i) db.append("INBOX", kText);
  const auto uids = [&](std::vector<UidRange> ranges, std::size_t limit) {
    std::vector<std::uint32_t> out;
    for (const auto& row : fetch(db, "INBOX", FetchDepth::state, ranges, limit))
      out.push_back(row.state.uid);
    return out;
  };
  using Uids = std::vector<std::uint32_t>;
  CHECK(uids({{2, 3}, {5, 0xffffffff}}, 10) == Uids{2, 3, 5});
  CHECK(uids(kAll, 2) == Uids{1, 2});
  CHECK(uids({{3, 0xffffffff}}, 2) == Uids{3, 4});
  CHECK(uids({{6, 9}}, 2) == Uids{});
  CHECK(uids({{4, 2}}, 2) == Uids{});
}

TEST_CASE("append_over_quota_is_refused_and_at_it_accepted") {
  test::MailDatabase db;
  const auto inbox = db.find("INBOX").id;
  const auto append = [&](std::uint64_t limit) {
    const auto message = db.message(kText);
    return db.in(
        [&](sql::TenantScope& s) { return append_message(s, inbox, message, limit, db.now); });
  };
  CHECK(code_of(append(kText.size() - 1)) == Errc::too_large);
  must(append(kText.size()));
  CHECK(code_of(append(2 * kText.size() - 1)) == Errc::too_large);
  CHECK(code_of(append(0)) == Errc::too_large);
  must(append(2 * kText.size() + 1));
  CHECK(db.usage().messages == 2);
}

TEST_CASE("store_changes_flags_keywords_and_counters") {
  test::MailDatabase db;
  db.append("INBOX", kText);
  db.append("INBOX", kText);
  const auto added = store(db, "INBOX", kAll, StoreMode::add, {kSeen, {"b", "a"}});
  CHECK(added.changed.size() == 2);
  CHECK(added.changed[0].flags == Flags{kSeen, {"a", "b"}});
  CHECK(db.find("INBOX").unseen == 0);
  CHECK(db.find("INBOX").highest_modseq == added.modseq);

  const auto same = store(db, "INBOX", {{1, 1}}, StoreMode::add, {kSeen, {"A"}});
  CHECK(same.changed.empty());
  CHECK(same.unchanged.size() == 1);
  CHECK(same.modseq == 0);
  CHECK(db.find("INBOX").highest_modseq == added.modseq);

  CHECK(store(db, "INBOX", {{1, 1}}, StoreMode::remove, {kSeen, {"B"}}).changed[0].flags ==
        Flags{0, {"a"}});
  CHECK(db.find("INBOX").unseen == 1);
  CHECK(store(db, "INBOX", {{1, 1}}, StoreMode::replace, {kDeleted, {}}).changed[0].flags ==
        Flags{kDeleted, {}});
  CHECK(db.find("INBOX").deleted == 1);
  // Overlapping ranges touch a message once.
  CHECK(
      store(db, "INBOX", {{1, 2}, {2, 2}, {1, 1}}, StoreMode::add, {kFlagged, {}}).changed.size() ==
      2);
}

TEST_CASE("store_unchangedsince_refuses_what_changed_meanwhile") {
  // RFC 7162 §3.1.3
  test::MailDatabase db;
  const auto one = db.append("INBOX", kText);
  const auto two = db.append("INBOX", kText);
  const auto stored = store(db, "INBOX", kAll, StoreMode::add, {kFlagged, {}}, one.modseq);
  REQUIRE(stored.changed.size() == 1);
  CHECK(stored.changed[0].uid == 1);
  CHECK(stored.modified == std::vector<std::uint32_t>{2});
  CHECK(stored.modseq > two.modseq);
}

TEST_CASE("store_keyword_limits") {
  test::MailDatabase db;
  db.append("INBOX", kText);
  Flags flags;
  for (std::size_t i = 0; i < kMaxKeywords; ++i) flags.keywords.push_back("k" + std::to_string(i));
  flags.keywords = normalise_keywords(flags.keywords);
  CHECK(store(db, "INBOX", kAll, StoreMode::add, flags).changed.size() == 1);
  const auto id = db.find("INBOX").id;
  const auto refused = [&](Flags more) {
    return code_of(db.in(
        [&](sql::TenantScope& s) { return store_flags(s, id, kAll, StoreMode::add, more, {}); }));
  };
  CHECK(refused({0, {"one-more"}}) == Errc::too_large);
  CHECK(refused({0, {std::string(kMaxKeywordLength + 1, 'x')}}) == Errc::too_large);
  CHECK(refused({0, {"a b"}}) == Errc::too_large);
  CHECK(store(db, "INBOX", kAll, StoreMode::replace, {0, {std::string(kMaxKeywordLength, 'x')}})
            .changed.size() == 1);
}

TEST_CASE("changes_since_gives_new_changed_and_vanished") {
  test::MailDatabase db;
  db.append("INBOX", kText);
  db.append("INBOX", kText);
  const auto start = db.find("INBOX").highest_modseq;
  CHECK(changes(db, "INBOX", start).changed.empty());
  const auto three = db.append("INBOX", kText);
  store(db, "INBOX", {{1, 1}}, StoreMode::add, {kDeleted, {}});
  auto now = changes(db, "INBOX", start);
  REQUIRE(now.changed.size() == 2);
  CHECK(now.changed[0].uid == 1);
  CHECK(now.changed[1].uid == three.uid);
  CHECK(now.vanished.empty());
  const auto expunged = expunge(db, "INBOX");
  CHECK(expunged.uids == std::vector<std::uint32_t>{1});
  now = changes(db, "INBOX", start);
  CHECK(now.changed.size() == 1);
  CHECK(now.vanished == std::vector<std::uint32_t>{1});
  CHECK(now.info.highest_modseq == expunged.modseq);
  CHECK(changes(db, "INBOX", expunged.modseq).vanished.empty());
  // Other mailboxes of the account have their own highest modseq.
  CHECK(db.find("Junk").highest_modseq < start);
}

TEST_CASE("expunge_takes_deleted_ones_in_the_ranges_only") {
  test::MailDatabase db;
  for (int i = 0; i < 4; ++i) db.append("INBOX", kText, {i == 2 ? 0U : kDeleted, {}});
  CHECK(expunge(db, "INBOX", {{2, 3}}).uids == std::vector<std::uint32_t>{2});
  CHECK(expunge(db, "INBOX").uids == std::vector<std::uint32_t>{1, 4});
  const auto none = expunge(db, "INBOX");
  CHECK(none.uids.empty());
  CHECK(none.modseq == 0);
  const auto info = db.find("INBOX");
  CHECK(info.messages == 1);
  CHECK(info.deleted == 0);
  CHECK(info.uidnext == 5);
  CHECK(db.usage() == Usage{kText.size(), 1});
  CHECK(db.append("INBOX", kText).uid == 5);
}

TEST_CASE("expunged_message_keeps_its_body_until_swept") {
  test::MailDatabase db;
  db.append("INBOX", kText, {kDeleted, {}});
  const auto object = fetch(db, "INBOX").at(0).object;
  expunge(db, "INBOX");
  const auto inbox = db.find("INBOX").id;
  const auto gone = [&] {
    return db.in(
        [&](sql::TenantScope& s) { return fetch_expunged(s, inbox, kAll, FetchDepth::index, 10); });
  };
  REQUIRE(gone().size() == 1);
  CHECK(gone()[0].expunged);
  CHECK(gone()[0].object == object);
  CHECK(must(open_index(db.key, object, gone()[0].index)).envelope().subject == "hello");
  CHECK(body(db, object) == kText);
  CHECK(sweep(db, db.now) == 0);  // died at now: not before it
  CHECK(gone().size() == 1);
  CHECK(sweep(db, db.now + Micros(1)) == 1);
  CHECK(gone().empty());
  CHECK(code_of(db.in([&](sql::TenantScope& s) { return storage::read_body(s, object, 0, 1); })) ==
        Errc::not_found);
  CHECK(changes(db, "INBOX", 0).vanished == std::vector<std::uint32_t>{1});
}

TEST_CASE("copies_share_the_body_until_the_last_one_goes") {
  test::MailDatabase db;
  db.append("INBOX", kText, {kSeen, {"work"}});
  db.append("INBOX", kText);
  const auto copied = copy(db, "INBOX", kAll, "Archive");
  CHECK(copied.source_uids == std::vector<std::uint32_t>{1, 2});
  CHECK(copied.target_uids == std::vector<std::uint32_t>{1, 2});
  CHECK(copied.target_uidvalidity == db.find("Archive").uidvalidity);
  const auto rows = fetch(db, "Archive");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].object == fetch(db, "INBOX")[0].object);
  CHECK(rows[0].state.flags == Flags{kSeen, {"work"}});
  CHECK(db.usage().messages == 4);
  CHECK(db.find("Archive").unseen == 1);
  store(db, "INBOX", kAll, StoreMode::add, {kDeleted, {}});
  expunge(db, "INBOX");
  CHECK(sweep(db, db.now + Micros(1)) == 0);
  CHECK(body(db, rows[0].object) == kText);
  store(db, "Archive", {{1, 1}}, StoreMode::add, {kDeleted, {}});
  expunge(db, "Archive");
  CHECK(sweep(db, db.now + Micros(1)) == 1);
  CHECK(body(db, rows[1].object) == kText);
  CHECK(copy(db, "INBOX", {{7, 9}}, "Archive").modseq == 0);
}

TEST_CASE("move_is_one_change_with_tombstones") {
  test::MailDatabase db;
  db.append("INBOX", kText);
  db.append("INBOX", kText, {kFlagged, {}});
  const auto before = db.find("INBOX").highest_modseq;
  const auto moved = move(db, "INBOX", {{2, 2}}, "Trash");
  CHECK(moved.source_uids == std::vector<std::uint32_t>{2});
  CHECK(changes(db, "INBOX", before).vanished == std::vector<std::uint32_t>{2});
  CHECK(db.open("INBOX").messages.size() == 1);
  CHECK(db.open("Trash").messages.at(0).flags.has(kFlagged));
  CHECK(db.find("INBOX").highest_modseq == moved.modseq);
  CHECK(db.find("Trash").highest_modseq == moved.modseq);
  CHECK(db.usage() == Usage{2 * kText.size(), 2});
  CHECK(sweep(db, db.now + Micros(1)) == 0);
}

TEST_CASE("copy_between_accounts_is_denied") {
  test::MailDatabase db;
  const auto other = AccountId::make();
  db.in([&](sql::TenantScope& s) { create_account_mailboxes(s, other, db.now); });
  db.append("INBOX", kText);
  const auto source = db.find("INBOX").id;
  const auto target =
      must(db.in([&](sql::TenantScope& s) { return find_mailbox(s, other, "INBOX"); })).id;
  CHECK(code_of(db.in([&](sql::TenantScope& s) {
          return copy_messages(s, source, kAll, target, {}, db.now);
        })) == Errc::denied);
}

TEST_CASE("deliver_writes_once_for_several_accounts_and_once_per_id") {
  test::MailDatabase db;
  const auto other = AccountId::make();
  const auto fresh = AccountId::make();  // its folders are made by its first mail
  db.in([&](sql::TenantScope& s) { create_account_mailboxes(s, other, db.now); });
  auto message = db.message(kText);
  Delivery delivery;
  delivery.body = message.body;
  delivery.index = message.index;
  delivery.internal_date = db.now;
  delivery.targets = {{DeliveryId::make(), db.account, SpecialUse::none, {}, {}},
                      {DeliveryId::make(), other, SpecialUse::junk, {0, {"$Junk"}}, {}},
                      {DeliveryId::make(), fresh, SpecialUse::none, {}, {}},
                      {DeliveryId::make(), db.account, std::string("no/such"), {}, {}},
                      {DeliveryId::make(), other, SpecialUse::none, {}, kText.size()}};
  const auto run = [&] {
    return db.in([&](sql::TenantScope& s) { return deliver(s, delivery, db.now); });
  };
  const auto first = run();
  REQUIRE(first.size() == 5);
  CHECK(first[0].state == DeliveryState::placed);
  CHECK(first[0].where.mailbox == db.find("INBOX").id);
  CHECK(first[1].state == DeliveryState::placed);
  CHECK(first[2].state == DeliveryState::placed);
  CHECK(db.in([&](sql::TenantScope& s) { return list_mailboxes(s, fresh); }).size() == 6);
  CHECK(first[3].where.mailbox == db.find("INBOX").id);
  CHECK(first[4].state == DeliveryState::over_quota);
  // The same again, with the body sealed anew, as after a crash between two files.
  message = db.message(kText);
  delivery.body = message.body;
  delivery.index = message.index;
  const auto second = run();
  CHECK(second[0].state == DeliveryState::repeated);
  CHECK(second[0].where == first[0].where);
  CHECK(second[1].where == first[1].where);
  CHECK(db.open("INBOX").messages.size() == 2);
  CHECK(db.usage() == Usage{2 * kText.size(), 2});
  CHECK(body(db, fetch(db, "INBOX")[0].object) == kText);
  const auto old =
      db.in([&](sql::TenantScope& s) { return sweep_applied_deliveries(s, db.now, 100); });
  CHECK(old == 0);
  const auto future =
      std::chrono::floor<Micros>(std::chrono::system_clock::now()) + std::chrono::hours(1);
  CHECK(db.in([&](sql::TenantScope& s) { return sweep_applied_deliveries(s, future, 100); }) == 4);
}

TEST_CASE("other_tenants_see_nothing_of_this_one") {
  test::MailDatabase db;
  const auto placed = db.append("INBOX", kText, {kDeleted, {}});
  const auto object = fetch(db, "INBOX")[0].object;
  const auto other = TenantId::make();
  const auto as_other = [&](auto fn) { return db.in_tenant(other, fn); };
  const auto gone = [](const auto& result) { return code_of(result) == Errc::not_found; };
  using Scope = sql::TenantScope;
  CHECK(as_other([&](Scope& s) { return list_mailboxes(s, db.account); }).empty());
  CHECK(as_other([&](Scope& s) { return list_subscriptions(s, db.account); }).empty());
  CHECK(gone(as_other([&](Scope& s) { return find_mailbox(s, db.account, "INBOX"); })));
  CHECK(gone(as_other([&](Scope& s) { return find_special(s, db.account, SpecialUse::junk); })));
  CHECK(gone(as_other([&](Scope& s) { return get_mailbox(s, placed.mailbox); })));
  CHECK(gone(as_other([&](Scope& s) { return usage(s, db.account); })));
  CHECK(gone(as_other([&](Scope& s) { return next_modseq(s, db.account); })));
  CHECK(gone(as_other([&](Scope& s) { return open_mailbox(s, placed.mailbox); })));
  CHECK(gone(as_other([&](Scope& s) { return changes_since(s, placed.mailbox, 0); })));
  CHECK(as_other([&](Scope& s) {
          return fetch_messages(s, placed.mailbox, kAll, FetchDepth::index, 10);
        }).empty());
  CHECK(gone(as_other([&](Scope& s) {
    return store_flags(s, placed.mailbox, kAll, StoreMode::add, {kSeen, {}}, {});
  })));
  CHECK(
      gone(as_other([&](Scope& s) { return expunge_messages(s, placed.mailbox, kAll, db.now); })));
  CHECK(gone(as_other(
      [&](Scope& s) { return append_message(s, placed.mailbox, db.message(kText), {}, db.now); })));
  CHECK(gone(as_other([&](Scope& s) {
    return copy_messages(s, placed.mailbox, kAll, placed.mailbox, {}, db.now);
  })));
  CHECK(gone(as_other(
      [&](Scope& s) { return move_messages(s, placed.mailbox, kAll, placed.mailbox, db.now); })));
  CHECK(gone(as_other(
      [&](Scope& s) { return create_mailbox(s, db.account, "x", SpecialUse::none, db.now); })));
  CHECK(
      gone(as_other([&](Scope& s) { return rename_mailbox(s, db.account, "Junk", "x", db.now); })));
  CHECK(gone(as_other([&](Scope& s) { return delete_mailbox(s, db.account, "Junk", db.now); })));
  CHECK(gone(as_other([&](Scope& s) { return storage::read_body(s, object, 0, 1); })));
  as_other([&](Scope& s) { drop_references(s, object, 1, db.now); });
  as_other([&](Scope& s) { delete_account_mailboxes(s, db.account, db.now); });
  CHECK(as_other([&](Scope& s) {
          return sweep_dead_objects(s, db.now + std::chrono::hours(1), 10);
        }) == 0);
  expunge(db, "INBOX");
  CHECK(as_other([&](Scope& s) {
          return fetch_expunged(s, placed.mailbox, kAll, FetchDepth::index, 10);
        }).empty());
  CHECK(as_other([&](Scope& s) {
          return sweep_dead_objects(s, db.now + std::chrono::hours(1), 10);
        }) == 0);
  CHECK(body(db, object) == kText);
}

TEST_CASE("delivery_without_an_id_is_counted_and_leaves_no_memory_of_itself") {
  test::MailDatabase db;
  for (int i = 0; i < 2; ++i) {
    const auto message = db.message(kText);
    Delivery delivery;
    delivery.targets = {{std::nullopt, db.account, SpecialUse::none, {}, {}}};
    delivery.body = message.body;
    delivery.index = message.index;
    delivery.internal_date = db.now;
    const auto outcomes = db.in([&](sql::TenantScope& s) { return deliver(s, delivery, db.now); });
    CHECK(outcomes.at(0).state == DeliveryState::placed);
  }
  const auto opened = db.open("INBOX");
  REQUIRE(opened.messages.size() == 2);
  CHECK(opened.messages[1].modseq == opened.messages[0].modseq + 1);
  CHECK(db.usage() == Usage{2 * kText.size(), 2});
  const auto future =
      std::chrono::floor<Micros>(std::chrono::system_clock::now()) + std::chrono::hours(1);
  CHECK(db.in([&](sql::TenantScope& s) { return sweep_applied_deliveries(s, future, 100); }) == 0);
}
