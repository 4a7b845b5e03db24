#include "app/server/event_mover.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

#include "core/log.hpp"
#include "smtp/queue/event_log.hpp"
#include "smtp/queue/event_outbox.hpp"
#include "smtp/queue/event_payload.hpp"
#include "storage/outbox.hpp"
#include "tests/smtp/queue/event_samples.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temp_directory.hpp"

namespace postern::test {

namespace {

namespace outbox = storage::outbox;
using Events = std::vector<q::DeliveryEvent>;

template <class T>
T must(Result<T> result) {
  if (!result) FAIL("unexpected error: " << result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

Timestamp day(unsigned month, unsigned day) {
  return Timestamp{std::chrono::sys_days{std::chrono::year{2026} / std::chrono::month{month} /
                                         std::chrono::day{day}}};
}

std::unique_ptr<storage::Store> open_files(const std::string& directory) {
  storage::Store::Options options;
  options.directory = directory;
  options.disk_reserve = 0;
  options.events = {q::event_schema()};
  return must(storage::Store::open(std::move(options)));
}

struct House {
  House() {
    log::configure(log::Level::error, log::Format::text, "");
    clock.set(day(2, 10));
  }

  TempDirectory directory;
  FakeClock clock;
  asio::io_context context{1};
  std::unique_ptr<storage::Store> files = open_files(directory.file("data"));
  std::unique_ptr<WorkerPool> workers = std::make_unique<WorkerPool>("worker", 1, 100);
  TenantId tenant = TenantId::make();
  MessageId message = MessageId::make();
  q::EventOutbox sink{[] {}};

  q::DeliveryEvent event(q::EventKind kind, Timestamp at = day(2, 9)) const {
    auto out = sample_event(kind, tenant, message);
    out.at = at;
    return out;
  }
  void append(const Events& events) {
    must(files->queue().write_blocking<void>(storage::Purpose::outcome,
                                             [&](sql::Transaction& tx) -> Result<void> {
                                               for (const auto& one : events)
                                                 sink.append(tx, {&one, 1});
                                               return {};
                                             }));
  }
  void append_raw(const std::string& payload) {
    must(files->queue().write_blocking<void>(
        storage::Purpose::outcome, [&](sql::Transaction& tx) -> Result<void> {
          outbox::append(tx, q::kEventTopic, payload, day(2, 9));
          return {};
        }));
  }
  std::size_t move() {
    return must(
        run_task(context, server::move_events(files->queue(), files->events(), *workers, clock)));
  }
  /// Entries that are left, due or not.
  std::size_t left() {
    return must(
        files->queue().read_blocking<std::size_t>([](sql::Transaction& tx) -> Result<std::size_t> {
          return outbox::due(tx, q::kEventTopic, Timestamp::max(), 100'000).size();
        }));
  }
  Events recorded(std::chrono::year_month month) {
    auto file = files->events().find(month);
    if (!file) return {};
    return must((*file)->read_blocking<Events>([&](sql::Transaction& tx) -> Result<Events> {
      sql::TenantScope scope(tx, tenant);
      return q::events_of(scope, message, {}, 10'000);
    }));
  }
};

constexpr auto kJanuary = std::chrono::year{2026} / 1;
constexpr auto kFebruary = std::chrono::year{2026} / 2;

}  // namespace

TEST_CASE("events_move_from_the_outbox_into_their_month") {
  House house;
  const auto old = house.event(q::EventKind::accepted, day(2, 1) - Micros{1});
  const auto fresh = house.event(q::EventKind::delivered, day(2, 1));
  house.append({old, fresh});
  CHECK(house.move() == 2);
  CHECK(house.left() == 0);
  REQUIRE(house.recorded(kJanuary).size() == 1);
  check_same(house.recorded(kJanuary)[0], old);
  REQUIRE(house.recorded(kFebruary).size() == 1);
  check_same(house.recorded(kFebruary)[0], fresh);
  CHECK(house.move() == 0);
}

TEST_CASE("crash_between_writing_and_completing_repeats_without_effect") {
  House house;
  const Events events{house.event(q::EventKind::accepted), house.event(q::EventKind::delivered)};
  house.append(events);
  // The crash: the month has them, the outbox still too.
  must(must(house.files->events().open(kFebruary))
           ->write_blocking<void>(storage::Purpose::outcome,
                                  [&](sql::Transaction& tx) -> Result<void> {
                                    q::record_events(tx, events);
                                    return {};
                                  }));
  house.files.reset();
  house.files = open_files(house.directory.file("data"));
  CHECK(house.left() == 2);
  CHECK(house.move() == 2);
  CHECK(house.left() == 0);
  CHECK(house.recorded(kFebruary).size() == 2);
}

TEST_CASE("many_events_move_batch_by_batch") {
  House house;
  Events events;
  for (std::size_t i = 0; i < server::kEventBatch + 10; ++i)
    events.push_back(house.event(q::EventKind::deferred));
  house.append(events);
  CHECK(house.move() == server::kEventBatch);
  CHECK(house.left() == 10);
  CHECK(house.move() == 10);
  CHECK(house.recorded(kFebruary).size() == events.size());
}

TEST_CASE("corrupt_entry_is_dropped_and_the_others_move") {
  House house;
  log::configure(log::Level::error, log::Format::text, house.directory.file("log"));
  house.append_raw("not an event");
  house.append({house.event(q::EventKind::delivered)});
  house.append_raw("");
  CHECK(house.move() == 3);
  CHECK(house.left() == 0);
  CHECK(house.recorded(kFebruary).size() == 1);
  log::configure(log::Level::error, log::Format::text, "");
  CHECK_THAT(house.directory.read("log"), Catch::Contains("event_corrupt"));
}

TEST_CASE("month_that_can_not_be_written_waits_and_others_move") {
  House house;
  const auto blocked = house.directory.file("data/events-202601.db");
  std::filesystem::create_directory(blocked);
  house.append({house.event(q::EventKind::accepted, day(1, 31)),
                house.event(q::EventKind::delivered, day(2, 1))});
  CHECK(house.move() == 2);
  CHECK(house.recorded(kFebruary).size() == 1);
  CHECK(house.left() == 1);
  CHECK(house.move() == 0);  // not at once again
  std::filesystem::remove(blocked);
  house.clock.advance(server::kEventPause);
  CHECK(house.move() == 1);
  CHECK(house.left() == 0);
  CHECK(house.recorded(kJanuary).size() == 1);
}

TEST_CASE("entry_over_two_months_stays_until_both_are_written") {
  House house;
  const auto blocked = house.directory.file("data/events-202601.db");
  std::filesystem::create_directory(blocked);
  house.append_raw(q::encode_events(Events{house.event(q::EventKind::accepted, day(1, 31)),
                                           house.event(q::EventKind::delivered, day(2, 1))}));
  CHECK(house.move() == 1);
  CHECK(house.left() == 1);
  std::filesystem::remove(blocked);
  house.clock.advance(server::kEventPause);
  CHECK(house.move() == 1);
  CHECK(house.left() == 0);
  CHECK(house.recorded(kJanuary).size() == 1);
  CHECK(house.recorded(kFebruary).size() == 1);
}

TEST_CASE("running_mover_takes_what_is_there_at_its_start_and_what_a_nudge_announces") {
  House house;
  Runtime runtime(1);
  server::EventMover mover(runtime, *house.files, *house.workers, house.clock);
  house.append({house.event(q::EventKind::accepted)});
  runtime.start();
  mover.start();
  CHECK(eventually([&] { return house.recorded(kFebruary).size() == 1; }));
  must(house.files->mail(1).write_blocking<void>(
      storage::Purpose::outcome, [&](sql::Transaction& tx) -> Result<void> {
        const auto event = house.event(q::EventKind::delivered);
        house.sink.append(tx, {&event, 1});
        return {};
      }));
  mover.nudge();
  mover.nudge();
  CHECK(eventually([&] { return house.recorded(kFebruary).size() == 2; },
                   std::chrono::seconds(4)));  // sooner than it polls
  mover.stop();
  runtime.stop();
  house.workers.reset();  // what it still has to say goes to the runtime
  house.files.reset();
}

}  // namespace postern::test
