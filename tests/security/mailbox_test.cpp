// No login reaches another's mailboxes by a name in any form: each call of imap::Account that takes
// one is made with the other's, and finds nothing. The other may be of another tenant or of the
// same.
//
// Ids of mailboxes have no place on the wire: a session has those that open() gave it. Across
// tenants they are tried all the same.
#include "imap/backend.hpp"
#include "tests/security/tenancy.hpp"

using namespace postern;
using namespace postern::test;

namespace {

using Login = std::unique_ptr<imap::Account>;

constexpr const char* kText = "Subject: bravo-secret\r\n\r\nbravo-secret\r\n";

struct Scene {
  House house;
  std::string agency = make_agency(house);
  Tenancy alpha = make_tenancy(house, "alpha", agency);
  Tenancy bravo = make_tenancy(house, "bravo", agency);

  Login login(const std::string& address) {
    return must(
        house.run(house.parts->imap->authenticate(address, "correct horse staple", "192.0.2.9")));
  }
  /// A mailbox of that name with one message in it.
  imap::Snapshot fill(imap::Account& account, const std::string& name) {
    must(house.run(account.create(name)));
    const std::string text = kText;
    auto append = must(house.run(account.append(name, {}, std::nullopt, text.size())));
    must(house.run(append->write(text)));
    must(house.run(append->commit()));
    return must(house.run(account.open(name, imap::Access::read_only)));
  }
  template <class T>
  std::string error_of(Task<Result<T>> task) {
    const auto done = house.run(std::move(task));
    return done ? "none" : std::string(to_string(done.error().code));
  }
};

// Every call that names a mailbox which has to be there.
void check_names(Scene& scene, imap::Account& account, const std::string& name) {
  INFO(name);
  const auto own = must(scene.house.run(account.open("INBOX", imap::Access::read_only))).id;
  const std::string gone = "not_found";
  CHECK(scene.error_of(account.open(name, imap::Access::read_write)) == gone);
  CHECK(scene.error_of(account.open(name, imap::Access::read_only)) == gone);
  CHECK(scene.error_of(account.status(name)) == gone);
  CHECK(scene.error_of(account.remove(name)) == gone);
  CHECK(scene.error_of(account.rename(name, "mine")) == gone);
  CHECK(scene.error_of(account.append(name, {}, std::nullopt, 10)) == gone);
  CHECK(scene.error_of(account.copy(own, {1}, name)) == gone);
  CHECK(scene.error_of(account.move(own, {1}, name)) == gone);
}

struct Seen {
  std::vector<std::string> outcomes;
  bool operator==(const Seen&) const = default;
};

// Every call that takes a mailbox's id.
Seen outcomes_of(Scene& scene, imap::Account& account, MailboxId id) {
  Seen seen;
  const auto note = [&](auto task) {
    const auto done = scene.house.run(std::move(task));
    seen.outcomes.push_back(done ? "done" : std::string(to_string(done.error().code)));
  };
  note(account.changes(id, 0));
  note(account.read_body(id, 1, 0, 100));
  note(account.store_flags(id, {1}, imap::FlagChange::add, {}));
  note(account.expunge(id, std::nullopt));
  note(account.copy(id, {1}, "INBOX"));
  note(account.move(id, {1}, "INBOX"));
  const auto fetched = scene.house.run(account.fetch(id, {1}, imap::Detail::index));
  CHECK((!fetched || fetched->empty()));
  return seen;
}

enum class Ids : std::uint8_t { tried, left_out };

void check_apart(Scene& scene, const std::string& other, Ids ids) {
  auto mine = scene.login("box@alpha.example");
  auto others = scene.login(other);
  const auto before = scene.fill(*others, "bravo-secret");
  REQUIRE(before.messages.size() == 1);
  const auto own = must(scene.house.run(mine->list())).size();

  const std::vector<std::string> forms{"bravo-secret",
                                       other + "/bravo-secret",
                                       "~" + other + "/bravo-secret",
                                       "/bravo-secret",
                                       "../bravo-secret",
                                       "INBOX/../bravo-secret",
                                       "user/" + other,
                                       "Other Users/" + other + "/bravo-secret",
                                       before.id.text()};
  for (const auto& name : forms) {
    check_names(scene, *mine, name);
  }
  if (ids == Ids::tried)
    CHECK(outcomes_of(scene, *mine, before.id) == outcomes_of(scene, *mine, MailboxId::make()));

  CHECK(must(scene.house.run(mine->list())).size() == own);
  const auto after = must(scene.house.run(others->open("bravo-secret", imap::Access::read_only)));
  CHECK(after.messages.size() == 1);
  CHECK(after.highest_modseq == before.highest_modseq);
  CHECK(must(scene.house.run(mine->open("INBOX", imap::Access::read_only))).messages.empty());
  CHECK(must(scene.house.run(others->read_body(before.id, 1, 0, 1000))) == kText);
}

}  // namespace

TEST_CASE("login_reaches_no_mailbox_of_another_tenant", "[mailbox]") {
  Scene scene;
  check_apart(scene, "box@bravo.example", Ids::tried);
}

TEST_CASE("login_reaches_no_mailbox_of_another_account_of_its_tenant", "[mailbox]") {
  Scene scene;
  check_apart(scene, "postmaster@alpha.example", Ids::left_out);
}
