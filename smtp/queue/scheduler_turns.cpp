#include "smtp/queue/scheduler_impl.hpp"

namespace postern::smtp::queue {

// --- turns ---

void Scheduler::Impl::activate(Flow& flow) {
  auto& lane = lanes[index_of(flow.key.lane)];
  auto& tenant = lane.tenants[flow.key.tenant];
  tenant.active.push_back(&flow);
  if (!tenant.in_turn) {
    tenant.in_turn = true;
    lane.turns.push_back(flow.key.tenant);
  }
  flow.place = Flow::Place::active;
  ++activations;
  ++flow.destination->active[index_of(class_of(flow.key.lane))];
}

void Scheduler::Impl::place(Flow& flow) {
  if (flow.place != Flow::Place::idle || flow.jobs.empty()) return;
  if (flow.destination->room(class_of(flow.key.lane)) > 0) {
    activate(flow);
  } else {
    flow.place = Flow::Place::parked;
    flow.destination->parked[index_of(flow.key.lane)].push_back(&flow);
  }
}

// The flow is already out of its tenant's queue.
void Scheduler::Impl::leave_turn(Flow& flow, Flow::Place to) {
  flow.place = to;
  --flow.destination->active[index_of(class_of(flow.key.lane))];
  if (to == Flow::Place::parked) flow.destination->parked[index_of(flow.key.lane)].push_back(&flow);
}

// As many flows as there are free slots that no flow in turn will take.
void Scheduler::Impl::wake(Destination& destination) {
  for (const Lane lane : {Lane::auth, Lane::alert, Lane::transactional, Lane::bulk}) {
    auto& parked = destination.parked[index_of(lane)];
    const auto c = class_of(lane);
    while (!parked.empty() && destination.active[index_of(c)] < destination.room(c)) {
      Flow& flow = *parked.front();
      parked.pop_front();
      flow.place = Flow::Place::idle;
      activate(flow);
    }
  }
}

void Scheduler::Impl::wake_rested() {
  const auto now = clock->now();
  while (!resting.empty() && resting.begin()->first <= now) {
    const auto at = destinations.find(resting.begin()->second);
    resting.erase(resting.begin());
    if (at == destinations.end()) continue;
    auto& destination = at->second;
    if (!destination.rests_until || *destination.rests_until > now) continue;
    destination.rests_until.reset();
    wake(destination);
  }
}

// --- what answers teach ---

void Scheduler::Impl::rest(Destination& destination) {
  const auto over = destination.failures - limits.failures_before_rest;
  const auto length = std::min<std::chrono::seconds>(
      limits.rest_max, limits.rest_first * (1U << std::min(over, 10U)));
  destination.rests_until = clock->now() + length;
  resting.emplace(*destination.rests_until, destination.name);
}

void Scheduler::Impl::retreat(Destination& destination) {
  destination.successes = 0;
  destination.limit = std::max(kLeastSlots, destination.limit / 2);
}

// More slots one by one while it goes well; half of them at each trouble.
void Scheduler::Impl::learn(Destination& destination, DestinationNews news) {
  switch (news) {
    case DestinationNews::answered:
      destination.failures = 0;
      destination.rests_until.reset();
      if (destination.limit < limits.destination_max &&
          ++destination.successes >= destination.limit) {
        ++destination.limit;
        destination.successes = 0;
      }
      break;
    case DestinationNews::slow_down: retreat(destination); break;
    case DestinationNews::unreachable:
      retreat(destination);
      if (++destination.failures >= limits.failures_before_rest) rest(destination);
      break;
    case DestinationNews::nothing: break;
  }
}

}  // namespace postern::smtp::queue
