#include "smtp/delivery/job_runner.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>

#include "core/log.hpp"
#include "core/random.hpp"
#include "smtp/delivery/delivery_metrics.hpp"
#include "smtp/queue/report.hpp"

namespace postern::smtp::delivery {

using queue::AttemptResult;
using queue::DestinationNews;
using queue::make_reply;
using queue::Outcome;
using queue::QueuedMessage;
using queue::Recipient;
using queue::State;
using Kind = AttemptResult::Kind;
using Context = std::shared_ptr<const JobContext>;
using Message = std::shared_ptr<const QueuedMessage>;

namespace {
constexpr std::chrono::seconds kCommitWaitFirst{1};
constexpr std::chrono::seconds kCommitWaitMax{30};

/// All that one commit writes. Immutable once made: the closure may run more than once.
struct Commit {
  TenantId tenant;
  MessageId message;
  Lane lane = Lane::transactional;
  std::vector<Outcome> outcomes;
  std::vector<queue::DeliveryEvent> events;
  std::optional<queue::NewMessage> report;
  std::vector<std::uint32_t> reported;  ///< recipients that the report speaks of
  queue::EventSink* sink = nullptr;
  std::uint64_t ticket = 0;  ///< for the report: DeliveryService::ticket()
};
struct Committed {
  std::vector<std::uint32_t> applied;
  bool report_written = false;
};

bool holds(const std::vector<std::uint32_t>& numbers, std::uint32_t number) {
  return std::ranges::find(numbers, number) != numbers.end();
}

// --- load ---

Task<Result<Message>> load(Context context, const queue::Job& job) {
  if (job.fresh) co_return job.fresh;
  storage::Database::Closure<QueuedMessage> closure =
      [tenant = job.flow.tenant, id = job.message, numbers = job.recipients](sql::Transaction& tx) {
        sql::TenantScope scope(tx, tenant);
        return queue::load_message(scope, id, numbers);
      };
  auto message = co_await context->environment.queue->read<QueuedMessage>(std::move(closure));
  if (!message) co_return std::unexpected(std::move(message.error()));
  co_return std::make_shared<const QueuedMessage>(std::move(*message));
}

// Those of the job that are still to be tried: the row that brought them here may be out of date.
std::vector<Recipient> due_recipients(const QueuedMessage& message, const queue::Job& job,
                                      Timestamp now) {
  std::vector<Recipient> out;
  for (const auto& recipient : message.recipients) {
    if (!holds(job.recipients, recipient.number) || recipient.state != State::queued) continue;
    const bool waits = recipient.next_attempt && *recipient.next_attempt > now;
    if (!waits || job.errand == queue::Job::Errand::late) out.push_back(recipient);
  }
  return out;
}

// --- what follows ---

std::optional<queue::EventKind> event_kind(const AttemptResult& result, const Outcome& outcome) {
  switch (outcome.state) {
    case State::delivered: return queue::EventKind::delivered;
    case State::failed: return queue::EventKind::bounced;
    case State::expired:
      return result.kind == Kind::late ? queue::EventKind::late : queue::EventKind::expired;
    case State::queued:
      if (result.kind == Kind::deferred) return queue::EventKind::deferred;
      return std::nullopt;
    default: return std::nullopt;
  }
}

std::optional<queue::DeliveryEvent> make_event(const queue::Envelope& envelope,
                                               const Recipient& recipient,
                                               const AttemptResult& result,
                                               const Outcome& outcome) {
  const auto kind = event_kind(result, outcome);
  if (!kind) return std::nullopt;
  auto event = queue::recipient_event(envelope, recipient, *kind, outcome.at);
  if (outcome.state == State::failed) event.bounce = queue::classify(outcome.reply);
  event.reply = outcome.reply;
  event.remote_mta = outcome.remote_mta;
  event.attempts = outcome.attempts;
  event.next_attempt = outcome.next_attempt;
  return event;
}

struct Conclusions {
  Commit commit;
  std::vector<queue::ReportedRecipient> reported;
};

Conclusions conclude(const JobContext& context, const queue::Envelope& envelope,
                     const std::vector<Recipient>& recipients,
                     const std::vector<AttemptResult>& results) {
  Conclusions out;
  out.commit.tenant = envelope.tenant;
  out.commit.message = envelope.id;
  out.commit.lane = envelope.lane;
  out.commit.sink = context.environment.events;
  out.commit.ticket = context.schedule_reads;
  const auto now = context.environment.clock->now();
  for (std::size_t i = 0; i < recipients.size() && i < results.size(); ++i) {
    const auto dice = static_cast<std::uint32_t>(random_below(std::uint64_t{1} << 32));
    auto outcome =
        queue::decide(context.settings.retry, envelope, recipients[i], results[i], now, dice);
    if (auto event = make_event(envelope, recipients[i], results[i], outcome))
      out.commit.events.push_back(std::move(*event));
    if (const auto action = queue::report_for(envelope, recipients[i], results[i], outcome)) {
      out.reported.push_back({recipients[i], outcome, *action});
      out.commit.reported.push_back(outcome.recipient);
    }
    out.commit.outcomes.push_back(std::move(outcome));
  }
  return out;
}

Task<void> add_report(Context context, Commit* commit, Message message,
                      std::vector<queue::ReportedRecipient> reported,
                      std::shared_ptr<BodySource> body,
                      std::shared_ptr<const storage::DataKey> key) {
  const auto& envelope = message->envelope;
  auto original = co_await body->read(0, queue::original_bytes_needed(envelope, reported));
  if (!original) {
    log::warn("report_without_original",
              {{"message", envelope.id.text()}, {"error", original.error().message}});
    original = std::string();
  }
  const auto transport =
      co_await context->environment.addressing->transport_for(envelope.return_path);
  auto report = queue::make_report(
      envelope, reported, std::move(*original), context->settings.hostname, transport,
      context->environment.clock->now(), context->settings.retry.expiry);
  auto text = std::make_shared<const std::string>(std::move(report.text));
  std::string signatures;
  if (auto* signer = context->environment.report_signer) {
    signatures = co_await signer->signatures(text);
  }
  report.message.body = std::make_shared<const storage::SealedBody>(
      storage::seal_body(*key, ObjectId::make(), signatures + *text, storage::Packing::none));
  commit->report = std::move(report.message);
}

// --- commit ---

Result<Committed> write_commit(sql::Transaction& tx, const Commit& commit) {
  auto recorded = queue::record_outcomes(tx, commit.tenant, commit.message, commit.outcomes);
  if (!recorded) return std::unexpected(recorded.error());
  Committed out;
  out.applied = std::move(recorded->applied);
  if (commit.sink != nullptr) {
    std::vector<queue::DeliveryEvent> events;
    std::ranges::copy_if(commit.events, std::back_inserter(events),
                         [&](const auto& event) { return holds(out.applied, event.recipient); });
    commit.sink->append(tx, events);
  }
  const bool report_wanted =
      commit.report &&
      std::ranges::any_of(commit.reported, [&](auto number) { return holds(out.applied, number); });
  if (!report_wanted) return out;
  if (auto enqueued = queue::enqueue(tx, *commit.report, commit.sink); !enqueued)
    return std::unexpected(enqueued.error());
  out.report_written = true;
  return out;
}

// Again and again until it is on disk: the lease on these recipients ends with it. nullopt: the
// server stops first.
Task<std::optional<Committed>> commit_until_done(Context context, std::shared_ptr<Worker> worker,
                                                 std::shared_ptr<const Commit> commit) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  auto wait = kCommitWaitFirst;
  for (;;) {
    storage::Database::Closure<Committed> closure = [commit](sql::Transaction& tx) {
      return write_commit(tx, *commit);
    };
    auto done = co_await context->environment.queue->write<Committed>(
        commit->lane, storage::Purpose::outcome, std::move(closure));
    if (done) co_return std::move(*done);
    log::error("outcome_not_committed",
               {{"message", commit->message.text()}, {"error", done.error().message}});
    if (worker->closing) co_return std::nullopt;
    timer.expires_after(wait);
    co_await timer.async_wait(asio::use_awaitable);
    wait = std::min(wait * 2, kCommitWaitMax);
  }
}

void announce(const queue::DeliveryEvent& event, queue::EventSink* sink) {
  count_event(event);
  log::info("delivery", {{"outcome", to_string(event.kind)},
                         {"message", event.message.text()},
                         {"tenant", event.tenant.text()},
                         {"to", event.address},
                         {"lane", to_string(event.lane)},
                         {"attempt", event.attempts},
                         {"remote", event.remote_mta},
                         {"reply", event.reply.one_line()},
                         {"bounce", to_string(event.bounce)}});
  if (sink != nullptr) sink->committed(event);
}

void after_commit(const JobContext& context, const Commit& commit, const Committed& done,
                  JobEnd& end) {
  for (const auto& event : commit.events) {
    if (holds(done.applied, event.recipient)) announce(event, commit.sink);
  }
  for (const auto& outcome : commit.outcomes) {
    if (outcome.next_attempt) end.rescheduled.push_back(*outcome.next_attempt);
  }
  if (done.report_written)
    context.offer(std::make_shared<const QueuedMessage>(queue::as_queued(*commit.report)),
                  commit.ticket);
}

// --- try ---

Task<AttemptReport> try_it(Context context, std::shared_ptr<Worker> worker,
                           queue::Transport transport, std::string destination,
                           TransactionPlan plan, std::shared_ptr<BodySource> body) {
  if (transport == queue::Transport::local) {
    co_return co_await attempt_local(context->environment.local, std::move(plan), std::move(body));
  }
  co_return co_await attempt_remote(std::move(worker), std::move(plan), std::move(destination),
                                    std::move(body));
}

bool too_late(const queue::Job& job, const queue::Envelope& envelope, Timestamp now) {
  return job.errand == queue::Job::Errand::late || (envelope.deadline && now >= *envelope.deadline);
}
}  // namespace

Task<JobEnd> run_job(Context context, std::shared_ptr<Worker> worker, queue::Job job) {
  JobEnd end;
  const auto loaded = co_await load(context, job);
  if (!loaded) {
    if (loaded.error().code == Errc::not_found) co_return end;  // finished or dropped meanwhile
    log::warn("queued_message_not_read",
              {{"message", job.message.text()}, {"error", loaded.error().message}});
    end.table = JobEnd::Table::unknown;
    co_return end;
  }
  const Message& message = *loaded;
  const auto now = context->environment.clock->now();
  const auto recipients = due_recipients(*message, job, now);
  if (recipients.empty()) co_return end;

  const auto key = co_await context->environment.keys->data_key(message->envelope.tenant);
  std::shared_ptr<BodySource> body;
  if (key) body = make_body_source(*context->environment.queue, *key, message);
  AttemptReport report;
  if (too_late(job, message->envelope, now)) {
    report = same_for_all(recipients, Kind::late, make_reply(451, {4, 4, 7}, "its deadline passed"),
                          {}, DestinationNews::nothing);
  } else if (!key) {
    const auto reply =
        make_reply(451, {4, 3, 0}, "the tenant's key can't be had: " + key.error().message);
    log::warn("tenant_key_missing",
              {{"tenant", message->envelope.tenant.text()}, {"error", key.error().message}});
    report = same_for_all(recipients, Kind::postponed, reply, {}, DestinationNews::nothing);
  } else {
    TransactionPlan plan{message, recipients};
    report = co_await try_it(context, worker, job.transport, job.flow.destination, std::move(plan),
                             body);
  }
  end.news = report.news;

  auto conclusions = conclude(*context, message->envelope, recipients, report.results);
  if (!conclusions.reported.empty() && key) {
    co_await add_report(context, &conclusions.commit, message, std::move(conclusions.reported),
                        body, *key);
  }
  const auto commit = std::make_shared<const Commit>(std::move(conclusions.commit));
  const auto done = co_await commit_until_done(context, worker, commit);
  if (done) {
    after_commit(*context, *commit, *done, end);
  } else {
    end.table = JobEnd::Table::unknown;
  }
  co_return end;
}

}  // namespace postern::smtp::delivery
