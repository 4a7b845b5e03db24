// The clock of one fetch and the stream it closes when the time is over.
//
// Owner: the fetch's coroutine; used from its thread only. The stream is held here so that the
// watchdog can never outlive it.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "core/stream.hpp"
#include "core/watchdog.hpp"

namespace postern::outbound {

class BoundedStream {
 public:
  BoundedStream(Executor executor, std::chrono::milliseconds total)
      : end_(std::chrono::steady_clock::now() + total), watchdog_(std::move(executor), [this] {
          if (stream_) stream_->close();
        }) {
    watchdog_.arm(total);
  }
  ~BoundedStream() { watchdog_.stop(); }
  BoundedStream(const BoundedStream&) = delete;
  BoundedStream& operator=(const BoundedStream&) = delete;

  [[nodiscard]] std::chrono::steady_clock::time_point end() const { return end_; }
  /// Of the whole; at least a millisecond, so that it can be waited for.
  [[nodiscard]] std::chrono::milliseconds remaining() const {
    const auto left = end_ - std::chrono::steady_clock::now();
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left),
                    std::chrono::milliseconds(1));
  }
  [[nodiscard]] bool expired() const {
    return watchdog_.expired() || std::chrono::steady_clock::now() >= end_;
  }
  /// A part of the work with a shorter time of its own, until arm_whole(); when that is over, so is
  /// the whole.
  void arm_part(std::chrono::milliseconds limit) { watchdog_.arm(std::min(limit, remaining())); }
  void arm_whole() { watchdog_.arm(remaining()); }

  void adopt(std::unique_ptr<Stream> stream) { stream_ = std::move(stream); }
  void drop() { stream_.reset(); }
  [[nodiscard]] Stream& stream() { return *stream_; }

  /// What a failed operation means: that the time was over, or `error`.
  [[nodiscard]] std::unexpected<Error> failure(Error error) const {
    if (expired()) return fail(Errc::timeout, "the request took too long");
    return std::unexpected(std::move(error));
  }

 private:
  std::chrono::steady_clock::time_point end_;
  std::unique_ptr<Stream> stream_;
  Watchdog watchdog_;
};

}  // namespace postern::outbound
