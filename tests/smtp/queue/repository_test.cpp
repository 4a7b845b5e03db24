#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "tests/smtp/queue/queue_fixture.hpp"

using namespace postern;
using namespace postern::test;

namespace {
Result<q::Recorded> record(QueueFixture& f, MessageId id, std::vector<q::Outcome> outcomes) {
  return f.write([id, t = f.tenant, outcomes](sql::Transaction& tx) {
    return q::record_outcomes(tx, t, id, outcomes);
  });
}
}  // namespace

TEST_CASE("enqueue_message_reads_back_whole") {
  QueueFixture f;
  auto m = f.message({"a@One.Example", "b@two.example"});
  m.envelope.envelope_id = "env 1";
  m.envelope.ret = q::Ret::full;
  m.envelope.body_type = q::BodyType::eight_bit;
  m.envelope.utf8 = q::Utf8::needed;
  m.envelope.stream = "news";
  m.envelope.submitter = "me@our.example";
  m.envelope.deadline = f.clock.now() + std::chrono::minutes{15};
  m.recipients[0].notify.bits = q::Notify::kSuccess | q::Notify::kDelay;
  m.recipients[0].original = "rfc822;x@y.example";
  m.recipients[1].transport = q::Transport::local;
  const auto done = f.put(m);
  CHECK(done.acceptance == q::Acceptance::fresh);
  const auto back = f.load(done.id);
  REQUIRE(back);
  CHECK(back->envelope.return_path == "sender@our.example");
  CHECK(back->envelope.envelope_id == "env 1");
  CHECK(back->envelope.ret == q::Ret::full);
  CHECK(back->envelope.body_type == q::BodyType::eight_bit);
  CHECK(back->envelope.utf8 == q::Utf8::needed);
  CHECK(back->envelope.stream == "news");
  CHECK(back->envelope.submitter == "me@our.example");
  CHECK(back->envelope.deadline == m.envelope.deadline);
  CHECK(back->envelope.expires_at == m.envelope.expires_at);
  CHECK(back->envelope.body == m.body->object);
  REQUIRE(back->recipients.size() == 2);
  CHECK(back->recipients[0].destination == "one.example");
  CHECK(back->recipients[0].notify.text() == "SUCCESS,DELAY");
  CHECK(back->recipients[0].original == "rfc822;x@y.example");
  CHECK(back->recipients[1].transport == q::Transport::local);
  CHECK(f.due().size() == 2);
}

TEST_CASE("enqueue_without_recipients_is_refused") {
  QueueFixture f;
  const auto m = f.message({});
  const auto done = f.write([m](sql::Transaction& tx) { return q::enqueue(tx, m); });
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::invalid);
}

TEST_CASE("enqueue_recipient_limit_holds") {
  QueueFixture f;
  CHECK(f.put(f.message(std::vector<std::string>(q::kMaxRecipients, "a@b.example"))).acceptance ==
        q::Acceptance::fresh);
  const auto m = f.message(std::vector<std::string>(q::kMaxRecipients + 1, "a@b.example"));
  const auto done = f.write([m](sql::Transaction& tx) { return q::enqueue(tx, m); });
  REQUIRE_FALSE(done);
  CHECK(done.error().code == Errc::too_large);
}

TEST_CASE("idempotency_key_repeated_gives_first_message") {
  QueueFixture f;
  const auto keyed = [&](const std::string& to) {
    auto m = f.message({to});
    m.idempotency = q::Idempotency{"key-1", q::fingerprint(m.envelope.return_path, m.recipients)};
    return m;
  };
  const auto first = f.put(keyed("a@b.example"));
  const auto again = f.put(keyed("a@b.example"));
  CHECK(again.acceptance == q::Acceptance::repeat);
  CHECK(again.id == first.id);
  CHECK(f.due().size() == 1);
  CHECK(f.bodies() == 1);

  SECTION("another recipient under the same key is refused") {
    const auto m = keyed("c@d.example");
    const auto done = f.write([m](sql::Transaction& tx) { return q::enqueue(tx, m); });
    REQUIRE_FALSE(done);
    CHECK(done.error().code == Errc::exists);
  }
  SECTION("another credential has keys of its own") {
    auto m = keyed("a@b.example");
    m.envelope.credential = CredentialId::make();
    CHECK(f.put(m).acceptance == q::Acceptance::fresh);
  }
  SECTION("just within 24 hours it holds, and after them the key is free") {
    f.clock.advance(q::kIdempotencyTime);
    CHECK(f.put(keyed("a@b.example")).acceptance == q::Acceptance::repeat);
    f.clock.advance(Micros{1});
    CHECK(f.put(keyed("a@b.example")).acceptance == q::Acceptance::fresh);
  }
}

TEST_CASE("fingerprint_does_not_depend_on_recipient_order") {
  const std::vector<q::NewRecipient> ab{{.address = "a@x.example"}, {.address = "b@x.example"}};
  const std::vector<q::NewRecipient> ba{{.address = "b@x.example"}, {.address = "a@x.example"}};
  CHECK(q::fingerprint("s@x.example", ab) == q::fingerprint("s@x.example", ba));
  CHECK(q::fingerprint("s@x.example", ab) != q::fingerprint("t@x.example", ab));
}

TEST_CASE("record_retry_moves_due_time") {
  QueueFixture f;
  const auto id = f.put(f.message({"a@b.example"})).id;
  auto o = outcome(0, q::State::queued, f.clock.now());
  o.reply = q::make_reply(451, {4, 7, 1}, "grey");
  o.remote_mta = "mx.b.example";
  o.next_attempt = f.clock.now() + std::chrono::minutes{1};
  const auto done = record(f, id, {o});
  REQUIRE(done);
  CHECK(done->applied == std::vector<std::uint32_t>{0});
  CHECK_FALSE(done->message_finished);
  CHECK(f.due().empty());
  f.clock.advance(std::chrono::minutes{1});
  CHECK(f.due().size() == 1);
  const auto back = f.load(id);
  REQUIRE(back);
  CHECK(back->recipients[0].last_reply == o.reply);
  CHECK(back->recipients[0].remote_mta == "mx.b.example");
  CHECK(back->recipients[0].attempts == 1);
}

TEST_CASE("record_last_recipient_erases_message_and_body") {
  QueueFixture f;
  const auto id = f.put(f.message({"a@b.example", "c@b.example"})).id;
  auto done = record(f, id, {outcome(0, q::State::delivered, f.clock.now())});
  REQUIRE(done);
  CHECK_FALSE(done->message_finished);
  CHECK(f.bodies() == 1);
  done = record(f, id, {outcome(1, q::State::failed, f.clock.now())});
  REQUIRE(done);
  CHECK(done->message_finished);
  CHECK(f.bodies() == 0);
  REQUIRE_FALSE(f.load(id));
  CHECK(f.load(id).error().code == Errc::not_found);
}

TEST_CASE("record_same_outcome_twice_applies_once") {
  QueueFixture f;
  const auto id = f.put(f.message({"a@b.example", "c@b.example"})).id;
  REQUIRE(record(f, id, {outcome(0, q::State::delivered, f.clock.now())})->applied.size() == 1);
  const auto again = record(f, id, {outcome(0, q::State::failed, f.clock.now())});
  REQUIRE(again);
  CHECK(again->applied.empty());
  CHECK(f.load(id)->recipients[0].state == q::State::delivered);
}

TEST_CASE("due_rows_page_by_cursor_covers_all_once") {
  QueueFixture f;
  for (int i = 0; i < 25; ++i) f.put(f.message({"a@b.example"}));
  std::vector<MessageId> seen;
  q::ScheduleCursor cursor;
  for (;;) {
    const auto rows = f.read<std::vector<q::DueRow>>([&](sql::Transaction& tx) {
      return q::due_rows(tx, Lane::transactional, cursor, f.clock.now(), 10);
    });
    for (const auto& row : rows) {
      seen.push_back(row.message);
      cursor = {row.due_at, row.message, row.recipient};
    }
    if (rows.size() < 10) break;
  }
  CHECK(seen.size() == 25);
  std::ranges::sort(seen);
  CHECK(std::ranges::adjacent_find(seen) == seen.end());
}

TEST_CASE("reopened_file_has_recipients_in_flight_due_again") {
  QueueFixture f;
  const auto id = f.put(f.message({"a@b.example"})).id;
  REQUIRE(f.due().size() == 1);  // an attempt would be under way now: nothing of it is stored
  f.reopen();
  REQUIRE(f.due().size() == 1);
  CHECK(f.due()[0].message == id);
  CHECK(f.load(id)->recipients[0].attempts == 0);
}

TEST_CASE("load_message_of_another_tenant_is_not_found") {
  QueueFixture f;
  const auto id = f.put(f.message({"a@b.example"})).id;
  const auto other = f.db->read_blocking<q::QueuedMessage>([id](sql::Transaction& tx) {
    sql::TenantScope scope(tx, TenantId::make());
    return q::load_message(scope, id, {});
  });
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::not_found);
}

TEST_CASE("depth_by_lane_counts_live_recipients") {
  QueueFixture f;
  auto m = f.message({"a@b.example", "c@d.example"});
  m.envelope.lane = Lane::bulk;
  f.put(m);
  f.put(f.message({"a@b.example"}));
  const auto depth = f.read<std::array<std::int64_t, kLanes>>(q::depth_by_lane);
  CHECK(depth == std::array<std::int64_t, kLanes>{0, 0, 1, 2});
}

TEST_CASE("delivery_id_differs_by_recipient_and_stays_equal") {
  const auto m = MessageId::make();
  CHECK(q::delivery_id(m, 1) == q::delivery_id(m, 1));
  CHECK(q::delivery_id(m, 1) != q::delivery_id(m, 2));
  CHECK(q::delivery_id(m, 1) != q::delivery_id(MessageId::make(), 1));
}
