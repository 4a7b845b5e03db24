#include "smtp/queue/event_log.hpp"

#include "smtp/queue/event_outbox.hpp"
#include "smtp/queue/event_payload.hpp"
#include "storage/outbox.hpp"
#include "tests/smtp/queue/event_samples.hpp"
#include "tests/smtp/queue/queue_fixture.hpp"

namespace postern::test {

namespace {

using Events = std::vector<q::DeliveryEvent>;

Timestamp day(int month, unsigned day) {
  return Timestamp{std::chrono::sys_days{std::chrono::year{2026} /
                                         std::chrono::month{static_cast<unsigned>(month)} /
                                         std::chrono::day{day}}};
}

/// An id as it was made at a time (RFC 9562 §5.7).
MessageId message_made(Timestamp time) {
  auto id = MessageId::make();
  const auto millis = static_cast<std::uint64_t>(to_micros(time) / 1000);
  for (std::size_t i = 0; i < 6; ++i)
    id.value.bytes[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
  return id;
}

struct Log {
  TempDirectory directory;
  storage::MonthlyFiles files{options(directory)};
  TenantId tenant = TenantId::make();
  MessageId message = message_made(day(1, 20));

  static storage::MonthlyFiles::Options options(const TempDirectory& where) {
    storage::MonthlyFiles::Options out;
    out.stem = "events";
    out.file.path = where.path().string();
    out.file.schemas = {q::event_schema()};
    return out;
  }
  q::DeliveryEvent event(q::EventKind kind, Timestamp at) const {
    auto out = sample_event(kind, tenant, message);
    out.at = at;
    return out;
  }
  void record(const Events& events) {
    for (const auto& event : events) {
      auto file = files.open(storage::month_of(event.at));
      REQUIRE(file);
      REQUIRE((*file)->write_blocking<void>(storage::Purpose::outcome,
                                            [event](sql::Transaction& tx) -> Result<void> {
                                              q::record_events(tx, {&event, 1});
                                              return {};
                                            }));
    }
  }
  q::Timeline timeline(std::optional<q::EventId> after = {}, std::size_t limit = 100) {
    auto found = q::read_timeline(files, message, after, limit);
    REQUIRE(found);
    return std::move(*found);
  }
  Events seen_by(TenantId who, MessageId what, int month = 1) {
    auto file = files.find(std::chrono::year{2026} / month);
    REQUIRE(file);
    auto found = (*file)->read_blocking<Events>([=](sql::Transaction& tx) -> Result<Events> {
      sql::TenantScope scope(tx, who);
      return q::events_of(scope, what, {}, 100);
    });
    REQUIRE(found);
    return std::move(*found);
  }
};

std::vector<q::EventKind> kinds(const Events& events) {
  std::vector<q::EventKind> out;
  for (const auto& event : events) out.push_back(event.kind);
  return out;
}

Events waiting(QueueFixture& f) {
  return f.read<Events>([](sql::Transaction& tx) {
    Events out;
    for (const auto& entry :
         storage::outbox::due(tx, q::kEventTopic, Timestamp::max(), 1'000'000)) {
      auto events = q::parse_events(entry.payload);
      REQUIRE(events);
      out.insert(out.end(), events->begin(), events->end());
    }
    return out;
  });
}

}  // namespace

TEST_CASE("recorded_event_is_read_as_it_was") {
  Log log;
  const auto event = log.event(q::EventKind::bounced, day(1, 21));
  log.record({event});
  const auto timeline = log.timeline();
  CHECK(timeline.tenant == log.tenant);
  CHECK_FALSE(timeline.next);
  REQUIRE(timeline.events.size() == 1);
  check_same(timeline.events[0], event);
}

TEST_CASE("event_recorded_again_changes_nothing") {
  Log log;
  auto event = log.event(q::EventKind::deferred, day(1, 21));
  log.record({event, event});
  auto changed = event;
  changed.kind = q::EventKind::delivered;
  log.record({changed});
  REQUIRE(log.timeline().events.size() == 1);
  check_same(log.timeline().events[0], event);
}

TEST_CASE("timeline_runs_over_months_in_order") {
  Log log;
  log.message = message_made(day(2, 1) - std::chrono::seconds(1));
  const auto accepted = log.event(q::EventKind::accepted, day(2, 1) - Micros{1});
  const auto deferred = log.event(q::EventKind::deferred, day(2, 1));
  const auto expired = log.event(q::EventKind::expired, day(3, 5));
  log.record({expired, deferred, accepted});
  CHECK(log.files.months().size() == 3);
  CHECK(kinds(log.timeline().events) ==
        std::vector{q::EventKind::accepted, q::EventKind::deferred, q::EventKind::expired});
}

TEST_CASE("timeline_is_given_in_pages") {
  Log log;
  Events all;
  for (int i = 0; i < 7; ++i) all.push_back(log.event(q::EventKind::deferred, day(1 + i / 3, 21)));
  log.record(all);
  for (const std::size_t limit : {1U, 2U, 3U, 6U, 7U, 8U}) {
    INFO(limit);
    Events read;
    std::optional<q::EventId> after;
    do {
      auto page = log.timeline(after, limit);
      CHECK(page.events.size() <= limit);
      REQUIRE_FALSE(page.events.empty());
      read.insert(read.end(), page.events.begin(), page.events.end());
      after = page.next;
    } while (after);
    REQUIRE(read.size() == all.size());
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(read[i].id == all[i].id);
  }
}

TEST_CASE("unknown_message_has_no_timeline") {
  Log log;
  CHECK(q::read_timeline(log.files, log.message, {}, 10).error().code == Errc::not_found);
  log.record({log.event(q::EventKind::accepted, day(1, 21))});
  for (const auto& other : {message_made(day(1, 20)), message_made(day(12, 31)), MessageId{}}) {
    CHECK(q::read_timeline(log.files, other, {}, 10).error().code == Errc::not_found);
  }
}

TEST_CASE("dropped_months_take_their_timelines_with_them") {
  Log log;
  log.record({log.event(q::EventKind::accepted, day(1, 21))});
  REQUIRE(log.files.drop_before(std::chrono::year{2026} / 2));
  CHECK(q::read_timeline(log.files, log.message, {}, 10).error().code == Errc::not_found);
}

TEST_CASE("another_tenant_sees_no_event") {
  Log log;
  const auto stranger = TenantId::make();
  auto theirs = sample_event(q::EventKind::delivered, stranger, message_made(day(1, 20)));
  log.record({log.event(q::EventKind::accepted, day(1, 21)), theirs});
  CHECK(log.seen_by(log.tenant, log.message).size() == 1);
  CHECK(log.seen_by(stranger, log.message).empty());
  CHECK(log.seen_by(log.tenant, theirs.message).empty());
  CHECK(log.seen_by(TenantId::make(), log.message).empty());
}

TEST_CASE("message_that_enters_the_queue_is_accepted_in_the_same_commit") {
  QueueFixture f;
  int nudges = 0;
  q::EventOutbox sink([&] { ++nudges; });
  const auto message = f.message({"a@b.example", "c@d.example"});
  REQUIRE(f.write([&](sql::Transaction& tx) { return q::enqueue(tx, message, &sink); }));
  const auto events = waiting(f);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == q::EventKind::accepted);
  CHECK(events[0].message == message.envelope.id);
  CHECK(events[0].tenant == f.tenant);
  CHECK(events[0].return_path == "sender@our.example");
  CHECK(events[0].at == message.envelope.created_at);
  CHECK(events[0].address.empty());
  sink.committed(events[0]);
  CHECK(nudges == 1);
}

TEST_CASE("message_that_is_rolled_back_was_never_accepted") {
  QueueFixture f;
  q::EventOutbox sink([] {});
  const auto message = f.message({"a@b.example"});
  CHECK_FALSE(f.write([&](sql::Transaction& tx) -> Result<q::Enqueued> {
    REQUIRE(q::enqueue(tx, message, &sink));
    return fail(Errc::temporary, "crash");
  }));
  CHECK(waiting(f).empty());
}

TEST_CASE("repeat_under_an_idempotency_key_is_not_accepted_again") {
  QueueFixture f;
  q::EventOutbox sink([] {});
  for (int i = 0; i < 2; ++i) {
    auto message = f.message({"a@b.example"});
    message.idempotency = {"key", "print"};
    REQUIRE(f.write([&](sql::Transaction& tx) { return q::enqueue(tx, message, &sink); }));
  }
  CHECK(waiting(f).size() == 1);
}

TEST_CASE("events_of_a_large_commit_are_spread_over_entries") {
  QueueFixture f;
  q::EventOutbox sink([] {});
  Events all(2 * q::kMaxPayloadEvents + 1, sample_event(q::EventKind::delivered));
  for (auto& event : all) event.id = q::EventId::make();
  REQUIRE(f.write([&](sql::Transaction& tx) -> Result<void> {
    sink.append(tx, all);
    return {};
  }));
  const auto read = waiting(f);
  REQUIRE(read.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(read[i].id == all[i].id);
}

}  // namespace postern::test
