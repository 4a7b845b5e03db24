// A job from start to commit: load the message, try it, decide what follows, write that down with
// its events and reports in one commit.
//
// Runs on the io thread of the job's destination. Ends only when the outcome is committed, or the
// server stops.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "smtp/delivery/attempt.hpp"
#include "smtp/delivery/service.hpp"
#include "smtp/queue/scheduler.hpp"

namespace postern::smtp::delivery {

/// What all jobs share.
struct JobContext {
  DeliverySettings settings;
  Environment environment;
  /// Takes a message that was just enqueued (a report), with what schedule_reads was before.
  std::function<void(std::shared_ptr<const queue::QueuedMessage>, std::uint64_t)> offer;
  /// Counts reads of the schedule, at their beginning and at their end.
  std::atomic<std::uint64_t> schedule_reads = 0;
};

struct JobEnd {
  queue::DestinationNews news = queue::DestinationNews::nothing;
  std::vector<Timestamp> rescheduled;  ///< when recipients are due again
  /// unknown: the outcome isn't in the table; its rows are due there as they were.
  enum class Table : std::uint8_t { current, unknown } table = Table::current;
};

Task<JobEnd> run_job(std::shared_ptr<const JobContext> context, std::shared_ptr<Worker> worker,
                     queue::Job job);

}  // namespace postern::smtp::delivery
