#include "core/rate_limiter.hpp"

#include <algorithm>

namespace postern {

namespace {
constexpr double kMinute = 60e6;  // microseconds
}

RateLimiter::Bucket& RateLimiter::bucket_of(std::string_view name, std::uint32_t per_minute,
                                            Timestamp now) {
  if (const auto found = index_.find(name); found != index_.end()) {
    buckets_.splice(buckets_.begin(), buckets_, found->second);
    return buckets_.front();
  }
  if (buckets_.size() >= limit_) {
    index_.erase(buckets_.back().name);
    buckets_.pop_back();
  }
  buckets_.push_front({std::string(name), static_cast<double>(per_minute), now});
  index_.emplace(buckets_.front().name, buckets_.begin());
  return buckets_.front();
}

RateLimiter::Admission RateLimiter::admit(std::string_view name, std::uint32_t per_minute,
                                          Timestamp now) {
  if (per_minute == 0) return {false, std::chrono::minutes(1)};
  std::scoped_lock lock(mutex_);
  Bucket& bucket = bucket_of(name, per_minute, now);
  const double rate = per_minute / kMinute;
  const auto passed = std::max<std::int64_t>(0, (now - bucket.filled).count());
  bucket.tokens = std::min<double>(per_minute, bucket.tokens + rate * static_cast<double>(passed));
  bucket.filled = std::max(bucket.filled, now);
  if (bucket.tokens < 1) {
    return {false, Micros(static_cast<std::int64_t>((1 - bucket.tokens) / rate) + 1)};
  }
  bucket.tokens -= 1;
  return {true, {}};
}

}  // namespace postern
