#include "smtp/queue/scheduler.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "tests/support/fake_clock.hpp"

using namespace postern;
using namespace postern::smtp::queue;
using namespace std::chrono_literals;

namespace {
const TenantId kTenant = TenantId::make();

struct Bench {
  test::FakeClock clock;
  SchedulerLimits limits;
  std::unique_ptr<Scheduler> s;

  explicit Bench(SchedulerLimits l = {}) : limits(l) {
    s = std::make_unique<Scheduler>(limits, clock);
  }

  DueRow row(Lane lane, const std::string& destination = "b.example", TenantId tenant = kTenant,
             MessageId message = MessageId::make(), std::uint32_t recipient = 0) {
    DueRow r;
    r.lane = lane;
    r.due_at = clock.now();
    r.tenant = tenant;
    r.destination = destination;
    r.message = message;
    r.recipient = recipient;
    return r;
  }
  /// Starts one job and ends it at once.
  std::optional<Job> one(DestinationNews news = DestinationNews::answered) {
    auto job = s->next();
    if (job) s->finished(job->id, news);
    return job;
  }
};
}  // namespace

TEST_CASE("recipients_of_one_message_and_destination_become_one_job") {
  Bench b;
  const auto m = MessageId::make();
  for (std::uint32_t i = 0; i < 3; ++i) b.s->offer(b.row(Lane::bulk, "b.example", kTenant, m, i));
  const auto job = b.s->next();
  REQUIRE(job);
  CHECK(job->recipients == std::vector<std::uint32_t>{0, 1, 2});
  CHECK_FALSE(b.s->next());
}

TEST_CASE("job_holds_no_more_recipients_than_a_server_must_take") {
  Bench b({.recipients_per_job = 2});
  const auto m = MessageId::make();
  for (std::uint32_t i = 0; i < 5; ++i) b.s->offer(b.row(Lane::bulk, "b.example", kTenant, m, i));
  CHECK(b.s->next()->recipients.size() == 2);
  CHECK(b.s->next()->recipients.size() == 2);
  CHECK(b.s->next()->recipients.size() == 1);
}

TEST_CASE("row_under_lease_is_not_loaded_again") {
  Bench b;
  const auto r = b.row(Lane::bulk);
  CHECK(b.s->offer(r) == Offered::loaded);
  CHECK(b.s->offer(r) == Offered::known);
  const auto job = b.s->next();
  CHECK(b.s->offer(r) == Offered::known);  // in flight
  b.s->finished(job->id, DestinationNews::answered);
  CHECK(b.s->offer(r) == Offered::loaded);
}

TEST_CASE("urgent_lanes_go_first") {
  Bench b;
  for (const Lane lane : {Lane::bulk, Lane::transactional, Lane::alert, Lane::auth})
    b.s->offer(b.row(lane));
  for (const Lane lane : {Lane::auth, Lane::alert, Lane::transactional, Lane::bulk})
    CHECK(b.one()->flow.lane == lane);
}

TEST_CASE("lower_lanes_keep_a_small_share_under_load") {
  Bench b({.lower_share = 10});
  for (int i = 0; i < 100; ++i) {
    b.s->offer(b.row(Lane::auth, "a" + std::to_string(i) + ".example"));
    b.s->offer(b.row(Lane::bulk, "b" + std::to_string(i) + ".example"));
  }
  std::map<Lane, int> seen;
  for (int i = 0; i < 60; ++i) ++seen[b.one()->flow.lane];
  CHECK(seen[Lane::auth] >= 54);
  CHECK(seen[Lane::bulk] >= 1);
}

TEST_CASE("tenants_take_turns_within_a_lane") {
  Bench b;
  const auto quiet = TenantId::make();
  for (int i = 0; i < 50; ++i) b.s->offer(b.row(Lane::bulk));
  b.s->offer(b.row(Lane::bulk, "b.example", quiet));
  bool served = false;
  for (int i = 0; i < 2; ++i) served = served || b.one()->flow.tenant == quiet;
  CHECK(served);
}

TEST_CASE("destination_slots_bound_its_jobs_and_one_is_kept_for_urgent_mail") {
  Bench b({.destination_start = 5, .destination_max = 5});
  for (int i = 0; i < 10; ++i) b.s->offer(b.row(Lane::bulk));
  std::vector<Job> jobs;
  while (auto job = b.s->next()) jobs.push_back(*job);
  CHECK(jobs.size() == 4);
  b.s->offer(b.row(Lane::auth));
  b.s->offer(b.row(Lane::auth));
  REQUIRE(b.s->next());
  CHECK_FALSE(b.s->next());
  b.s->finished(jobs[0].id, DestinationNews::answered);
  const auto next = b.s->next();
  REQUIRE(next);
  CHECK(next->flow.lane == Lane::auth);
}

TEST_CASE("busy_destination_does_not_hold_up_another") {
  Bench b({.destination_start = 2, .destination_max = 2});
  for (int i = 0; i < 10; ++i) b.s->offer(b.row(Lane::bulk, "slow.example"));
  REQUIRE(b.s->next()->flow.destination == "slow.example");
  b.s->offer(b.row(Lane::bulk, "fast.example"));
  CHECK(b.s->next()->flow.destination == "fast.example");
}

TEST_CASE("global_bound_keeps_a_reserve_for_urgent_mail") {
  Bench b({.in_flight = 10, .urgent_reserve = 3});
  for (int i = 0; i < 20; ++i) b.s->offer(b.row(Lane::bulk, "d" + std::to_string(i) + ".example"));
  int started = 0;
  while (b.s->next()) ++started;
  CHECK(started == 7);
  for (int i = 0; i < 5; ++i) b.s->offer(b.row(Lane::auth, "u" + std::to_string(i) + ".example"));
  while (b.s->next()) ++started;
  CHECK(started == 10);
}

TEST_CASE("tiny_global_bound_still_sends_ordinary_mail") {
  Bench b({.in_flight = 1});
  b.s->offer(b.row(Lane::bulk));
  CHECK(b.s->next());
}

TEST_CASE("slots_grow_with_success_and_halve_with_trouble") {
  Bench b({.destination_start = 4, .destination_max = 6});
  const auto send = [&](DestinationNews news, int n) {
    for (int i = 0; i < n; ++i) {
      b.s->offer(b.row(Lane::bulk));
      b.s->offer(b.row(Lane::bulk));  // keeps the destination remembered
      REQUIRE(b.one(news));
    }
  };
  send(DestinationNews::answered, 4);
  CHECK(b.s->slots("b.example") == 5);
  send(DestinationNews::answered, 30);
  CHECK(b.s->slots("b.example") == 6);
  send(DestinationNews::slow_down, 1);
  CHECK(b.s->slots("b.example") == 3);
  send(DestinationNews::slow_down, 3);
  CHECK(b.s->slots("b.example") == 2);
}

TEST_CASE("unreachable_destination_rests_and_comes_back") {
  Bench b({.failures_before_rest = 3, .rest_first = 30s});
  for (int i = 0; i < 10; ++i) b.s->offer(b.row(Lane::bulk));
  for (int i = 0; i < 3; ++i) REQUIRE(b.one(DestinationNews::unreachable));
  CHECK_FALSE(b.s->next());
  b.s->offer(b.row(Lane::auth));
  CHECK(b.one(DestinationNews::nothing)->flow.lane ==
        Lane::auth);  // urgent mail still probes, one at a time
  b.clock.advance(30s - 1us);
  CHECK_FALSE(b.s->next());
  b.clock.advance(1us);
  CHECK(b.s->next());
}

TEST_CASE("deadline_passes_while_waiting_gives_a_late_job") {
  Bench b({.destination_start = 2, .destination_max = 2});
  auto r = b.row(Lane::auth);
  r.deadline = b.clock.now() + 10s;
  b.s->offer(b.row(Lane::auth));
  b.s->offer(b.row(Lane::auth));
  b.s->offer(r);
  REQUIRE(b.s->next());
  REQUIRE(b.s->next());
  CHECK_FALSE(b.s->next());
  b.clock.advance(10s);
  const auto late = b.s->next();
  REQUIRE(late);
  CHECK(late->errand == Job::Errand::late);
  CHECK(late->message == r.message);
}

TEST_CASE("flow_at_its_cap_is_refilled_from_the_table_when_it_drains") {
  Bench b({.per_flow = 8});
  std::vector<DueRow> table;
  for (int i = 0; i < 100; ++i) table.push_back(b.row(Lane::bulk));
  for (const auto& r : table) b.s->offer(r);
  CHECK(b.s->loaded() == 8);
  CHECK_FALSE(b.s->flow_wanted());
  std::set<MessageId> sent;
  while (auto job = b.one()) {
    CHECK(sent.insert(job->message).second);
    std::erase_if(table, [&](const DueRow& r) { return r.message == job->message; });
    while (auto flow = b.s->flow_wanted()) {
      const auto limit = b.s->flow_limit(*flow);
      const std::vector<DueRow> page(
          table.begin(),
          table.begin() + static_cast<std::ptrdiff_t>(std::min(limit, table.size())));
      b.s->flow_read(*flow, page, limit);
    }
  }
  CHECK(sent.size() == 100);
  CHECK(b.s->loaded() == 0);
}

TEST_CASE("one_dead_destination_does_not_fill_the_memory") {
  Bench b({.loaded = 1000, .per_flow = 50, .page = 100});
  std::vector<DueRow> table;
  for (int i = 0; i < 900; ++i) table.push_back(b.row(Lane::bulk, "dead.example"));
  table.push_back(b.row(Lane::bulk, "alive.example"));
  std::size_t at = 0;
  while (const auto page = b.s->page_wanted()) {
    if (page->lane != Lane::bulk) {
      b.s->page_read(*page, {});
      continue;
    }
    std::vector<DueRow> rows;
    for (; rows.size() < page->limit && at < table.size(); ++at) rows.push_back(table[at]);
    b.s->page_read(*page, rows);
  }
  CHECK(b.s->loaded() == 51);
  bool alive = false;
  for (int i = 0; i < 6; ++i) {
    if (const auto job = b.s->next()) alive = alive || job->flow.destination == "alive.example";
  }
  CHECK(alive);
}

TEST_CASE("full_memory_stops_the_page_where_it_can_go_on_later") {
  Bench b({.loaded = 20, .per_flow = 100, .page = 10});
  std::vector<DueRow> rows;
  for (int i = 0; i < 15; ++i) b.s->offer(b.row(Lane::auth, "x" + std::to_string(i)));
  CHECK_FALSE(b.s->page_wanted());
  for (int i = 0; i < 15; ++i) REQUIRE(b.one());
  CHECK(b.s->page_wanted());
}

TEST_CASE("lane_read_to_its_end_is_polled_later") {
  Bench b;
  int pages = 0;
  while (const auto page = b.s->page_wanted()) {
    b.s->page_read(*page, {});
    ++pages;
  }
  CHECK(pages == kLanes);
  b.clock.advance(b.limits.poll - 1us);
  CHECK_FALSE(b.s->page_wanted());
  b.clock.advance(1us);
  CHECK(b.s->page_wanted());
}

TEST_CASE("rescheduled_behind_the_cursor_sets_it_back") {
  Bench b;
  auto page = b.s->page_wanted();
  REQUIRE(page);
  auto r = b.row(Lane::auth);
  b.s->page_read(*page, {r});
  CHECK_FALSE(b.s->page_wanted()->lane == Lane::auth);
  b.s->rescheduled(Lane::auth, r.due_at - 1s);
  page = b.s->page_wanted();
  REQUIRE(page);
  CHECK(page->lane == Lane::auth);
  CHECK(page->after.due_at < r.due_at - 1s + 1us);
}

TEST_CASE("forgotten_message_is_not_sent") {
  Bench b;
  const auto r = b.row(Lane::bulk);
  b.s->offer(r);
  b.s->forget(r.message);
  CHECK_FALSE(b.s->next());
  CHECK(b.s->loaded() == 0);
  CHECK(b.s->offer(r) == Offered::loaded);
}

TEST_CASE("fresh_message_carries_its_envelope_to_the_first_job") {
  Bench b;
  auto m = std::make_shared<QueuedMessage>();
  m->envelope.id = MessageId::make();
  m->envelope.tenant = kTenant;
  m->envelope.lane = Lane::auth;
  m->envelope.created_at = b.clock.now();
  for (std::uint32_t i = 0; i < 2; ++i) {
    Recipient r;
    r.number = i;
    r.destination = i == 0 ? "a.example" : "b.example";
    m->recipients.push_back(r);
  }
  b.s->offer_fresh(m);
  const auto first = b.s->next();
  const auto second = b.s->next();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->fresh == m);
  CHECK(second->fresh == m);
  CHECK(first->flow.destination != second->flow.destination);
}
