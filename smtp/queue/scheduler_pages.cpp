#include "smtp/queue/scheduler_impl.hpp"

namespace postern::smtp::queue {

// --- reading the table ---

std::optional<Scheduler::Page> Scheduler::page_wanted() {
  auto& s = *impl_;
  if (s.rows.size() + s.limits.page > s.limits.loaded) return std::nullopt;
  const auto now = s.clock->now();
  for (const Lane name : {Lane::auth, Lane::alert, Lane::transactional, Lane::bulk}) {
    auto& lane = s.lanes[index_of(name)];
    if (now < lane.read_again) continue;
    if (now >= lane.rescan_at) {
      lane.cursor = {};
      lane.rescan_at = now + s.limits.rescan;
    }
    return Page{name, lane.cursor, s.limits.page};
  }
  return std::nullopt;
}

void Scheduler::page_read(const Page& page, const std::vector<DueRow>& rows) {
  auto& s = *impl_;
  auto& lane = s.lanes[index_of(page.lane)];
  if (lane.cursor != page.after) return;  // it was set back meanwhile: this page is no news
  for (const auto& row : rows) {
    if (s.rows.size() >= s.limits.loaded) return;
    s.offer(row, nullptr);
    lane.cursor = ScheduleCursor{row.due_at, row.message, row.recipient};
  }
  if (rows.size() < page.limit) lane.read_again = s.clock->now() + s.limits.poll;
}

std::optional<FlowKey> Scheduler::flow_wanted() {
  auto& s = *impl_;
  while (!s.refill.empty() && s.rows.size() + s.limits.per_flow <= s.limits.loaded) {
    FlowKey key = std::move(s.refill.front());
    s.refill.pop_front();
    if (s.flows.contains(key)) return key;
  }
  return std::nullopt;
}

std::size_t Scheduler::flow_limit(const FlowKey& flow) const {
  const auto at = impl_->flows.find(flow);
  // The rows that are known come first in the table; behind them there is room for as many as fit.
  return impl_->limits.per_flow + (at == impl_->flows.end() ? 0 : at->second.rows);
}

void Scheduler::flow_read(const FlowKey& key, const std::vector<DueRow>& rows, std::size_t limit) {
  auto& s = *impl_;
  const auto at = s.flows.find(key);
  if (at == s.flows.end()) return;
  Flow& flow = at->second;
  flow.overflowed = rows.size() >= limit;
  flow.refill_asked = false;
  for (const auto& row : rows) {
    if (s.offer(row, nullptr) == Offered::no_room) flow.overflowed = true;
  }
  s.ask_refill(flow);
  s.clean(flow);
}

std::size_t Scheduler::loaded() const { return impl_->rows.size(); }
std::size_t Scheduler::in_flight() const { return impl_->running.size(); }
std::size_t Scheduler::slots(const std::string& destination) const {
  const auto at = impl_->destinations.find(destination);
  return at == impl_->destinations.end() ? impl_->limits.destination_start : at->second.limit;
}

}  // namespace postern::smtp::queue
