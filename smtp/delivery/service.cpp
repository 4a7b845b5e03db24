#include "smtp/delivery/service.hpp"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <mutex>

#include "core/log.hpp"
#include "smtp/delivery/delivery_metrics.hpp"
#include "smtp/delivery/job_runner.hpp"
#include "smtp/queue/scheduler.hpp"

namespace postern::smtp::delivery {

namespace {
constexpr int kTicksPerDepth = 30;         // how often the queue is counted, in polls
constexpr std::chrono::seconds kSweep{1};  // of idle connections
constexpr std::chrono::milliseconds kLastWords{
    2000};  // for commits after connections were closed at a drain
constexpr std::size_t kSchedulerThread = 0;
using FreshMessage = std::shared_ptr<const queue::QueuedMessage>;
}  // namespace

struct DeliveryService::Impl : std::enable_shared_from_this<DeliveryService::Impl> {
  using Self = std::shared_ptr<Impl>;

  Impl(const DeliverySettings& settings, const Environment& environment)
      : context(std::make_shared<JobContext>()), scheduler(settings.scheduler, *environment.clock) {
    context->settings = settings;
    context->environment = environment;
  }

  Runtime& runtime() { return *context->environment.runtime; }
  asio::io_context& home() { return runtime().context(kSchedulerThread); }

  void start();
  FreshMessage within_budget(FreshMessage message);
  // On the scheduler's thread, which alone touches `scheduler`, `workers` and `reading`.
  void start_jobs();
  void finish(const queue::Job& job, const JobEnd& end);
  bool may_start() const;
  static Task<void> tick(Self self);
  static Task<void> read_schedule(Self self);
  Task<bool> read_page(queue::Scheduler::Page page);
  Task<bool> read_flow(queue::FlowKey flow);
  static Task<void> measure_depth(Self self);
  // On the destination's thread.
  static Task<void> run(Self self, std::shared_ptr<Worker> worker, queue::Job job);
  static Task<void> sweep(Self self, std::shared_ptr<Worker> worker);
  void close_workers();

  std::shared_ptr<JobContext> context;
  queue::Scheduler scheduler;
  std::vector<std::shared_ptr<Worker>> workers;
  bool reading = false;
  std::atomic<bool> draining = false;
  std::atomic<std::size_t> in_flight = 0;
  std::shared_ptr<std::atomic<std::uint64_t>> fresh_bytes =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  std::mutex mutex;
  std::condition_variable ended;
};

DeliveryService::DeliveryService(DeliverySettings settings, Environment environment)
    : impl_(std::make_shared<Impl>(settings, environment)) {
  impl_->context->offer = [weak = std::weak_ptr<Impl>(impl_)](FreshMessage message,
                                                              std::uint64_t ticket) {
    const auto self = weak.lock();
    if (!self) return;
    asio::post(self->home(), [self, ticket, message = std::move(message)] {
      using Handover = queue::Scheduler::Handover;
      const bool seen = self->context->schedule_reads != ticket;
      self->scheduler.offer_fresh(message, seen ? Handover::seen : Handover::fresh);
      self->start_jobs();
    });
  };
}

DeliveryService::~DeliveryService() = default;

void DeliveryService::start() { impl_->start(); }

void DeliveryService::Impl::start() {
  std::vector<std::shared_ptr<Worker>> made;
  for (std::size_t i = 0; i < runtime().size(); ++i) {
    made.push_back(std::make_shared<Worker>(context->settings, context->environment.resolver(i),
                                            context->environment.tls, runtime().size()));
    asio::co_spawn(runtime().context(i), sweep(shared_from_this(), made.back()), asio::detached);
  }
  asio::post(home(), [self = shared_from_this(), made = std::move(made)] {
    self->workers = made;
    asio::co_spawn(self->home(), tick(self), asio::detached);
  });
}

// A bound on the bodies that wait in memory: beyond it the first attempt reads its body from the
// database.
FreshMessage DeliveryService::Impl::within_budget(FreshMessage message) {
  if (!message->body) return message;
  std::uint64_t size = 0;
  for (const auto& piece : message->body->pieces) size += piece.size();
  auto copy = std::make_unique<queue::QueuedMessage>(*message);
  if (fresh_bytes->fetch_add(size) + size > context->settings.fresh_bytes) {
    fresh_bytes->fetch_sub(size);
    copy->body.reset();
    return copy;
  }
  return {copy.release(), [counter = fresh_bytes, size](const queue::QueuedMessage* gone) {
            counter->fetch_sub(size);
            delete gone;
          }};
}

std::uint64_t DeliveryService::ticket() const { return impl_->context->schedule_reads; }

void DeliveryService::offer(FreshMessage message, std::uint64_t ticket) {
  if (impl_->draining) return;  // the next start finds it in the table
  impl_->context->offer(impl_->within_budget(std::move(message)), ticket);
}

void DeliveryService::changed(MessageId message) {
  asio::post(impl_->home(), [self = impl_, message] {
    self->scheduler.forget(message);
    self->start_jobs();
  });
}

std::size_t DeliveryService::in_flight() const { return impl_->in_flight; }

// --- the scheduler's thread ---

bool DeliveryService::Impl::may_start() const {
  const auto& below_reserve = context->environment.below_reserve;
  return !draining && !(below_reserve && below_reserve());
}

void DeliveryService::Impl::start_jobs() {
  if (workers.empty() || !may_start()) return;
  while (auto job = scheduler.next()) {
    ++in_flight;
    add_in_flight(1);
    const auto thread = std::hash<std::string>{}(job->flow.destination) % workers.size();
    asio::co_spawn(runtime().context(thread),
                   run(shared_from_this(), workers[thread], std::move(*job)), asio::detached);
  }
  if (reading) return;
  reading = true;
  asio::co_spawn(home(), read_schedule(shared_from_this()), asio::detached);
}

void DeliveryService::Impl::finish(const queue::Job& job, const JobEnd& end) {
  scheduler.finished(job.id, end.news);
  for (const auto due : end.rescheduled) scheduler.rescheduled(job.flow.lane, due);
  if (end.table == JobEnd::Table::unknown) scheduler.rescheduled(job.flow.lane, Timestamp{});
  add_in_flight(-1);
  {
    std::scoped_lock lock(mutex);
    --in_flight;
  }
  ended.notify_all();
  start_jobs();
}

Task<void> DeliveryService::Impl::tick(Self self) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (int count = 0; !self->draining; ++count) {
    if (count % kTicksPerDepth == 0) co_await measure_depth(self);
    self->start_jobs();
    timer.expires_after(self->context->settings.scheduler.poll);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

Task<void> DeliveryService::Impl::measure_depth(Self self) {
  using Depth = std::array<std::int64_t, kLanes>;
  storage::Database::Closure<Depth> closure = [](sql::Transaction& tx) -> Result<Depth> {
    return queue::depth_by_lane(tx);
  };
  const auto depth = co_await self->context->environment.queue->read<Depth>(std::move(closure));
  if (depth) set_queue_depth(*depth);
}

Task<void> DeliveryService::Impl::read_schedule(Self self) {
  bool more = true;
  while (more && !self->draining) {
    if (auto page = self->scheduler.page_wanted()) {
      more = co_await self->read_page(*page);
    } else if (auto flow = self->scheduler.flow_wanted()) {
      more = co_await self->read_flow(std::move(*flow));
    } else {
      more = false;
    }
    if (more) self->start_jobs();
  }
  self->reading = false;
}

Task<bool> DeliveryService::Impl::read_page(queue::Scheduler::Page page) {
  using Rows = std::vector<queue::DueRow>;
  storage::Database::Closure<Rows> closure =
      [page, now = context->environment.clock->now()](sql::Transaction& tx) -> Result<Rows> {
    return queue::due_rows(tx, page.lane, page.after, now, page.limit);
  };
  ++context->schedule_reads;
  const auto rows = co_await context->environment.queue->read<Rows>(std::move(closure));
  ++context->schedule_reads;
  if (!rows) {
    log::warn("schedule_not_read", {{"error", rows.error().message}});
    co_return false;
  }
  scheduler.page_read(page, *rows);
  co_return true;
}

Task<bool> DeliveryService::Impl::read_flow(queue::FlowKey flow) {
  using Rows = std::vector<queue::DueRow>;
  const auto limit = scheduler.flow_limit(flow);
  storage::Database::Closure<Rows> closure =
      [flow, limit, now = context->environment.clock->now()](sql::Transaction& tx) -> Result<Rows> {
    return queue::due_rows_of_flow(tx, flow, now, limit);
  };
  ++context->schedule_reads;
  const auto rows = co_await context->environment.queue->read<Rows>(std::move(closure));
  ++context->schedule_reads;
  if (!rows) {
    log::warn("schedule_not_read", {{"error", rows.error().message}});
    scheduler.flow_read(flow, {}, 0);  // still more than fits, for all that is known
    co_return false;
  }
  scheduler.flow_read(flow, *rows, limit);
  co_return true;
}

// --- a destination's thread ---

Task<void> DeliveryService::Impl::run(Self self, std::shared_ptr<Worker> worker, queue::Job job) {
  JobEnd end;
  try {
    end = co_await run_job(self->context, std::move(worker), job);
  } catch (const std::exception& e) {
    // A bug, caught where the job ends. Its rows stay due; the next walk through the schedule finds
    // them.
    log::error("delivery_job_failed",
               {{"message", job.message.text()}, {"error", std::string_view(e.what())}});
  }
  asio::post(self->home(),
             [self, job = std::move(job), end = std::move(end)] { self->finish(job, end); });
}

Task<void> DeliveryService::Impl::sweep(Self self, std::shared_ptr<Worker> worker) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (!self->draining) {
    worker->pool.sweep();
    timer.expires_after(kSweep);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

// --- the end ---

void DeliveryService::Impl::close_workers() {
  asio::post(home(), [self = shared_from_this()] {
    for (std::size_t i = 0; i < self->workers.size(); ++i) {
      asio::post(self->runtime().context(i), [worker = self->workers[i]] { worker->close_busy(); });
    }
  });
}

bool DeliveryService::drain(std::chrono::milliseconds limit) {
  auto& s = *impl_;
  s.draining = true;
  std::unique_lock lock(s.mutex);
  const auto none_left = [&] { return s.in_flight == 0; };
  const bool in_time = s.ended.wait_for(lock, limit, none_left);
  s.close_workers();
  if (!in_time) s.ended.wait_for(lock, kLastWords, none_left);
  return in_time;
}

}  // namespace postern::smtp::delivery
