#include <catch2/catch.hpp>

#include "tests/smtp/queue/queue_fixture.hpp"

using namespace postern;
using namespace postern::test;

namespace {
q::ListPage list(QueueFixture& f, const q::ListFilter& filter,
                 std::optional<q::ListCursor> after = {}, std::size_t limit = 100) {
  auto page = f.db->read_blocking<q::ListPage>(
      [=](sql::Transaction& tx) { return q::list(tx, filter, after, limit); });
  REQUIRE(page);
  return std::move(*page);
}
}  // namespace

TEST_CASE("list_pages_through_everything_in_order") {
  QueueFixture f;
  for (int i = 0; i < 7; ++i) f.put(f.message({"a@b.example", "c@d.example"}));
  std::size_t rows = 0;
  std::optional<q::ListCursor> at;
  do {
    const auto page = list(f, {}, at, 3);
    rows += page.rows.size();
    at = page.next;
  } while (at);
  CHECK(rows == 14);
}

TEST_CASE("list_filters_by_each_field") {
  QueueFixture f;
  auto bulk = f.message({"a@b.example"});
  bulk.envelope.lane = Lane::bulk;
  bulk.envelope.return_path = "news@our.example";
  f.put(bulk);
  const auto plain = f.put(f.message({"c@d.example"})).id;
  f.write([&](sql::Transaction& tx) { return q::hold(tx, {f.tenant, plain, {}}, f.clock.now()); });
  CHECK(list(f, {}).rows.size() == 2);
  CHECK(list(f, {.tenant = f.tenant}).rows.size() == 2);
  CHECK(list(f, {.tenant = TenantId::make()}).rows.empty());
  CHECK(list(f, {.lane = Lane::bulk}).rows.size() == 1);
  CHECK(list(f, {.state = q::State::held}).rows.at(0).envelope.id == plain);
  CHECK(list(f, {.state = q::State::queued}).rows.size() == 1);
  CHECK(list(f, {.destination = "b.example"}).rows.size() == 1);
  CHECK(list(f, {.sender = "NEWS@our.example"}).rows.size() == 1);
  CHECK(list(f, {.recipient = "c@d.example"}).rows.size() == 1);
  const auto finished = f.db->read_blocking<q::ListPage>(
      [](sql::Transaction& tx) { return q::list(tx, {.state = q::State::failed}, {}, 10); });
  CHECK_FALSE(finished);
}

TEST_CASE("list_cursor_text_round_trips_and_refuses_garbage") {
  const q::ListCursor cursor{MessageId::make(), 17};
  const auto back = q::parse_list_cursor(cursor.text());
  REQUIRE(back);
  CHECK(back->message == cursor.message);
  CHECK(back->recipient == 17);
  for (const auto* bad : {"", "-", "x-1", "00000000000000000000000000000000-",
                          "00000000000000000000000000000000-1x"}) {
    CHECK_FALSE(q::parse_list_cursor(bad));
  }
}

TEST_CASE("hold_takes_a_message_out_of_the_schedule_until_release") {
  QueueFixture f;
  const auto id = f.put(f.message({"a@b.example", "c@d.example"})).id;
  const q::Target one{f.tenant, id, 0};
  const auto now = f.clock.now();
  const auto act = [&](auto verb) {
    return *f.write([&](sql::Transaction& tx) { return verb(tx, one, now); });
  };
  const auto held = act(q::hold);
  REQUIRE(held.size() == 1);
  CHECK(held[0].kind == q::EventKind::held);
  CHECK(held[0].message == id);
  CHECK(held[0].tenant == f.tenant);
  CHECK(held[0].address == "a@b.example");
  CHECK(held[0].at == now);
  CHECK_FALSE(held[0].next_attempt);
  CHECK(f.due().size() == 1);
  CHECK(act(q::hold).empty());
  const auto released = act(q::release);
  REQUIRE(released.size() == 1);
  CHECK(released[0].kind == q::EventKind::released);
  CHECK(released[0].next_attempt == now);
  CHECK(f.due().size() == 2);
}

TEST_CASE("held_recipient_keeps_held_when_its_attempt_is_deferred") {
  QueueFixture f;
  const auto id = f.put(f.message({"a@b.example"})).id;
  f.write([&](sql::Transaction& tx) { return q::hold(tx, {f.tenant, id, {}}, f.clock.now()); });
  auto o = outcome(0, q::State::queued, f.clock.now());
  o.next_attempt = f.clock.now();
  f.write(
      [&](sql::Transaction& tx) { return q::record_outcomes(tx, f.tenant, id, std::vector{o}); });
  CHECK(f.due().empty());
  CHECK(f.load(id)->recipients[0].state == q::State::held);
  CHECK(f.load(id)->recipients[0].attempts == 1);
}

TEST_CASE("retry_now_makes_a_waiting_recipient_due") {
  QueueFixture f;
  const auto id = f.put(f.message({"a@b.example"})).id;
  auto o = outcome(0, q::State::queued, f.clock.now());
  o.next_attempt = f.clock.now() + std::chrono::hours{1};
  f.write(
      [&](sql::Transaction& tx) { return q::record_outcomes(tx, f.tenant, id, std::vector{o}); });
  CHECK(f.due().empty());
  const auto retried = *f.write(
      [&](sql::Transaction& tx) { return q::retry_now(tx, {f.tenant, id, {}}, f.clock.now()); });
  REQUIRE(retried.size() == 1);
  CHECK(retried[0].kind == q::EventKind::retried);
  CHECK(retried[0].attempts == 1);
  CHECK(f.due().size() == 1);
}

TEST_CASE("drop_removes_recipients_and_finally_the_message") {
  QueueFixture f;
  const auto id = f.put(f.message({"a@b.example", "c@d.example"})).id;
  const auto drop = [&](std::optional<std::uint32_t> recipient) {
    return *f.write([&](sql::Transaction& tx) {
      return q::drop(tx, {f.tenant, id, recipient}, f.clock.now());
    });
  };
  const auto dropped = drop(1);
  REQUIRE(dropped.size() == 1);
  CHECK(dropped[0].kind == q::EventKind::dropped);
  CHECK(dropped[0].address == "c@d.example");
  CHECK(f.load(id)->recipients[1].state == q::State::dropped);
  CHECK(drop({}).size() == 1);
  CHECK_FALSE(f.load(id));
  CHECK(f.bodies() == 0);
}

TEST_CASE("verbs_on_an_unknown_message_say_not_found") {
  QueueFixture f;
  const auto id = f.put(f.message({"a@b.example"})).id;
  const q::Target unknown{f.tenant, MessageId::make(), {}};
  const q::Target stranger{TenantId::make(), id, {}};
  for (const auto& target : {unknown, stranger}) {
    const auto done =
        f.write([&](sql::Transaction& tx) { return q::drop(tx, target, f.clock.now()); });
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::not_found);
  }
  CHECK(f.due().size() == 1);
}

TEST_CASE("show_finds_a_message_by_id_alone") {
  QueueFixture f;
  const auto id = f.put(f.message({"a@b.example", "c@d.example"})).id;
  const auto shown =
      f.db->read_blocking<q::QueuedMessage>([id](sql::Transaction& tx) { return q::show(tx, id); });
  REQUIRE(shown);
  CHECK(shown->envelope.tenant == f.tenant);
  CHECK(shown->recipients.size() == 2);
}
