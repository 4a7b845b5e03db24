#include "app/server/event_mover.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <vector>

#include "core/log.hpp"
#include "core/metrics.hpp"
#include "smtp/queue/event_log.hpp"
#include "smtp/queue/event_outbox.hpp"
#include "smtp/queue/event_payload.hpp"
#include "storage/outbox.hpp"

namespace postern::server {

namespace {

namespace outbox = storage::outbox;
using smtp::queue::DeliveryEvent;
using storage::Month;

constexpr std::chrono::milliseconds kGather{100};  // after a nudge: more will come
constexpr std::chrono::seconds kPoll{5};           // without one

struct Metrics {
  metrics::Counter moved{"postern_events_recorded_total",
                         "Delivery events written to their month's file."};
  metrics::Counter corrupt{"postern_events_corrupt_total",
                           "Entries of delivery events that could not be read, and were dropped."};
  metrics::Gauge lag{"postern_events_lag_seconds",
                     "Age of the oldest delivery event that the last look found waiting."};
};
Metrics& all() {
  static Metrics metrics;
  return metrics;
}

struct Batch {
  std::vector<outbox::Entry> entries;
  std::map<Month, std::vector<DeliveryEvent>> events;
  std::vector<std::vector<Month>> months;  ///< that each entry's events are in
};

Batch sort_out(std::vector<outbox::Entry> entries) {
  Batch batch;
  batch.entries = std::move(entries);
  for (const auto& entry : batch.entries) {
    auto& months = batch.months.emplace_back();
    auto events = smtp::queue::parse_events(entry.payload);
    if (!events) {
      all().corrupt.add();
      log::error("event_corrupt", {{"entry", entry.place.id.text()},
                                   {"bytes", entry.payload.size()},
                                   {"error", events.error().message}});
      continue;
    }
    for (auto& event : *events) {
      const auto month = storage::month_of(event.at);
      months.push_back(month);
      batch.events[month].push_back(std::move(event));
    }
  }
  return batch;
}

Result<void> write_month(storage::MonthlyFiles& files, Month month,
                         const std::vector<DeliveryEvent>& events) {
  auto file = files.open(month);
  if (!file) return std::unexpected(file.error());
  return (*file)->write_blocking<void>(storage::Purpose::outcome,
                                       [&events](sql::Transaction& tx) -> Result<void> {
                                         smtp::queue::record_events(tx, events);
                                         return {};
                                       });
}

/// On a worker's thread. Gives the months that failed.
Result<std::vector<Month>> write_all(storage::MonthlyFiles& files, const Batch& batch) {
  std::vector<Month> failed;
  for (const auto& [month, events] : batch.events) {
    const auto written = write_month(files, month, events);
    if (written) {
      all().moved.add(events.size());
      continue;
    }
    log::warn("events_not_written",
              {{"events", events.size()}, {"error", written.error().message}});
    failed.push_back(month);
  }
  return failed;
}

void settle(sql::Transaction& tx, const Batch& batch, const std::vector<Month>& failed,
            Timestamp again) {
  for (std::size_t i = 0; i < batch.entries.size(); ++i) {
    if (std::ranges::find_first_of(batch.months[i], failed) == batch.months[i].end()) {
      outbox::complete(tx, batch.entries[i].place);
    } else {
      outbox::postpone(tx, batch.entries[i].place, again);
    }
  }
}

Task<Result<std::vector<outbox::Entry>>> waiting(storage::Database& source, Timestamp now) {
  using Entries = std::vector<outbox::Entry>;
  co_return co_await source.read<Entries>([now](sql::Transaction& tx) -> Result<Entries> {
    return outbox::due(tx, smtp::queue::kEventTopic, now, kEventBatch);
  });
}

}  // namespace

Task<Result<std::size_t>> move_events(storage::Database& source, storage::MonthlyFiles& files,
                                      WorkerPool& workers, const Clock& clock) {
  const auto now = clock.now();
  auto entries = co_await waiting(source, now);
  if (!entries) co_return std::unexpected(entries.error());
  if (entries->empty()) co_return std::size_t{0};
  const auto age = std::chrono::floor<std::chrono::seconds>(now - entries->front().created_at);
  all().lag.set(std::max<std::int64_t>(all().lag.value(), age.count()));
  const auto batch = std::make_shared<const Batch>(sort_out(std::move(*entries)));
  auto failed = co_await workers.run<std::vector<Month>>(
      [&files, batch] { return write_all(files, *batch); });
  if (!failed) co_return std::unexpected(failed.error());
  const auto settled = co_await source.write<void>(
      Lane::bulk, storage::Purpose::outcome,
      [batch, failed = std::move(*failed), now](sql::Transaction& tx) -> Result<void> {
        settle(tx, *batch, failed, now + kEventPause);
        return {};
      });
  if (!settled) co_return std::unexpected(settled.error());
  co_return batch->entries.size();
}

struct EventMover::State {
  State(Runtime& runtime, storage::Store& all_files, WorkerPool& pool, const Clock& time)
      : store(all_files), workers(pool), clock(time), timer(runtime.context(0)) {
    sources.push_back(&store.queue());
    for (std::size_t i = 0; i < store.mail_shards(); ++i) sources.push_back(&store.mail(i));
  }
  storage::Store& store;
  WorkerPool& workers;
  const Clock& clock;
  asio::steady_timer timer;
  std::vector<storage::Database*> sources;
  std::atomic<bool> nudged = false;
  bool stopped = false;

  Task<void> sleep(std::chrono::milliseconds time) {
    boost::system::error_code error;  // a nudge ends it, and stop()
    timer.expires_after(time);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  Task<void> move_from(storage::Database& source) {
    for (std::size_t moved = kEventBatch; moved == kEventBatch && !stopped;) {
      auto done = co_await move_events(source, store.events(), workers, clock);
      if (!done) {
        log::warn("events_not_moved", {{"file", source.path()}, {"error", done.error().message}});
        co_return;
      }
      moved = *done;
    }
  }
  static Task<void> run(std::shared_ptr<State> state) {
    while (!state->stopped) {
      co_await state->sleep(kGather);
      state->nudged = false;
      all().lag.set(0);
      for (auto* source : state->sources) co_await state->move_from(*source);
      if (!state->nudged && !state->stopped) co_await state->sleep(kPoll);
    }
  }
};

EventMover::EventMover(Runtime& runtime, storage::Store& store, WorkerPool& workers,
                       const Clock& clock)
    : state_(std::make_shared<State>(runtime, store, workers, clock)) {}

void EventMover::start() {
  asio::co_spawn(state_->timer.get_executor(), State::run(state_), asio::detached);
}

void EventMover::stop() {
  asio::post(state_->timer.get_executor(), [state = state_] {
    state->stopped = true;
    state->timer.cancel();
  });
}

void EventMover::nudge() {
  if (state_->nudged.exchange(true)) return;
  asio::post(state_->timer.get_executor(), [state = state_] { state->timer.cancel(); });
}

}  // namespace postern::server
