// Which recipients are tried next, and where: the scheduling core, without I/O, threads or
// database.
//
// It is fed rows of the schedule in bounded pages (and fresh messages directly) and gives out jobs.
// A job is one message to recipients of one destination. Held in memory: at most `loaded` rows, at
// most `per_flow` of any one flow, so that neither a million queued rows nor one dead destination
// fill it; what doesn't fit stays in the table and is asked for when there is room (page_wanted,
// flows_wanted).
//
// Order: strict priority by lane, with every `lower_share`-th pick offered to the lower lanes
// first. Within a lane tenants take turns, and within a tenant its flows. A destination has a
// number of slots that follows from its answers; one of them serves auth and alert only, and so do
// some of the global ones. A destination that can't be reached rests for a while.
//
// Time moves by polling: the owner asks again each `poll` and after each news.
//
// Owner: DeliveryService, on one thread. Rows are under lease while loaded or in flight: the lease
// is here only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "smtp/queue/message.hpp"
#include "smtp/queue/repository.hpp"

namespace postern::smtp::queue {

struct SchedulerLimits {
  std::size_t loaded = 20'000;  ///< rows in memory, queued and in flight
  std::size_t per_flow = 100;   ///< rows of one (lane, tenant, stream, destination)
  std::size_t page = 500;       ///< rows asked for at once
  std::size_t recipients_per_job =
      100;                            ///< RFC 5321 §4.5.3.1.8 promises that a server takes as many
  std::size_t in_flight = 500;        ///< jobs at work
  std::size_t urgent_reserve = 50;    ///< of those, for auth and alert only
  std::size_t destination_start = 5;  ///< slots of a destination that nothing is known of
  std::size_t destination_max = 20;   ///< 2 or more
  std::uint32_t lower_share = 10;     ///< every n-th pick begins below the first lane
  std::uint32_t failures_before_rest = 3;
  std::chrono::seconds rest_first{30};
  std::chrono::seconds rest_max{600};
  std::size_t destinations_remembered = 50'000;
  std::chrono::milliseconds poll{
      1000};  ///< a lane whose due rows are all known is looked at again after this
  std::chrono::seconds rescan{
      600};  ///< the whole schedule is walked again this often, whatever else is known
};

using JobId = std::uint64_t;

struct Job {
  JobId id = 0;
  FlowKey flow;
  Transport transport = Transport::remote;
  MessageId message;
  std::vector<std::uint32_t> recipients;
  std::optional<Timestamp> deadline;
  std::shared_ptr<const QueuedMessage> fresh;  ///< set when it was handed over at acceptance
  /// late: the deadline passed while it waited; nothing is to be tried.
  enum class Errand : std::uint8_t { attempt, late } errand = Errand::attempt;
};

/// What a job taught about its destination.
enum class DestinationNews : std::uint8_t {
  answered,     ///< some host took the conversation to its end
  slow_down,    ///< 421, or a 4xx that names us too busy (4.3.2, 4.4.5, 4.7.x)
  unreachable,  ///< no host of it could be talked to
  nothing,      ///< never got that far (local trouble, late)
};

enum class Offered : std::uint8_t { loaded, known, no_room };

class Scheduler {
 public:
  Scheduler(SchedulerLimits limits, const Clock& clock);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// A message just committed, all recipients due. What finds no room is found later in the table.
  /// `seen`: a page read meanwhile may have brought its rows, and they may be done by now, so each
  /// is looked up before it is tried.
  enum class Handover : std::uint8_t { fresh, seen };
  void offer_fresh(std::shared_ptr<const QueuedMessage> message, Handover how = Handover::fresh);
  /// One row read from the table.
  Offered offer(const DueRow& row);

  /// The next job to start, if a slot is free. It holds its slots until finished().
  std::optional<Job> next();
  /// The job's outcome is committed: its lease ends, its slots are free.
  void finished(JobId job, DestinationNews news);
  /// A row went back to the table to be due at `due`: makes sure that a page will find it.
  void rescheduled(Lane lane, Timestamp due);
  /// Management changed the message: what waits of it here is forgotten, and the schedule's last
  /// minute is read again (the table knows better).
  void forget(MessageId message);

  struct Page {
    Lane lane = Lane::auth;
    ScheduleCursor after;
    std::size_t limit = 0;
  };
  /// A page worth reading now, most urgent lane first; nullopt when all that was due is known or
  /// there is no room.
  std::optional<Page> page_wanted();
  void page_read(const Page& page, const std::vector<DueRow>& rows);
  /// A flow whose rows didn't all fit and which has room again.
  std::optional<FlowKey> flow_wanted();
  [[nodiscard]] std::size_t flow_limit(const FlowKey& flow) const;
  void flow_read(const FlowKey& flow, const std::vector<DueRow>& rows, std::size_t limit);

  [[nodiscard]] std::size_t loaded() const;
  [[nodiscard]] std::size_t in_flight() const;
  [[nodiscard]] std::size_t slots(const std::string& destination) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace postern::smtp::queue
