#include "smtp/delivery/delivery_metrics.hpp"

#include <chrono>

#include "core/metrics.hpp"

namespace postern::smtp::delivery {

namespace {
using metrics::Counter;
using metrics::Gauge;
using metrics::Histogram;

constexpr const char* kOutcomes = "postern_delivery_outcomes_total";
constexpr const char* kOutcomesHelp = "Recipients by what an attempt made of them.";
constexpr const char* kDepth = "postern_queue_recipients";
constexpr const char* kDepthHelp = "Live recipients in the queue by lane.";
constexpr const char* kLatency = "postern_delivery_seconds";
constexpr const char* kLatencyHelp = "From acceptance to delivery, by lane.";

struct Metrics {
  std::array<Counter, 5> outcomes{{{kOutcomes, kOutcomesHelp, R"(outcome="delivered")"},
                                   {kOutcomes, kOutcomesHelp, R"(outcome="deferred")"},
                                   {kOutcomes, kOutcomesHelp, R"(outcome="bounced")"},
                                   {kOutcomes, kOutcomesHelp, R"(outcome="expired")"},
                                   {kOutcomes, kOutcomesHelp, R"(outcome="late")"}}};
  std::array<Gauge, kLanes> depth{{{kDepth, kDepthHelp, R"(lane="auth")"},
                                   {kDepth, kDepthHelp, R"(lane="alert")"},
                                   {kDepth, kDepthHelp, R"(lane="transactional")"},
                                   {kDepth, kDepthHelp, R"(lane="bulk")"}}};
  std::array<Histogram, kLanes> latency{
      {{kLatency, kLatencyHelp, bounds(), R"(lane="auth")"},
       {kLatency, kLatencyHelp, bounds(), R"(lane="alert")"},
       {kLatency, kLatencyHelp, bounds(), R"(lane="transactional")"},
       {kLatency, kLatencyHelp, bounds(), R"(lane="bulk")"}}};
  Gauge in_flight{"postern_delivery_in_flight", "Attempts under way."};

  static std::vector<double> bounds() {
    return {0.01, 0.05, 0.25, 1, 5, 30, 120, 600, 3600, 21600, 86400};
  }
};

Metrics& all() {
  static Metrics metrics;
  return metrics;
}
}  // namespace

void count_event(const queue::DeliveryEvent& event) {
  if (event.kind >= queue::EventKind::accepted) return;  // no attempt's outcome
  all().outcomes[static_cast<std::size_t>(event.kind)].add();
  if (event.kind == queue::EventKind::delivered) {
    all().latency[static_cast<std::size_t>(event.lane)].observe(
        std::chrono::duration<double>(event.age).count());
  }
}

void set_queue_depth(const std::array<std::int64_t, kLanes>& depth) {
  for (std::size_t i = 0; i < depth.size(); ++i) all().depth[i].set(depth[i]);
}

void add_in_flight(std::int64_t n) { all().in_flight.add(n); }

}  // namespace postern::smtp::delivery
