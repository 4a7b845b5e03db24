#include "smtp/queue/scheduler_impl.hpp"

namespace postern::smtp::queue {

Scheduler::Scheduler(SchedulerLimits limits, const Clock& clock)
    : impl_(std::make_unique<Impl>(limits, clock)) {}
Scheduler::~Scheduler() = default;

// --- rows in ---

Flow& Scheduler::Impl::flow_of(const DueRow& row) {
  FlowKey key{row.lane, row.tenant, row.stream, row.destination};
  const auto [at, made] = flows.try_emplace(std::move(key));
  Flow& flow = at->second;
  if (!made) return flow;
  flow.key = at->first;
  const auto [home, fresh] = destinations.try_emplace(row.destination);
  if (fresh) {
    home->second.name = row.destination;
    home->second.limit = limits.destination_start;
  }
  flow.destination = &home->second;
  ++flow.destination->flows;
  return flow;
}

void Scheduler::Impl::append(Flow& flow, const DueRow& row,
                             const std::shared_ptr<const QueuedMessage>& fresh) {
  ++flow.rows;
  if (!flow.jobs.empty()) {
    auto& last = flow.jobs.back();
    if (last.message == row.message && last.transport == row.transport &&
        last.recipients.size() < limits.recipients_per_job &&
        (last.fresh == nullptr) == (fresh == nullptr)) {
      last.recipients.push_back(row.recipient);
      return;
    }
  }
  flow.jobs.push_back(Waiting{row.message, row.transport, {row.recipient}, row.deadline, fresh});
  if (row.deadline) deadlines.emplace(*row.deadline, std::pair{flow.key, row.message});
}

Offered Scheduler::Impl::offer(const DueRow& row,
                               const std::shared_ptr<const QueuedMessage>& fresh) {
  const RowKey key{row.message, row.recipient};
  if (rows.contains(key)) return Offered::known;
  if (rows.size() >= limits.loaded) return Offered::no_room;
  Flow& flow = flow_of(row);
  if (flow.rows >= limits.per_flow) {
    flow.overflowed = true;
    return Offered::no_room;
  }
  rows.insert(key);
  append(flow, row, fresh);
  place(flow);
  return Offered::loaded;
}

Offered Scheduler::offer(const DueRow& row) { return impl_->offer(row, nullptr); }

void Scheduler::offer_fresh(std::shared_ptr<const QueuedMessage> message, Handover how) {
  const auto kept = how == Handover::fresh ? message : nullptr;
  const auto& envelope = message->envelope;
  for (const auto& recipient : message->recipients) {
    const DueRow row{envelope.lane,   envelope.created_at,   envelope.tenant,
                     envelope.stream, recipient.destination, recipient.transport,
                     envelope.id,     recipient.number,      envelope.deadline};
    const bool full = impl_->rows.size() >= impl_->limits.loaded;
    if (impl_->offer(row, kept) == Offered::no_room && full) impl_->rewind(row.lane, row.due_at);
  }
}

void Scheduler::Impl::rewind(Lane lane, Timestamp due) {
  auto& state = lanes[index_of(lane)];
  state.read_again = {};
  if (state.cursor.due_at < due) return;
  state.cursor = ScheduleCursor{due - Micros{1}, MessageId{}, 0};
}

void Scheduler::rescheduled(Lane lane, Timestamp due) {
  if (due <= impl_->lanes[index_of(lane)].cursor.due_at) impl_->rewind(lane, due);
}

// --- jobs out ---

Job Scheduler::Impl::start(Flow& flow, Waiting waiting, Job::Errand errand) {
  Job job;
  job.id = ++last_job;
  job.flow = flow.key;
  job.transport = waiting.transport;
  job.message = waiting.message;
  job.recipients = std::move(waiting.recipients);
  job.deadline = waiting.deadline;
  job.fresh = std::move(waiting.fresh);
  job.errand = errand;
  const bool slot = errand == Job::Errand::attempt;
  const auto c = class_of(flow.key.lane);
  if (slot) ++flow.destination->used[index_of(c)];
  if (c == Class::ordinary) ++running_ordinary;
  running.emplace(job.id, InFlight{&flow, job.message, job.recipients, slot});
  return job;
}

std::optional<Job> Scheduler::Impl::next_late() {
  const auto now = clock->now();
  while (!deadlines.empty() && deadlines.begin()->first <= now) {
    const auto [key, message] = deadlines.begin()->second;
    deadlines.erase(deadlines.begin());
    const auto at = flows.find(key);
    if (at == flows.end()) continue;
    auto& jobs = at->second.jobs;
    const auto job =
        std::ranges::find_if(jobs, [&](const Waiting& w) { return w.message == message; });
    if (job == jobs.end()) continue;  // it was started in time
    Waiting waiting = std::move(*job);
    jobs.erase(job);
    return start(at->second, std::move(waiting), Job::Errand::late);
  }
  return std::nullopt;
}

std::optional<Job> Scheduler::Impl::next_of_lane(Lane lane_name) {
  auto& lane = lanes[index_of(lane_name)];
  while (!lane.turns.empty()) {
    const TenantId tenant_id = lane.turns.front();
    lane.turns.pop_front();
    auto& tenant = lane.tenants[tenant_id];
    tenant.in_turn = false;
    std::optional<Job> job;
    while (!job && !tenant.active.empty()) {
      Flow& flow = *tenant.active.front();
      tenant.active.pop_front();
      if (flow.jobs.empty()) {
        leave_turn(flow, Flow::Place::idle);
        wake(*flow.destination);
        clean(flow);
      } else if (flow.destination->room(class_of(lane_name)) == 0) {
        leave_turn(flow, Flow::Place::parked);
      } else {
        Waiting waiting = std::move(flow.jobs.front());
        flow.jobs.pop_front();
        job = start(flow, std::move(waiting), Job::Errand::attempt);
        tenant.active.push_back(&flow);  // its next turn decides what becomes of it
      }
    }
    if (tenant.active.empty()) {
      if (!tenant.in_turn) lane.tenants.erase(tenant_id);
    } else if (!tenant.in_turn) {
      tenant.in_turn = true;
      lane.turns.push_back(tenant_id);
    }
    if (job) return job;
  }
  return std::nullopt;
}

std::optional<Job> Scheduler::Impl::next_by_priority(std::size_t first) {
  const bool ordinary_room = running_ordinary + limits.urgent_reserve < limits.in_flight;
  std::array<std::size_t, kLanes + 1> order{first, 0, 1, 2, 3};
  for (const auto index : order) {
    const auto lane = static_cast<Lane>(index);
    if (class_of(lane) == Class::ordinary && !ordinary_room) continue;
    if (auto job = next_of_lane(lane)) return job;
  }
  return std::nullopt;
}

std::optional<Job> Scheduler::next() {
  auto& s = *impl_;
  if (s.running.size() >= s.limits.in_flight) return std::nullopt;
  s.wake_rested();
  if (auto late = s.next_late()) return late;
  // The share of the lower lanes: every n-th pick begins with one of them, in turns.
  const auto pick = s.picks + 1;
  const std::size_t first =
      pick % s.limits.lower_share == 0 ? 1 + pick / s.limits.lower_share % (kLanes - 1) : 0;
  std::optional<Job> job;
  std::uint64_t before = 0;
  do {
    // Clearing away an empty flow of a low lane may wake one of a lane already passed.
    before = s.activations;
    job = s.next_by_priority(first);
  } while (!job && s.activations != before);
  if (job) s.picks = pick;
  return job;
}

// --- jobs back ---

void Scheduler::Impl::release_rows(Flow& flow, MessageId message,
                                   const std::vector<std::uint32_t>& recipients) {
  for (const auto recipient : recipients) rows.erase(RowKey{message, recipient});
  flow.rows -= recipients.size();
  ask_refill(flow);
}

void Scheduler::Impl::ask_refill(Flow& flow) {
  if (!flow.overflowed || flow.refill_asked || flow.rows > limits.per_flow / 4) return;
  flow.refill_asked = true;
  refill.push_back(flow.key);
}

void Scheduler::Impl::clean(Flow& flow) {
  if (flow.place != Flow::Place::idle || flow.rows > 0 || flow.overflowed) return;
  Destination* destination = flow.destination;
  flows.erase(FlowKey(flow.key));
  if (--destination->flows > 0 || destination->used_all() > 0) return;
  const bool plain = destination->failures == 0 && destination->limit == limits.destination_start;
  if (plain || destinations.size() > limits.destinations_remembered) {
    destinations.erase(std::string(destination->name));
  }
}

void Scheduler::finished(JobId id, DestinationNews news) {
  auto& s = *impl_;
  const auto at = s.running.find(id);
  if (at == s.running.end()) return;
  const InFlight job = std::move(at->second);
  s.running.erase(at);
  Flow& flow = *job.flow;
  Destination& destination = *flow.destination;
  const auto c = class_of(flow.key.lane);
  if (c == Class::ordinary) --s.running_ordinary;
  if (job.holds_slot) {
    --destination.used[index_of(c)];
    s.learn(destination, news);
  }
  s.release_rows(flow, job.message, job.recipients);
  s.wake(destination);
  s.clean(flow);
}

namespace {
constexpr std::chrono::minutes kManagementSlack{1};  // between a verb's "now" and its commit
}  // namespace

void Scheduler::forget(MessageId message) {
  auto& s = *impl_;
  for (auto at = s.flows.begin(); at != s.flows.end();) {
    Flow& flow = (at++)->second;  // clean() may erase it
    for (auto job = flow.jobs.begin(); job != flow.jobs.end();) {
      if (job->message != message) {
        ++job;
        continue;
      }
      const auto recipients = std::move(job->recipients);
      job = flow.jobs.erase(job);
      s.release_rows(flow, message, recipients);
    }
    s.clean(flow);
  }
  for (const Lane lane : {Lane::auth, Lane::alert, Lane::transactional, Lane::bulk}) {
    s.rewind(lane, s.clock->now() - kManagementSlack);
  }
}

}  // namespace postern::smtp::queue
