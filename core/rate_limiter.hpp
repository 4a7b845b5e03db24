// Token buckets by name: so many a minute, with that many at once at most.
//
// Counts exactly under concurrency. Bounded: of many names the one that was longest unused is
// forgotten (and begins with a full bucket when it comes back). Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/time.hpp"

namespace postern {

class RateLimiter {
 public:
  explicit RateLimiter(std::size_t most_names) : limit_(most_names) {}

  struct Admission {
    bool admitted = false;
    Micros retry_after{};  ///< when not: how long until one more is
  };
  /// Takes one, if `per_minute` allows. Zero allows nothing.
  Admission admit(std::string_view name, std::uint32_t per_minute, Timestamp now);

 private:
  struct Bucket {
    std::string name;
    double tokens = 0;
    Timestamp filled;
  };
  Bucket& bucket_of(std::string_view name, std::uint32_t per_minute, Timestamp now);

  std::mutex mutex_;
  std::size_t limit_;
  std::list<Bucket> buckets_;  ///< most recently used first
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> index_;
};

}  // namespace postern
