#include "support.hpp"

using namespace postern;
using namespace postern::mailbox;
using test::code_of;
using test::must;

namespace {

std::vector<std::string> names(test::MailDatabase& db) {
  std::vector<std::string> out;
  for (const auto& info :
       db.in([&](sql::TenantScope& scope) { return list_mailboxes(scope, db.account); })) {
    out.push_back(info.name + (info.selectable ? "" : " (noselect)"));
  }
  return out;
}
using Names = std::vector<std::string>;

auto create(test::MailDatabase& db, std::string_view name) {
  return db.in([&](sql::TenantScope& s) {
    return create_mailbox(s, db.account, name, SpecialUse::none, db.now);
  });
}
auto rename(test::MailDatabase& db, std::string_view from, std::string_view to) {
  return db.in(
      [&](sql::TenantScope& s) { return rename_mailbox(s, db.account, from, to, db.now); });
}
auto remove(test::MailDatabase& db, std::string_view name) {
  return db.in([&](sql::TenantScope& s) { return delete_mailbox(s, db.account, name, db.now); });
}

}  // namespace

TEST_CASE("new_account_has_the_standard_mailboxes") {
  test::MailDatabase db;
  CHECK(names(db) == Names{"Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"});
  for (const auto& info :
       db.in([&](sql::TenantScope& s) { return list_mailboxes(s, db.account); })) {
    CHECK(info.subscribed);
    CHECK(info.uidnext == 1);
    CHECK(info.uidvalidity >= 1'700'000'000);
    CHECK(info.account == db.account);
    CHECK((info.name == "INBOX") == (info.special_use == SpecialUse::none));
  }
  CHECK(to_attribute(db.find("Junk").special_use) == "\\Junk");
  const auto junk = db.find("Junk");
  db.in([&](sql::TenantScope& s) { create_account_mailboxes(s, db.account, db.now); });
  CHECK(db.find("Junk").id == junk.id);
  CHECK(must(db.in([&](sql::TenantScope& s) {
          return find_special(s, db.account, SpecialUse::junk);
        })).id == junk.id);
}

TEST_CASE("inbox_is_found_in_any_case") {
  test::MailDatabase db;
  CHECK(db.find("inbox").name == "INBOX");
  CHECK(must(create(db, "iNbOx/sub")).name == "INBOX/sub");
  CHECK(code_of(db.in([&](sql::TenantScope& s) { return find_mailbox(s, db.account, "junk"); })) ==
        Errc::not_found);
}

TEST_CASE("mailbox_names_that_are_refused") {
  for (const std::string name :
       {"", "/", "/a", "a//b", "a//", "a%", "a*b", "a\r\nb", "a\x7f", "a\xff", "a\x01"}) {
    INFO(name);
    CHECK(code_of(normalise_mailbox_name(name)) == Errc::invalid);
  }
  CHECK(normalise_mailbox_name("a/b/") == "a/b");
  CHECK(normalise_mailbox_name("Entwürfe/é") == "Entwürfe/é");
  CHECK(normalise_mailbox_name(std::string(kMaxMailboxName, 'a')));
  CHECK(code_of(normalise_mailbox_name(std::string(kMaxMailboxName + 1, 'a'))) == Errc::too_large);
  std::string deep = "a";
  for (std::size_t i = 1; i < kMaxMailboxDepth; ++i) deep += "/a";
  CHECK(normalise_mailbox_name(deep));
  CHECK(code_of(normalise_mailbox_name(deep + "/a")) == Errc::too_large);
}

TEST_CASE("create_makes_the_levels_above") {
  test::MailDatabase db;
  must(create(db, "work/2024/q1/"));
  CHECK(names(db) == Names{"Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash", "work",
                           "work/2024", "work/2024/q1"});
  CHECK(code_of(create(db, "work/2024")) == Errc::exists);
  CHECK(code_of(create(db, "INBOX")) == Errc::exists);
  CHECK(db.find("work").uidvalidity != db.find("work/2024").uidvalidity);
}

TEST_CASE("rename_moves_what_is_below") {
  test::MailDatabase db;
  must(create(db, "a/b/c"));
  must(create(db, "ab"));
  const auto id = db.find("a/b/c").id;
  must(rename(db, "a", "x/y"));
  CHECK(names(db) == Names{"Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash", "ab", "x", "x/y",
                           "x/y/b", "x/y/b/c"});
  CHECK(db.find("x/y/b/c").id == id);
  CHECK(code_of(rename(db, "x", "x/z")) == Errc::invalid);
  CHECK(code_of(rename(db, "x", "Junk")) == Errc::exists);
  CHECK(code_of(rename(db, "none", "other")) == Errc::not_found);
  CHECK(code_of(rename(db, "x", "")) == Errc::invalid);
}

TEST_CASE("rename_inbox_moves_its_messages_and_keeps_it") {
  // RFC 3501 §6.3.5
  test::MailDatabase db;
  must(create(db, "INBOX/child"));
  db.append("INBOX", "Subject: a\r\n\r\n");
  db.append("INBOX", "Subject: b\r\n\r\n", {kSeen, {}});
  const auto before = db.find("INBOX");
  must(rename(db, "inbox", "old/mail"));
  const auto inbox = db.open("INBOX");
  CHECK(inbox.messages.empty());
  CHECK(inbox.info.id == before.id);
  CHECK(inbox.info.uidvalidity == before.uidvalidity);
  CHECK(inbox.info.uidnext == before.uidnext);
  CHECK(db.find("INBOX/child").name == "INBOX/child");
  const auto moved = db.open("old/mail");
  CHECK(moved.messages.size() == 2);
  CHECK(moved.info.messages == 2);
  CHECK(moved.info.unseen == 1);
  CHECK(db.usage().messages == 2);
}

TEST_CASE("delete_removes_messages_or_leaves_a_level") {
  test::MailDatabase db;
  must(create(db, "a/b"));
  db.append("a", "Subject: x\r\n\r\n");
  CHECK(db.usage().messages == 1);
  const auto old = db.find("a");
  must(remove(db, "a"));
  CHECK(db.usage() == Usage{});
  CHECK(names(db).back() == "a/b");
  CHECK_FALSE(db.find("a").selectable);
  CHECK(code_of(db.in([&](sql::TenantScope& s) { return open_mailbox(s, old.id); })) ==
        Errc::not_found);
  CHECK(code_of(remove(db, "a")) == Errc::denied);
  const auto again = must(create(db, "a"));
  CHECK(again.selectable);
  CHECK(again.uidvalidity > old.uidvalidity);
  must(remove(db, "a/b"));
  must(remove(db, "a"));
  CHECK(names(db) == Names{"Archive", "Drafts", "INBOX", "Junk", "Sent", "Trash"});
  CHECK(code_of(remove(db, "inbox")) == Errc::denied);
  CHECK(code_of(remove(db, "a")) == Errc::not_found);
  CHECK(must(create(db, "a")).uidvalidity > again.uidvalidity);
}

TEST_CASE("subscriptions_outlive_their_mailbox") {
  // RFC 3501 §6.3.6
  test::MailDatabase db;
  must(create(db, "a"));
  CHECK_FALSE(db.find("a").subscribed);
  must(db.in([&](sql::TenantScope& s) { return subscribe(s, db.account, "a"); }));
  must(db.in([&](sql::TenantScope& s) { return subscribe(s, db.account, "a"); }));
  CHECK(db.find("a").subscribed);
  must(remove(db, "a"));
  const auto list = [&] {
    return db.in([&](sql::TenantScope& s) { return list_subscriptions(s, db.account); });
  };
  CHECK(list().back() == "a");
  must(db.in([&](sql::TenantScope& s) { return unsubscribe(s, db.account, "a"); }));
  CHECK(list().back() == "Trash");
}

TEST_CASE("deleted_account_leaves_nothing_but_dead_bodies") {
  test::MailDatabase db;
  const auto placed = db.append("INBOX", "Subject: x\r\n\r\n");
  db.in([&](sql::TenantScope& s) { delete_account_mailboxes(s, db.account, db.now); });
  CHECK(names(db).empty());
  CHECK(code_of(db.in([&](sql::TenantScope& s) { return usage(s, db.account); })) ==
        Errc::not_found);
  CHECK(code_of(db.in([&](sql::TenantScope& s) { return open_mailbox(s, placed.mailbox); })) ==
        Errc::not_found);
  const auto later = db.now + std::chrono::hours(1);
  CHECK(db.in([&](sql::TenantScope& s) { return sweep_dead_objects(s, later, 10); }) == 1);
}
