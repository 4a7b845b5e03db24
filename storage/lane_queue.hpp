// A bounded queue by lane: urgent lanes first, the lower ones keep a small share.
//
// Lanes take turns in rounds by weight. When all have work a round serves 16 of auth, 8 of alert, 4
// transactional, 2 of bulk, in this order: auth waits for 14 others at most, and bulk moves however
// much mail the others bring. Not thread-safe: its owner locks.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "core/lane.hpp"

namespace postern::storage {

inline constexpr std::array<int, kLanes> kLaneWeights{16, 8, 4, 2};

template <class Job>
class LaneQueue {
 public:
  explicit LaneQueue(std::size_t limit) : limit_(limit) {}

  /// False when the queue is full; the job was not taken then.
  bool push(Lane lane, Job& job) {
    if (size_ >= limit_) return false;
    lanes_[static_cast<std::size_t>(lane)].push_back(std::move(job));
    ++size_;
    return true;
  }

  std::optional<Job> pop() {
    if (size_ == 0) return std::nullopt;
    if (auto job = pop_with_credit()) return job;
    credits_ = kLaneWeights;
    return pop_with_credit();
  }

  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::optional<Job> pop_with_credit() {
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
      if (lanes_[lane].empty() || credits_[lane] == 0) continue;
      --credits_[lane];
      --size_;
      std::optional<Job> job(std::move(lanes_[lane].front()));
      lanes_[lane].pop_front();
      return job;
    }
    return std::nullopt;
  }

  std::size_t limit_;
  std::size_t size_ = 0;
  std::array<int, kLanes> credits_ = kLaneWeights;
  std::array<std::deque<Job>, kLanes> lanes_;
};

}  // namespace postern::storage
