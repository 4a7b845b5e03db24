// The scheduler's state and its parts. Private to scheduler*.cpp: rows in and jobs out
// (scheduler.cpp), turns and slots (scheduler_turns.cpp), reading the table (scheduler_pages.cpp).
#pragma once

#include <algorithm>

#include "smtp/queue/scheduler.hpp"
#include "smtp/queue/scheduler_state.hpp"

namespace postern::smtp::queue {

using detail::Class;
using detail::class_of;
using detail::Destination;
using detail::Flow;
using detail::index_of;
using detail::InFlight;
using detail::LaneState;
using detail::RowKey;
using detail::Waiting;

inline constexpr std::size_t kLeastSlots =
    2;  ///< of a destination: one for everyone, one for auth and alert

struct Scheduler::Impl {
  Impl(SchedulerLimits l, const Clock& c) : limits(l), clock(&c) {
    limits.destination_max = std::max(limits.destination_max, kLeastSlots);
    limits.destination_start =
        std::clamp(limits.destination_start, kLeastSlots, limits.destination_max);
    limits.lower_share = std::max<std::uint32_t>(limits.lower_share, 2);
    limits.per_flow = std::max<std::size_t>(limits.per_flow, 1);
    limits.in_flight = std::max<std::size_t>(limits.in_flight, 1);
    // A reserve for the urgent lanes, never all there is.
    limits.urgent_reserve = std::min(limits.urgent_reserve, limits.in_flight / 2);
  }

  // Rows in.
  Offered offer(const DueRow& row, const std::shared_ptr<const QueuedMessage>& fresh);
  Flow& flow_of(const DueRow& row);
  void append(Flow& flow, const DueRow& row, const std::shared_ptr<const QueuedMessage>& fresh);
  // Turns.
  void place(Flow& flow);
  void activate(Flow& flow);
  void leave_turn(Flow& flow, Flow::Place to);
  void wake(Destination& destination);
  void wake_rested();
  // Jobs out.
  std::optional<Job> next_late();
  std::optional<Job> next_of_lane(Lane lane);
  std::optional<Job> next_by_priority(std::size_t first);
  Job start(Flow& flow, Waiting waiting, Job::Errand errand);
  // Jobs back.
  void learn(Destination& destination, DestinationNews news);
  void retreat(Destination& destination);
  void rest(Destination& destination);
  void release_rows(Flow& flow, MessageId message, const std::vector<std::uint32_t>& recipients);
  void ask_refill(Flow& flow);
  void clean(Flow& flow);
  void rewind(Lane lane, Timestamp due);

  SchedulerLimits limits;
  const Clock* clock;
  std::array<LaneState, kLanes> lanes;
  std::map<FlowKey, Flow> flows;
  std::map<std::string, Destination, std::less<>> destinations;
  std::unordered_set<RowKey, detail::RowHash> rows;  // waiting and in flight: the lease
  std::unordered_map<JobId, InFlight> running;
  std::multimap<Timestamp, std::pair<FlowKey, MessageId>> deadlines;
  std::multimap<Timestamp, std::string> resting;
  std::deque<FlowKey> refill;
  std::size_t running_ordinary = 0;
  JobId last_job = 0;
  std::uint64_t picks = 0;
  std::uint64_t activations = 0;
};

}  // namespace postern::smtp::queue
